"""What every page needs at hand: the ledger, its readers, and the cached results."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, TypeVar

from tracejury.console.viewer.stale_cache import StaleWhileRevalidateCache
from tracejury.ledger import (
    Browsing,
    CitedEvidence,
    Ledger,
    Notes,
    PurposeSpending,
    Reviews,
    Run,
    RunProgress,
    StepBrowsing,
    StepFilter,
    StepLists,
    StepPage,
    TraceFilter,
    TracePage,
    VotePattern,
    spending_by_purpose,
)
from tracejury.reports import ordered_arms
from tracejury.storage import DataVersion

T = TypeVar("T")


@dataclass
class LedgerView:
    """The ledger's readers and their cache; a process makes one."""

    ledger: Ledger
    patience_s: float = 0.2
    """A page waits this long for a figure that takes long at a million steps, and says that it is coming."""

    def __post_init__(self) -> None:
        self.cache = StaleWhileRevalidateCache(DataVersion(self.ledger.engine).read)
        self.traces = Browsing(self.ledger)
        self.steps = StepBrowsing(self.ledger)
        self.reviews = Reviews(self.ledger)
        self.step_lists = StepLists(self.ledger)
        self.notes = Notes(self.ledger)

    def progress(self, run: Run) -> RunProgress:
        """Return how many of the run's traces are done, and its outcomes so far."""
        return self.cache.get(("progress", run.id), lambda: self.traces.progress(run))

    def arm_names(self, run: Run) -> list[str]:
        """Return the run's arms, the baseline first."""
        return ordered_arms(
            count.arm for count in self.cache.get(("arm counts", run.id), lambda: self.traces.arms(run))
        )

    def patterns(self, run: Run) -> list[VotePattern]:
        """Return the patterns of votes."""
        return self.cache.get(("patterns", run.id), lambda: self.steps.patterns(run))

    def references(self, run: Run) -> list[CitedEvidence]:
        """Return the references that carried verdicts."""
        return self.cache.get(("references", run.id), lambda: self.steps.references(run))

    def listed(self, run: Run, filters: TraceFilter) -> TracePage:
        """Return one page of the list of traces."""
        key = ("listed", run.id, filters.model_dump_json())
        return self.cache.get(key, lambda: self.traces.traces(run, filters))

    def steps_listed(self, run: Run, filters: StepFilter) -> StepPage:
        """Return one page of the list of steps."""
        key = ("steps", run.id, filters.model_dump_json())
        return self.cache.get(key, lambda: self.step_lists.page(run, filters))

    def spending(self, run: Run) -> list[PurposeSpending] | None:
        """Return what the run paid for by purpose; None while a large run is being summed up for the first time."""
        return self.soon(("spending", run.id), lambda: spending_by_purpose(self.ledger, run))

    def soon(self, key: tuple[Any, ...], compute: Callable[[], T], state: Hashable = None) -> T | None:
        """Return a cached result, or None while it is computed for the first time; `state` as the cache takes it."""
        return self.cache.get_soon(key, compute, self.patience_s, state)
