"""Whether a claim only restates the vignette or an earlier step: the same words, figures and denials in one place.

A claim that is taken for a restatement is left out of the verdict, so doubt speaks against it: a phrase must stand in
the place as it stands in the claim, and what a list names must hang on the same verb.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from tracejury.agents.claims.verbs import finite_verbs
from tracejury.agents.claims.vocabulary import word_list
from tracejury.agents.claims.words import Qualifiers, content_words, negations, qualifiers, stem_of
from tracejury.agents.records import ContextStep
from tracejury.traces import split_sentences

_REPORTING = frozenset(map(stem_of, word_list("reporting")))
_PERSONS = frozenset(map(stem_of, word_list("persons")))
_PHRASE = re.compile(r"[,;:()]|\b(?:and|or|as well as|with|who|which|that|nor|along|plus)\b", re.I)
_SCOPE_ENDS = re.compile(
    r"[.;:!?]|\b(?:but|however|although|though|except|yet|and (?:has|is|was|shows|reports|he|she|the))\b", re.I
)
_DENIED_BEFORE = re.compile(r"\b(?:is|are|was|were)\s+(?:absent|negative|not present|denied|ruled out|excluded)", re.I)
_GAP = 1
"""Words of content of the place that may stand between two neighbours of a phrase."""


class _Place(NamedTuple):
    words: tuple[str, ...]
    denied: tuple[bool, ...]
    verbs: tuple[int, ...]
    """Word counts before each finite verb and each end of a sentence: what a list may not reach across."""
    having: tuple[int, ...]
    """The same without forms of `have`: `a man with pain` is `a man has had pain`."""
    qualifiers: Qualifiers
    stems: frozenset[str]
    free: frozenset[str]
    """Words that a claim may add or move; they are not among `words`."""


def restated_by(claim: str, stem: str, context: Sequence[ContextStep]) -> str | None:
    """Return `vignette` or `step:N` where the claim says nothing beyond it; None where it does.

    A place is a sentence or two neighbours, of the vignette or of one earlier step; questions are none.
    """
    claim_stems = {w.stem for w in content_words(claim)} - _REPORTING
    if not claim_stems:
        return None
    ours = qualifiers(claim)
    for name, text in (("vignette", stem), *((f"step:{c.index}", c.text) for c in context)):
        if any(
            claim_stems <= p.stems and _same_qualifiers(ours, p.qualifiers) and _restates(claim, p)
            for p in _places(text)
        ):
            return name
    return None


@lru_cache(maxsize=1024)
def _places(text: str) -> tuple[_Place, ...]:
    cut = [text[s.start : s.end] for s in split_sentences(text)]
    stated = [s for s in cut if not s.rstrip().endswith("?")]
    return tuple(_place(" ".join(stated[i : i + size])) for size in (1, 2) for i in range(len(stated) - size + 1))


def _place(text: str) -> _Place:
    every = content_words(text)
    stems = frozenset(w.stem for w in every)
    # `The man is 66 years old` is `a 66-year-old man`, unless a second person in the place makes the order count.
    free = _REPORTING | _PERSONS if len(_PERSONS & stems) == 1 else _REPORTING
    denials = _denied(text)
    words = [w for w in every if w.stem not in free]
    ends = [m.start() for m in re.finditer(r"[.;!?](?=\s|$)", text)]
    verbs = finite_verbs(text)

    def counts(positions: Iterable[int]) -> tuple[int, ...]:
        return tuple(sum(word.start < at for word in words) for at in positions)

    return _Place(
        words=tuple(w.stem for w in words),
        denied=tuple(denial for w, denial in zip(every, denials, strict=True) if w.stem not in free),
        verbs=counts([*ends, *(a for a, _ in verbs)]),
        having=counts([*ends, *(a for a, b in verbs if text[a:b].lower() not in ("has", "had", "have"))]),
        qualifiers=qualifiers(text),
        stems=stems,
        free=free,
    )


def _denied(text: str) -> tuple[bool, ...]:
    """Say of each word of content whether it stands in the scope of a negation."""
    words = content_words(text)
    scopes = []
    for start, end in negations(text):
        begins = max((m.end() for m in _SCOPE_ENDS.finditer(text, 0, start)), default=0)
        closing = _SCOPE_ENDS.search(text, end)
        scopes.append(
            (
                begins if _DENIED_BEFORE.search(text, max(0, start - 6), end) else start,
                closing.start() if closing else len(text),
            )
        )
    return tuple(any(a <= w.start < b for a, b in scopes) for w in words)


def _restates(claim: str, place: _Place) -> bool:
    denied = dict(zip([w.start for w in content_words(claim)], _denied(claim), strict=True))
    own = [w for w in content_words(claim) if w.stem not in place.free]
    if _runs([w.stem for w in own], [denied[w.start] for w in own], place):
        return True
    anchor = -1
    for offset, phrase, is_attribute in _phrases(claim):
        words = [w for w in content_words(phrase) if w.stem not in place.free]
        if not words:
            continue  # a person, `presents with`: nothing that could differ
        barriers = () if finite_verbs(phrase) else place.having if is_attribute else place.verbs
        denials = [denied[w.start + offset] for w in words]
        at = _find([w.stem for w in words], denials, place, -1 if finite_verbs(phrase) else anchor, barriers)
        if at < 0:
            return False
        anchor = max(anchor, at)
    return anchor >= 0


def _runs(words: Sequence[str], denied: Sequence[bool], place: _Place) -> bool:
    """Tell whether the words stand in the place one after the other, each denied as in the claim."""
    size = len(words)
    return size > 0 and any(
        place.words[i : i + size] == tuple(words) and place.denied[i : i + size] == tuple(denied)
        for i in range(len(place.words) - size + 1)
    )


def _same_qualifiers(ours: Qualifiers, theirs: Qualifiers) -> bool:
    return (
        not ours.numbers - theirs.numbers
        and ours.negations.total() <= theirs.negations.total()
        and not ours.comparisons - theirs.comparisons
        and not ours.modality - theirs.modality
        and ours.conditions.keys() == theirs.conditions.keys()
    )


def _phrases(claim: str) -> Iterator[tuple[int, str, bool]]:
    """Yield the phrases with their offsets, and whether one is an attribute: `with chest pain`."""
    at, free = 0, False
    for mark in _PHRASE.finditer(claim):
        yield at, claim[at : mark.start()], free
        at, free = mark.end(), mark[0].lower() == "with"
    yield at, claim[at:], free


def _find(words: list[str], denied: list[bool], place: _Place, anchor: int, barriers: Sequence[int]) -> int:
    """Return where a phrase stands in the place; -1 where it does not, or hangs on another verb than in the claim."""
    for first in (i for i, stem in enumerate(place.words) if stem == words[0]):
        at, matches = first, place.denied[first] == denied[0]
        for stem, negated in zip(words[1:], denied[1:], strict=True):
            window = range(at + 1, min(at + 2 + _GAP, len(place.words)))
            at = next((j for j in window if place.words[j] == stem and place.denied[j] == negated), -1)
            if at < 0:
                break
        if at < 0 or not matches:
            continue
        if anchor < 0 or (first >= anchor and not any(anchor < b <= first for b in barriers)):
            return at
    return -1
