"""Finding passages for queries: batched, over several sources, dense and BM25 fused, guarded against leaks."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping, Sequence
from typing import Literal

from tracejury.retrieval.embedders import embed_queries
from tracejury.retrieval.expansion import Expansion
from tracejury.retrieval.fusion import choose, fuse, is_later, take_in_turn
from tracejury.retrieval.index import Index
from tracejury.retrieval.leaks import withhold
from tracejury.retrieval.records import ClaimQuery, Finding, Hit, Passage, Query
from tracejury.retrieval.rerank import Reranker, open_reranker

_RERANKED = 30
_VOCABULARIES = ("hpo", "icd10cm")
"""Indexed sources whose synonyms widen the queries even where a panel takes no passages from them."""


class Finder:
    """Finds passages in an index. One finder serves all threads; queries asked together cost less.

    Args:
        index: An opened index.
        sources: Names of indexed sources; none means all.
        k: Passages a query.
        fusion: Dense and BM25, fused by reciprocal ranks; false: one of them alone.
        finder: Which one, without fusion.
        expand: Add what abbreviations stand for, and other names that a source knows, to the words that BM25 sees.
        per_document: Passages of one document at most.
        quotas: Source -> passages at most.
        superseded: Passages that something supersedes come after all others, are dropped, or as they come.
        since: ISO date or year; what is dated before it is dropped.
        rerank: A cross-encoder: see `tracejury.retrieval.open_reranker`.
        depth: How many each finder brings before they are fused.

    Raises:
        UnknownNameError: A source is not indexed; the message says how to build it.
        ValueError: `since` is no date.
    """

    def __init__(
        self,
        index: Index,
        sources: Sequence[str] = (),
        k: int = 5,
        fusion: bool = True,
        *,
        finder: Literal["dense", "bm25"] = "dense",
        expand: bool = True,
        per_document: int = 2,
        quotas: Mapping[str, int] | None = None,
        superseded: Literal["last", "drop", "keep"] = "last",
        since: str | None = None,
        rerank: str | Reranker | None = None,
        depth: int = 50,
    ) -> None:
        self.index = index
        self.k = k
        self.sources = tuple(sources) or tuple(sorted(index.manifest().sources))
        for name in self.sources:
            index.entry(name)
        self._finders = ("dense", "bm25") if fusion else (finder,)
        self._depth = max(depth, k)
        self._per_document, self._quotas = per_document, dict(quotas or {})
        if since is not None and not re.fullmatch(r"\d{4}(-\d{2}(-\d{2})?)?", str(since)):
            raise ValueError(f"since={since!r}: write a year or an ISO date, such as 2015 or 2015-06-30")
        self._superseded, self._since = superseded, None if since is None else str(since)
        # Rules that drop passages need more to choose from.
        self._pool = 2 * self._depth if since or quotas or superseded == "drop" else max(4 * k, _RERANKED)
        self._expands = expand
        self._expansion: Expansion | None = None
        self._reranker = open_reranker(rerank) if isinstance(rerank, str) else rerank
        self._lock = threading.Lock()

    def find(self, queries: Sequence[Query], k: int | None = None) -> list[Finding]:
        """Find passages.

        Args:
            queries: What to look for.
            k: Passages a query; None: as many as the finder was made for.

        Returns:
            One finding a query, in order: at most `k` hits, best first, and what was withheld. The claims of a query
            take turns: the best passage of each, then the second of each, so that none takes the others' room.
        """
        parts = [[_part(query, claim) for claim in query.claims] or [query] for query in queries]
        ranked = iter(self._ranked([part for row in parts for part in row]))
        most = self.k if k is None else k
        return [self._finding([next(ranked) for _ in row], most) for row in parts]

    def _ranked(self, queries: Sequence[Query]) -> list[Finding]:
        """Return for each query all candidates, best first, before the rules choose among them."""
        if not queries:
            return []
        rankings: list[dict[str, list[str]]] = [{} for _ in queries]
        sources: dict[str, str] = {}
        for name in self._finders:
            merged = self._dense(queries) if name == "dense" else self._bm25(queries)
            for ranking, row in zip(rankings, merged, strict=True):
                ranking[name] = [passage_id for passage_id, _, _ in row]
                sources |= {passage_id: source for passage_id, source, _ in row}
        fused = [fuse(ranking)[: self._pool] for ranking in rankings]
        passages = self._fetch(sources, [i for row in fused for i, _, _ in row])
        return [self._candidates(query, row, passages) for query, row in zip(queries, fused, strict=True)]

    def _candidates(
        self, query: Query, row: Sequence[tuple[str, float, dict[str, int]]], passages: Mapping[str, Passage]
    ) -> Finding:
        claims = tuple(c.claim for c in query.claims)
        hits = [
            Hit(
                passage=passages[i],
                score=score,
                query=query.text,
                ranks=ranks,
                claims=claims,
                is_later=is_later(passages[i].date, query.date),
            )
            for i, score, ranks in row
        ]
        allowed, withheld = withhold(query, hits)
        if self._reranker is not None:
            allowed = self._reranked(self._reranker, query, allowed)
        return Finding(hits=tuple(allowed), withheld=tuple(withheld))

    def _finding(self, parts: Sequence[Finding], k: int) -> Finding:
        withheld = {w.passage_id: w for part in parts for w in part.withheld}
        chosen = choose(
            take_in_turn([part.hits for part in parts]),
            k,
            per_document=self._per_document,
            quotas=self._quotas,
            superseded=self._superseded,
            since=self._since,
        )
        return Finding(hits=tuple(chosen), withheld=tuple(withheld.values()))

    def _reranked(self, reranker: Reranker, query: Query, hits: list[Hit]) -> list[Hit]:
        head, tail = hits[:_RERANKED], hits[_RERANKED:]
        scores = reranker.score([(query.step or query.text, f"{h.passage.title}\n{h.passage.text}") for h in head])
        order = sorted(range(len(head)), key=lambda i: (-scores[i], i))
        # The rest keeps its order below the reranked, on a scale of its own.
        floor = min(scores, default=0.0) - 1
        return [
            head[i].model_copy(update={"score": scores[i], "ranks": head[i].ranks | {"rerank": n}})
            for n, i in enumerate(order, 1)
        ] + [h.model_copy(update={"score": floor + h.score}) for h in tail]

    def _dense(self, queries: Sequence[Query]) -> list[list[tuple[str, str, float]]]:
        vectors = embed_queries(self.index.embedder, [q.text for q in queries])
        return self._merged([(s, self.index.nearest(s, vectors, self._depth)) for s in self.sources], len(queries))

    def _bm25(self, queries: Sequence[Query]) -> list[list[tuple[str, str, float]]]:
        texts = [self._expanding().expand(q.text) if self._expands else q.text for q in queries]
        return self._merged([(s, self.index.lexical(s).search(texts, self._depth)) for s in self.sources], len(queries))

    def _merged(
        self, by_source: Sequence[tuple[str, list[list[tuple[str, float]]]]], n: int
    ) -> list[list[tuple[str, str, float]]]:
        rows: list[list[tuple[str, str, float]]] = [[] for _ in range(n)]
        for source, rankings in by_source:
            for row, pairs in zip(rows, rankings, strict=True):
                row.extend((passage_id, source, score) for passage_id, score in pairs)
        return [sorted(row, key=lambda hit: (-hit[2], hit[0]))[: self._depth] for row in rows]

    def _fetch(self, sources: Mapping[str, str], ids: Sequence[str]) -> dict[str, Passage]:
        by_source: dict[str, list[str]] = {}
        for passage_id in ids:
            by_source.setdefault(sources[passage_id], []).append(passage_id)
        passages: dict[str, Passage] = {}
        for source, wanted_ids in by_source.items():
            passages |= self.index.passages(source, wanted_ids)
        return passages

    def _expanding(self) -> Expansion:
        with self._lock:
            if self._expansion is None:
                indexed = self.index.manifest().sources
                vocabularies = [name for name in _VOCABULARIES if name in indexed and name not in self.sources]
                self._expansion = Expansion(self.index.aliases(s) for s in (*self.sources, *vocabularies))
            return self._expansion


def _part(query: Query, claim: ClaimQuery) -> Query:
    return query.model_copy(update={"text": claim.text, "claims": (claim,)})
