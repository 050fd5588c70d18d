"""Knowledge sources and relevance scorers of other packages behind the guard that they are called through."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from tracejury.retrieval.records import Document, Source
from tracejury.traces import Guarded, Plugin, Problem

if TYPE_CHECKING:
    from tracejury.retrieval.relevance import Scorer


class GuardedSource(Guarded):
    """A knowledge source of another package.

    A fault ends the build, and the index stays as it was: half a source must not take the place of a whole one.
    """

    def documents(self) -> Iterator[Document | Problem]:
        """Yield its documents.

        Raises:
            PluginError: It raised, took too long, or yielded something else.
        """
        documents = self.call(lambda: self._instance.documents())
        for item in self.items(documents):
            if not isinstance(item, Document | Problem):
                raise self.plugin.fault(f"it yielded {type(item).__name__}, which is no Document or Problem")
            yield item


class GuardedScorer(Guarded):
    """A relevance scorer of another package."""

    def score(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """Score the pairs.

        Raises:
            PluginError: It raised, took too long, or its answer is not one finite number a pair.
        """
        scores = self.call(lambda: [float(score) for score in self._instance.score(pairs)])
        if len(scores) != len(pairs) or not all(map(math.isfinite, scores)):
            raise self.plugin.fault(
                f"it returned {len(scores)} scores for {len(pairs)} pairs, or one that is no number"
            )
        return scores


def guard_source(source: Source, plugin: Plugin) -> Source:
    """Return the source behind its guard."""
    guarded: Any = GuardedSource(source, plugin)
    return guarded  # type: ignore[no-any-return]


def guard_scorer(scorer: Scorer, plugin: Plugin) -> Scorer:
    """Return the scorer behind its guard."""
    guarded: Any = GuardedScorer(scorer, plugin)
    return guarded  # type: ignore[no-any-return]
