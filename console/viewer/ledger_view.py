"""What every page needs at hand: the ledger, its readers, and the cached results."""

from __future__ import annotations

from dataclasses import dataclass, field

from tracejury.console.viewer.stale_cache import StaleWhileRevalidateCache
from tracejury.ledger import (
    Browsing,
    CitedEvidence,
    Ledger,
    Reviews,
    Run,
    RunProgress,
    StepBrowsing,
    TraceFilter,
    TracePage,
    VotePattern,
)


@dataclass
class LedgerView:
    """The ledger's readers and their cache; a process makes one."""

    ledger: Ledger
    cache: StaleWhileRevalidateCache = field(default_factory=StaleWhileRevalidateCache)

    def __post_init__(self) -> None:
        self.traces = Browsing(self.ledger)
        self.steps = StepBrowsing(self.ledger)
        self.reviews = Reviews(self.ledger)

    def progress(self, run: Run) -> RunProgress:
        """Return how many of the run's traces are done, and its outcomes so far."""
        return self.cache.get(("progress", run.id), lambda: self.traces.progress(run))

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
