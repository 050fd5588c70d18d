"""Finding passages for queries: batched, over several sources."""

from __future__ import annotations

from collections.abc import Sequence

from tracejury.retrieval.index import Index
from tracejury.retrieval.leaks import withhold
from tracejury.retrieval.records import Finding, Hit, Query


class Finder:
    """Finds passages in an index. One finder serves all threads; queries asked together cost less.

    Args:
        index: An opened index.
        sources: Names of indexed sources; none means all.
        k: Passages a query.
        fusion: Dense and BM25 fused; false: dense alone.
    """

    def __init__(self, index: Index, sources: Sequence[str] = (), k: int = 5, fusion: bool = True) -> None:
        self.index = index
        self.k = k
        self.fusion = fusion
        self.sources = tuple(sources) or tuple(sorted(index.manifest().sources))
        for name in self.sources:
            index.entry(name)

    def find(self, queries: Sequence[Query]) -> list[Finding]:
        """Find passages.

        Returns:
            One finding a query, in order.
        """
        if not queries:
            return []
        vectors = self.index.embedder.embed([q.text for q in queries])
        pools: list[list[Hit]] = [[] for _ in queries]
        for source in self.sources:
            rows = self.index.nearest(source, vectors, self.k)
            passages = self.index.passages(source, (i for row in rows for i, _ in row))
            for pool, query, row in zip(pools, queries, rows, strict=True):
                pool.extend(Hit(passage=passages[i], score=score, query=query.text) for i, score in row)
        found = []
        for query, pool in zip(queries, pools, strict=True):
            pool.sort(key=lambda hit: (-hit.score, hit.passage.id))
            shown, withheld = withhold(query, pool)
            hits = tuple(h.model_copy(update={"ranks": {"dense": n}}) for n, h in enumerate(shown[: self.k], 1))
            found.append(Finding(hits=hits, withheld=tuple(withheld)))
        return found
