"""What undecided claims are about, in words that a reader can look for in another reference."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from tracejury.retrieval import content_stems
from tracejury.traces import Record

_WORD = re.compile(r"[^\W\d_]+(?:[-'][^\W_]+)*")
_COMMON_SHARE = 0.1
"""A word in the claims of more than this share of the questions, and of three, is no topic: `choice`, `patient`."""
_SHORTEST = 4
_MOST = 15


class MissingTopic(Record):
    """A term of undecided claims."""

    term: str
    claims: int
    questions: int
    is_named: bool
    """Whether a passage that was found for one of the claims has the term: the references speak of it and decide
    nothing. Else no passage does: another source is needed."""


class SearchedClaim(NamedTuple):
    """A claim, the texts of the passages that were found for it, and whether a sentence of theirs decides it."""

    question: str
    text: str
    passages: tuple[str, ...]
    is_decided: bool


def missing_topics(claims: Sequence[SearchedClaim]) -> tuple[MissingTopic, ...]:
    """Name what undecided claims are about.

    A term is a run of neighbouring words that the claims of few questions use, and the passages found for few. Those
    that no passage names come first; then those that come back in more claims than questions, since a topic comes back
    within its question and a common word is spread.
    """
    questions_of: dict[str, set[str]] = defaultdict(set)
    passages_of: dict[str, set[str]] = defaultdict(set)
    for claim in claims:
        for stem in content_stems(claim.text):
            questions_of[stem].add(claim.question)
        for word in {word for text in claim.passages for word in _words(text)}:
            passages_of[word].add(claim.question)
    most = max(3, round(_COMMON_SHARE * len({claim.question for claim in claims})))

    def is_specific(word: str) -> bool:
        stems = content_stems(word)
        is_rare = all(len(questions_of[stem]) <= most for stem in stems) and len(passages_of[word]) <= most
        return len(word) >= _SHORTEST and bool(stems) and is_rare

    undecided: dict[str, list[SearchedClaim]] = defaultdict(list)
    for claim in claims:
        if not claim.is_decided:
            for term in dict.fromkeys(_terms(claim.text, is_specific)):
                undecided[term].append(claim)
    topics = [
        MissingTopic(
            term=term,
            claims=len(of_term),
            questions=len({claim.question for claim in of_term}),
            is_named=any(f" {term} " in f" {' '.join(_words(text))} " for claim in of_term for text in claim.passages),
        )
        for term, of_term in undecided.items()
    ]
    topics.sort(key=lambda topic: (topic.is_named, topic.questions - topic.claims, topic.term))
    absent = [topic for topic in topics if not topic.is_named][:_MOST]
    return (*absent, *[topic for topic in topics if topic.is_named][:_MOST])


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _terms(text: str, is_specific: Callable[[str], bool]) -> Iterator[str]:
    """Yield the runs of specific words, in small letters."""
    run: list[str] = []
    end = 0
    for match in _WORD.finditer(text):
        word = match[0].lower()
        fits = is_specific(word)
        if run and (not fits or text[end : match.start()].strip()):
            yield " ".join(run)
            run = []
        if fits:
            run.append(word)
        end = match.end()
    if run:
        yield " ".join(run)
