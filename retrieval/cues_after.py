"""Words after a quote that deny, doubt or limit it: `... is contraindicated`, `... except in infants`."""

from __future__ import annotations

import re
from functools import cache

from tracejury.retrieval.cues import crosses, pattern, without_exempt, word_set
from tracejury.retrieval.readings import Reading
from tracejury.retrieval.scope import has_verb

_AUXILIARY = (
    r"(?:is|are|was|were|be|been|being|has|have|had|do|does|did|can|could|should|must|will|would|may|might|need|seems?|"
    r"appears?|remains?|became|becomes?|considered|found|proved|turned out|thought|judged)"
)
_PREPOSITION = r"(?:with|of|in|for|by|to|on|at|from|that|and|or|as)\b"
_RELATIVE = re.compile(r"\b(?:who|whom|whose|which|when|where|because|since)\b")
_SUBORDINATE = re.compile(r"\b(?:who|whom|whose|which|when|where|because|although|though|while|whereas|since|that)\b")
_STOPS = re.compile(r"[;.!?](?=\s|$)|\b(?:but|however|although|though|whereas|while|because|yet)\b")
_CLAUSE_START = re.compile(
    r"[,;:.](?=\s|$)|\b(?:that|but|because|although|while|whereas|once|after|before|when|until|if)\b"
)
_BUT_NOT = re.compile(
    r"\W*(?:but|though|although|albeit|just|only|and) (?:not|never) (?:\w+ly )?"
    r"(in|for|to|with|during|when|if|after|before|at|under|over|by|on)\b"
)
# `was looked for but was not present`
_SECOND_PREDICATE = re.compile(
    r"(?<=\bbut )(?:is|are|was|were|has|have|had|could|did|does|do|can)"
    r"(?: \w+)? (?:not|never|absent|negative|excluded)\b"
    r"|(?<=\bbut )(?:not|never) (?:found|seen|present|detected|confirmed|recommended)\b"
)
_SENTENCE_STOP = re.compile(r"[.!?]\s")
_HARD_STOP = re.compile(r"[;:](?=\s)|[.!?]\s")
_SPEAKER = re.compile(r"[\"'\u201d\u2019]*,?[\"'\u201d\u2019]*\W?\s*(?:\w+ ){0,4}")
_TRIM = " ,.:;()=?\"'\u2014\u2013-"


def turned_after(read: Reading) -> str | None:
    """Return the words after the quote that turn it and that it leaves out, or None."""
    tail = without_exempt(read.text)[read.end :]
    if not tail.strip(" .*_|"):
        return None
    if (mark := crosses().search(tail)) is not None and not tail[mark.end() :].strip(" .|"):
        return mark[0]
    clause = tail[: stop.start()] if (stop := _STOPS.search(tail)) else tail
    words = (
        _answered(tail)
        or _beside(tail)
        or _exception(tail)
        or _limited(read.quote.lower(), tail)
        or _insignificant(read.quote, tail)
        or _refuted(tail, clause)
    )
    if words is None and not has_verb(read.quote):
        words = _predicate(without_exempt(read.text)[: read.start], clause, tail)
    # Of `(?)` the marks are all there is.
    return (words.strip(_TRIM) or words.strip()) if words is not None else None


def _answered(tail: str) -> str | None:
    """`Fever: no`, `Fever (absent)`."""
    match = _answer().match(tail)
    return match[0] if match else None


def _beside(tail: str) -> str | None:
    match = _next_word().match(tail)
    return match[1] if match and "," not in tail[: match.start(1)] else None


def _exception(tail: str) -> str | None:
    match = pattern("exception").search(tail)
    return match[0] if match and not _HARD_STOP.search(tail[: match.start()]) else None


def _refuted(tail: str, clause: str) -> str | None:
    """Return what takes the whole quote back: `... is a myth`, `..., a claim since refuted`."""
    predicate = _refuting_predicate().search(clause)
    if predicate and not _SUBORDINATE.search(clause[: predicate.start()]):
        return predicate[0]
    attributed = pattern("attribution").search(tail) if tail[:1] in ",\"'\u201d\u2019" else None
    if attributed and _SPEAKER.fullmatch(tail[: attributed.start()]):
        return attributed[0]
    apposition = _refuting_apposition().search(tail)
    if apposition and not _SENTENCE_STOP.search(tail[: apposition.start()]):
        return apposition[0]
    return None


def _limited(quote: str, tail: str) -> str | None:
    """`... is safe, but not in children`; `oriented to person but not to place` goes on and limits nothing."""
    match = _BUT_NOT.match(tail)
    if match is None or re.search(rf"\b{match[1]}\b(?:\s[\w-]+){{1,4}}$", quote):
        return None
    return match[0]


def _insignificant(quote: str, tail: str) -> str | None:
    """`Mortality was lower, | but the difference was not significant`."""
    match = pattern("insignificance").search(tail)
    compares = word_set("comparison") & set(quote.lower().split())
    return match[0] if match and compares and not _SENTENCE_STOP.search(tail[: match.start()]) else None


def _predicate(before: str, clause: str, tail: str) -> str | None:
    """Return what the clause denies of a quote that has no verb and is its subject."""
    match = _denying_predicate().search(clause) or _SECOND_PREDICATE.search(tail)
    if match is None or ": " in tail[: match.start()] or has_verb(_CLAUSE_START.split(before)[-1]):
        return None
    gap = tail[: match.start()]
    # `pain | that is not relieved`: the clause tells which pain, and does not deny it.
    if _RELATIVE.search(gap) or "that" in gap.split():
        return None
    same_subject = re.search(r"(?:\band|\bor|\bbut|\byet|,)\s*$", gap) is not None
    if has_verb(gap) and not same_subject:
        return None
    return match[0]


@cache
def _answer() -> re.Pattern[str]:
    words = pattern("answer").pattern
    return re.compile(rf"\W{{0,3}}(?:[:=\u2013\u2014\u2192>-]+\s*|\(\s*|\?\s*){words}|\s*\((?:-|\u2013|\u2212|\?+)\)")


@cache
def _next_word() -> re.Pattern[str]:
    return re.compile(rf"\W{{0,2}}(?:\w+ly |even |yet |also |always )?({pattern('beside').pattern})")


@cache
def _refuting_predicate() -> re.Pattern[str]:
    return re.compile(rf"\b{_AUXILIARY}(?: \w+)?(?:n't)? {pattern('refuted').pattern}")


@cache
def _refuting_apposition() -> re.Pattern[str]:
    refuted = pattern("refuted").pattern
    return re.compile(
        r"(?:\b(?:but|though|although|however|which|yet|and)\b|[,;:\u2014(-])\W*(?:\w+ )?(?:this|that|it|which|a|an)\b"
        rf"[^.;]{{0,40}}?{refuted}|\(\s*(?:now |since |later )?{refuted}"
        rf"|[,;:\u2014]\s*(?:an?|the)? ?(?:\w+ )?{pattern('opinion').pattern}"
        r"[^.;]{0,60}\b(?:not|never|nobody|no one|none|no|fail(?:s|ed)?|\w+n't)\b"
        r"|\b(?:nobody|no one|none|few) (?:\w+ )?(?:believes?|accepts?|holds?|thinks?|teach(?:es)?)\b"
    )


@cache
def _denying_predicate() -> re.Pattern[str]:
    predicate = pattern("predicate").pattern
    return re.compile(
        rf"\b(?:{_AUXILIARY}(?: (?!{_PREPOSITION})\w+){{0,3}}? (?:not|never|hardly|rarely|no longer|{predicate})"
        r"|cannot|\w+n't|(?:lack|fail)(?:s|ed)?|(?:has|have|had) (?:no|little|never)|no longer)(?!\w)"
    )
