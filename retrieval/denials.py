"""What a sentence denies, and whether that fits a claim: a finding that is denied needs a denial, silence is none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import NamedTuple

import Stemmer

from tracejury.retrieval.cues import Scope, cue_data, cues_in, folded, pattern, without_exempt, word_set
from tracejury.retrieval.scope import scope_end

_NOT = re.compile(r"not|\w+n't|cannot|never")
# A negative test is named in many ways (HBsAg, hepatitis B surface antigen): its result counts, whatever its name.
_NEGATIVE = re.compile(r"\bnegative\b(?! for)|\bnon-?reactive\b|\bnot detected\b")
_ITEMS = re.compile(r",|;|\b(?:and|or|nor|but)\b|/")


class Denial(NamedTuple):
    """One thing that a text denies: the words that do it, and the stems of what is denied."""

    cue: str
    stems: frozenset[str]
    is_finding: bool
    """Whether a finding is denied (`no fever`), and not a deed (`is not given`)."""


def denies(statement: str, claim: str) -> bool | None:
    """Whether a statement denies every finding that a claim denies.

    Args:
        statement: A sentence of evidence, as `read_statement` returns its text.
        claim: A checkable statement of a step.

    Returns:
        None where the claim denies no finding; True where the statement denies each of them in words; else False:
        a sentence that is silent about a fever does not support `no fever`.
    """
    negated = [d for d in denials(claim) if d.is_finding and d.stems]
    if not negated:
        return None
    denied = _stems_of(denials(statement))
    negative = _NEGATIVE.search(folded(statement)) is not None
    return all(len(d.stems & denied) * 2 > len(d.stems) or (negative and _NEGATIVE.search(d.cue)) for d in negated)


def denied_by(statement: str, claim: str) -> str | None:
    """Return the words by which a statement denies something that the claim affirms, or None."""
    affirmed = content_stems(claim) - _stems_of(denials(claim))
    return next((d.cue for d in denials(statement) if d.stems and d.stems <= affirmed), None)


def denials(text: str) -> Iterator[Denial]:
    """Yield what a text denies, item by item of a list."""
    plain = without_exempt(text)
    for cue in cues_in(text):
        word = folded(cue.words)
        if cue.scope is Scope.HEDGE or not pattern("denial").fullmatch(word):
            continue
        reach = plain[cue.end : max(cue.end, scope_end(text, cue))]
        finding = not _NOT.fullmatch(word) or _has().match(reach) is not None
        for item in _ITEMS.split(reach):
            yield Denial(cue.words, content_stems(item), finding)
    for match in _found_absent().finditer(plain):
        for item in _ITEMS.split(match["subject"]):
            yield Denial(match[0], content_stems(item), is_finding=True)
    for word, finding_word in cue_data()["without"].items():
        if re.search(rf"\b{word}\b", plain):
            yield Denial(word, content_stems(finding_word), is_finding=True)


@lru_cache(maxsize=1024)
def content_stems(text: str) -> frozenset[str]:
    """Return the stems of a text's content words."""
    words = [w for w in re.findall(r"[^\W_]+", folded(text)) if w not in word_set("small")]
    clear = [w for w in words if w not in word_set("vague")]
    return frozenset(_stemmer().stemWords(clear or words))


def _stems_of(denied: Iterator[Denial]) -> frozenset[str]:
    return frozenset().union(*(d.stems for d in denied))


@cache
def _has() -> re.Pattern[str]:
    return re.compile(r"\s*(?:any |a |an |currently |really |\w+ly )*" + pattern("has").pattern)


@cache
def _found_absent() -> re.Pattern[str]:
    return re.compile(
        r"\b(?P<subject>[\w-]+(?: (?:of |and |or |on |in |to )?[\w-]+){0,4}?)"
        r"(?:\s*[:(-]+\s*| (?:is|are|was|were|has been|have been)(?: \w+ly)? )" + pattern("found_absent").pattern
    )


@cache
def _stemmer() -> Stemmer.Stemmer:
    return Stemmer.Stemmer("english")
