"""Main clauses of a sentence: where it carries several statements, each with what qualifies it."""

from __future__ import annotations

import re
from typing import NamedTuple

from tracejury.agents.claims.verbs import begins_with_verb, finite_verbs, states
from tracejury.agents.claims.words import content_words
from tracejury.traces import Span


class Clause(NamedTuple):
    """A clause of a sentence; `subject` stands before it where it shares that of the clause before."""

    span: Span
    subject: Span | None = None


_LEADING = re.compile(
    r"(?:(?:however|therefore|thus|hence|consequently|accordingly|furthermore|moreover|additionally"
    r"|in addition|also|and|but|so"
    r"|then|yet|yes|overall|finally|similarly|likewise|in contrast|by contrast|conversely"
    r"|on the other hand|as a result"
    r"|for this reason|in conclusion|in summary|(?:as|like) (?:noted|mentioned|stated|discussed|described|shown|said)"
    r"(?: (?:above|earlier|before|previously))?|because|since|as(?! [a-z]+ as\b)|whereas|while|although"
    r"|though|even though|given that|that)"
    r"\b[\s,:]*)+",
    re.I,
)
_CUT = re.compile(
    r"(?P<stop>\s*;\s*)"
    r"|(?P<gloss>[\s,(\u2013\u2014-]+(?:i\.e\.|that is,|in other words)[\s,]*)"
    r"|(?P<cause>,?\s+(?:because(?! of)|as a result,)\s+|,\s+(?:as|given that)\s+|,?\s+(?P<since>since)\s+)"
    r"|(?P<infers>,\s+which\s+(?=(?:\w+ly\s)?(?:makes?|made|means?|meant|rules?|suggests?|indicates?"
    r"|implies|imply|supports?"
    r"|argues?|points?|explains?|favou?rs?|confirms?|excludes?|shows?)\b))"
    r"|(?P<result>,?\s+(?:and\s+)?(?:therefore|thus|hence|meaning that|meaning)[\s,]+"
    r"|,\s+(?:and\s+)?so\s+(?!that\b|much\b|many\b))"
    r"|(?P<contrast>,?\s+(?:whereas|even though|although|though)\s+|,?\s+while\s+|,\s+(?:but|yet)\s+|\s+but\s+)"
    r"|(?P<adds>,?\s+and\s+)"
    r"|(?P<dash>\s+[\u2013\u2014-]\s+|(?<=\w)\u2014(?=\w)|:\s+)"
    r"|(?P<comma>,\s+)"
    r"|(?P<bracket>\s*\((?=[^()]{12,}\)[\s.,;]*$))",
    re.I,
)
_CONDITION = re.compile(
    r"\b(?:if|unless|when|whenever|until|till|provided|providing|assuming|suppos\w+|once (?=the|an?\b|he"
    r"|she|it|they|\w+ (?:is|are|has|have))|in case|as long as|should (?:the|he|she|it))\b",
    re.I,
)
_ATTITUDE = re.compile(
    r"\b(?:suggest|indicat|believ|think|thought|possib|likely|unlikely|true|false|case|argu|assum|doubt"
    r"|claim|hypothes|impl"
    r"|mean|conclud|deni|deny|require|recommend|ensur)\w*\s+that\b",
    re.I,
)
_SCOPE = re.compile(
    r"\b(?:not only|neither|either|not just|rather than|between|no|not|never|without|nor)\b|n['\u2019]t\b", re.I
)
_CORRELATIVE = re.compile(r"\b(?:not only|neither|either|not just|between)\b", re.I)
_MODAL = re.compile(r"\b(?:may|might|can|could|should|must|would|will|shall|likely|unlikely|possibly|probably)\b", re.I)
_FOCUS = re.compile(
    r"\b(?:not|only|just|simply|merely|partly|mainly|perhaps|possibly|probably|precisely|especially)$", re.I
)
_SUBORDINATE = re.compile(
    r"(?:while|although|though|even though|because|since|as|whereas|given that|considering that)\s", re.I
)
_RELATIVE = re.compile(r"\b(?:that|which|who|whose|whom|where|to|what|how|whether)\W*$", re.I)
_WORD = re.compile(r"\w+")
_LONGEST_SUBJECT = 8
_LONGEST_SENTENCE = 1000
"""Characters; nobody writes a longer one, and a text made to stall the patterns stays in one claim."""


def clauses_of(text: str, sentence: Span) -> list[Clause]:
    """Cut a sentence, `text[sentence]`, into clauses that can be checked one by one.

    A cut needs a finite verb on both sides and a subject on the right, or one that carries over. No cut parts a
    condition, a negation, a modal word or a `that` from what stands in its scope. A text over 1,000 characters is one.
    """
    if sentence.end - sentence.start > _LONGEST_SENTENCE:
        return [Clause(sentence)]
    start = _past_leading(text, *sentence)
    subordinate = bool(_SUBORDINATE.match(text, sentence.start))
    clauses: list[Clause] = []
    subject: Span | None = None
    for mark in _CUT.finditer(text, start, sentence.end):
        if mark.start() <= start or not _flat(text, sentence.start, mark.start()):
            continue
        left, right = text[start : mark.start()], text[mark.end() : sentence.end]
        if subject is not None:
            left = f"{text[subject.start : subject.end]} {left}"
        shared = _shared_subject(text, start, subject, mark, right)
        if shared is None and not _parts(mark, left, right, subordinate):
            continue
        clauses.append(Clause(_trimmed(text, start, mark.start()), subject))
        start = mark.end() if shared else _past_leading(text, mark.end(), sentence.end)
        subject, subordinate = shared, bool(_SUBORDINATE.match(right))
    end = sentence.end
    if clauses and text[start - 1 : start] == "(":
        end = text.rindex(")", start, end)
    clauses.append(Clause(_trimmed(text, start, end), subject))
    return [c for c in clauses if content_words(text[c.span.start : c.span.end])]


def _parts(mark: re.Match[str], left: str, right: str, subordinate: bool) -> bool:
    kind = "cause" if mark["since"] else mark.lastgroup
    if not states(left) and not (kind == "cause" and content_words(left)):
        return False
    if kind == "infers":
        return not _CONDITION.search(left)
    if not _own_clause(right):
        return False
    if kind == "stop":
        return not re.match(r"(?:otherwise|else|if not|or)\b", right, re.I)
    if kind == "comma":
        return subordinate and not _CONDITION.search(left)
    if mark["since"] and "," not in mark[0] and _first_verb_is_past(right):
        return False  # `pain since he fell`: a time, not a reason
    if kind in ("cause", "gloss", "bracket"):
        return not _FOCUS.search(left.rstrip(" ,"))
    if _CONDITION.search(left):
        return False
    if kind == "adds":
        return not (
            _CONDITION.search(right)
            or _ATTITUDE.search(left)
            or _CORRELATIVE.search(left)
            or (_SCOPE.search(left) and re.search(r"\bthat\b", left))
        )
    return True


def _own_clause(right: str) -> bool:
    """Tell whether a text begins with a subject and its finite verb."""
    body = _LEADING.sub("", right, count=1) if _LEADING.match(right) else right
    verbs = finite_verbs(body[:160])
    if not verbs or begins_with_verb(body) or re.match(r"(?:not|nor)\b", body, re.I):
        return False
    before = body[: verbs[0][0]]
    if not _WORD.search(before):
        return False
    aside = re.sub(r",[^,]{1,30},", " ", before)
    return len(_WORD.findall(before)) <= 14 and not re.search(r"[;:]|,", aside) and not _RELATIVE.search(before)


def _first_verb_is_past(text: str) -> bool:
    start, end = finite_verbs(text)[0]
    return bool(re.search(r"(?:ed|was|were|had|did|began|came|fell|went|took)$", text[start:end], re.I))


def _shared_subject(text: str, start: int, subject: Span | None, mark: re.Match[str], right: str) -> Span | None:
    """Return the subject that a predicate shares with the clause before: `X causes A and increases B`."""
    left = text[start : mark.start()]
    if mark.lastgroup not in ("adds", "contrast") or not begins_with_verb(right):
        return None
    if not re.search(r"\b(?:and|but)\s+$", mark[0]) or any(
        p.search(left) for p in (_SCOPE, _CONDITION, _ATTITUDE, _MODAL)
    ):
        return None
    if _CONDITION.search(right) or re.search(r"[,;:()]", left) or _has_relative(left):
        return None
    if subject is not None:
        return subject
    verbs = finite_verbs(left)
    if not verbs:
        return None
    before = left[: verbs[0][0]].rstrip()
    words = _WORD.findall(before)
    return Span(start, start + len(before)) if 0 < len(words) <= _LONGEST_SUBJECT else None


def _has_relative(left: str) -> bool:
    return bool(re.search(r"\b(?:that|which|who|whose|where)\b", left, re.I))


def _flat(text: str, start: int, at: int) -> bool:
    """Tell whether no bracket or quotation mark is open at `at`."""
    before = text[start:at]
    return (
        before.count("(") <= before.count(")") and before.count('"') % 2 == 0 and before.count("[") <= before.count("]")
    )


def _past_leading(text: str, start: int, end: int) -> int:
    match = _LEADING.match(text, start, end)
    # `That is wrong`, `so far`: a connective is one only before something that states.
    return match.end() if match and states(text[match.end() : end]) and _own_clause(text[match.end() : end]) else start


def _trimmed(text: str, start: int, end: int) -> Span:
    while start < end and text[start] in " \n\t\r,;:":
        start += 1
    while end > start and text[end - 1] in " \n\t\r,;:":
        end -= 1
    return Span(start, end)
