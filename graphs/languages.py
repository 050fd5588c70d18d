"""How many traces of a run are in which language, counted before the first call."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import lru_cache

from tracejury.traces import ENGLISH, Batch, Trace, language_of, other_language

_QUESTIONS = 4_096
"""Questions whose language is remembered: samples and arms of one question stand near each other."""


def languages_of(batch: Batch, traces: Iterable[Trace]) -> dict[str, int]:
    """Return language other than English -> traces that are in it, or whose question is; the most frequent first."""

    @lru_cache(maxsize=_QUESTIONS)
    def of_question(question_id: str) -> str | None:
        question = batch.question(question_id)
        return None if question is None else other_language(question.stem)

    counts: Counter[str] = Counter()
    for trace in traces:
        language = language_of(trace.text)
        if language in (None, ENGLISH):
            language = of_question(trace.question_id)
        if language is not None:
            counts[language] += 1
    return dict(counts.most_common())
