"""What undecided claims are about, in words that a reader can look for in another reference."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
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


class UndecidedClaim(NamedTuple):
    """A claim that no sentence decides, and the texts of the passages that were found for it."""

    question: str
    text: str
    passages: tuple[str, ...]


def missing_topics(
    undecided: Iterable[UndecidedClaim], all_claims: Iterable[tuple[str, str]]
) -> tuple[MissingTopic, ...]:
    """Name what undecided claims are about.

    A term is a run of neighbouring words that few questions use; those that no passage names come first, then those of
    many questions and claims.

    Args:
        undecided: Claims without a deciding sentence.
        all_claims: (question, text) of all claims, decided or not: they tell which words are common.
    """
    questions_of: dict[str, set[str]] = defaultdict(set)
    for question, text in all_claims:
        for stem in content_stems(text):
            questions_of[stem].add(question)
    in_all = len({question for questions in questions_of.values() for question in questions})
    most = max(3, round(_COMMON_SHARE * in_all))
    specific = {stem for stem, questions in questions_of.items() if len(questions) <= most}

    claims_of: dict[str, list[UndecidedClaim]] = defaultdict(list)
    for claim in undecided:
        for term in dict.fromkeys(_terms(claim.text, specific)):
            claims_of[term].append(claim)
    topics = [
        MissingTopic(
            term=term,
            claims=len(claims),
            questions=len({claim.question for claim in claims}),
            is_named=any(term in " ".join(_WORD.findall(text.lower())) for claim in claims for text in claim.passages),
        )
        for term, claims in claims_of.items()
    ]
    topics.sort(key=lambda topic: (topic.is_named, -topic.questions, -topic.claims, topic.term))
    absent = [topic for topic in topics if not topic.is_named][:_MOST]
    return (*absent, *[topic for topic in topics if topic.is_named][:_MOST])


def _terms(text: str, specific: set[str]) -> Iterable[str]:
    """Yield the runs of specific words, in small letters."""
    run: list[str] = []
    end = 0
    for match in _WORD.finditer(text):
        word = match[0].lower()
        stems = content_stems(word)
        is_specific = len(word) >= _SHORTEST and bool(stems) and stems <= specific
        if run and (not is_specific or text[end : match.start()].strip()):
            yield " ".join(run)
            run = []
        if is_specific:
            run.append(word)
        end = match.end()
    if run:
        yield " ".join(run)
