"""Scorers of relevance: how much a quote bears on a claim."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from tracejury.retrieval.embedders import open_embedder
from tracejury.retrieval.guarded import guard_scorer
from tracejury.traces import Contract, Registry

if TYPE_CHECKING:
    from tracejury.models import Embedder


class Scorer(Protocol):
    """Scores pairs. Entry point group `tracejury.scorers`; the entry is a factory `(**params) -> Scorer`."""

    name: str

    def score(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """Score (claim, quote) pairs; higher means that the quote bears more on the claim."""
        ...


SCORER = Contract({"name": str}, "score", arguments=1)
scorers: Registry[Scorer] = Registry("tracejury.scorers", "relevance scorer", SCORER, guard_scorer)


def relevance(name: str = "cosine", /, **params: object) -> Scorer:
    """Return the scorer registered as `name`."""
    return scorers.make(name, **params)


class Cosine:
    """The cosine of the two embeddings. Its floor is measured with `benchmarks/retrieval.py floor`."""

    name = "cosine"

    def __init__(self, embedder: str | Embedder = "minilm") -> None:
        if isinstance(embedder, str):
            embedder = open_embedder(embedder)
        self._embedder = embedder

    def score(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """Score (claim, quote) pairs, from -1 to 1. A text that comes up twice is embedded once."""
        if not pairs:
            return []
        texts = list(dict.fromkeys(text for pair in pairs for text in pair))
        vectors = self._embedder.embed(texts)
        row = {text: i for i, text in enumerate(texts)}
        return [float(vectors[row[claim]] @ vectors[row[quote]]) for claim, quote in pairs]
