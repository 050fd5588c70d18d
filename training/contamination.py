"""Find training questions that repeat an evaluation question, by words and by meaning.

Words: share of a question's 8-word sequences that stand in one evaluation question. Among MedQA's 1,273 test
questions 10 reach 0.3 with another one, and all that were read are the same vignette reused; the next has 0.24.
Meaning: cosine of the stems' MiniLM embeddings; on half of 1,000 MedQA stems the lowest threshold that called at most
1 % of nearest other questions the same was 0.82. On the other half it calls 1.4 % so, and finds 98 to 100 % of copies
altered in one way and 92 % of those altered in all (benchmarks/contamination.py).
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from tracejury.traces import Question

if TYPE_CHECKING:
    from tracejury.models import Embedder

NGRAM = 8
NGRAM_SHARE = 0.3
COSINE = 0.82
EMBEDDED_AT_ONCE = 256
_WORD = re.compile(r"[a-z0-9]+")


class Overlap(NamedTuple):
    """A training question and the evaluation question that it is too close to."""

    training: Question
    evaluation: Question
    by: str
    score: float

    def summary(self) -> dict[str, Any]:
        """Return the pair as a manifest or a message shows it."""
        return {
            "training": self.training.key or self.training.id,
            "evaluation": self.evaluation.key or self.evaluation.id,
            "by": self.by,
            "score": round(self.score, 3),
            "stem": self.training.stem[:80],
        }


def find_overlaps(
    training: Iterable[Question],
    evaluation: Sequence[Question],
    embedder: Embedder | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Overlap]:
    """Return for each training question that is too close to an evaluation question the closest one, by one measure.

    Args:
        training: The questions that a student would learn from.
        evaluation: The questions that it will be examined on.
        embedder: Embeds the stems for the measure by meaning; None: words alone.
        progress: Receives (number of stems embedded, number of stems): an embedder on a CPU takes an hour for 200,000.
    """
    if not evaluation:
        return []
    questions = list(training)
    overlaps: dict[str, Overlap] = {}
    by_id = {q.id: q for q in evaluation}
    holders: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for question in evaluation:
        for gram in _ngrams(question):
            holders[gram].add(question.id)
    for question in questions:
        if question.id in by_id:
            overlaps[question.id] = Overlap(question, by_id[question.id], "same question", 1.0)
            continue
        grams = _ngrams(question)
        shared = Counter(holder for gram in grams for holder in holders.get(gram, ()))
        if grams and shared:
            closest, count = shared.most_common(1)[0]
            if count / len(grams) >= NGRAM_SHARE:
                overlaps[question.id] = Overlap(question, by_id[closest], "n-grams", count / len(grams))
    rest = [q for q in questions if q.id not in overlaps]
    if embedder is not None and rest:
        examined = embedder.embed([q.stem for q in evaluation]).T
        for start in range(0, len(rest), EMBEDDED_AT_ONCE):
            progress(start, len(rest))
            part = rest[start : start + EMBEDDED_AT_ONCE]
            cosines = embedder.embed([q.stem for q in part]) @ examined
            for question, row in zip(part, cosines, strict=True):
                nearest = int(row.argmax())
                if row[nearest] >= COSINE:
                    overlaps[question.id] = Overlap(question, evaluation[nearest], embedder.name, float(row[nearest]))
    return [overlaps[q.id] for q in questions if q.id in overlaps]


def _ngrams(question: Question) -> set[tuple[str, ...]]:
    words = _WORD.findall(question.stem.lower())
    return {tuple(words[i : i + NGRAM]) for i in range(len(words) - NGRAM + 1)} or ({tuple(words)} if words else set())
