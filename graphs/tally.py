"""The tally of a run: what it has done so far, as the console shows it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from tracejury.agents import Deliberation, Outcome
from tracejury.models import FailureReason
from tracejury.traces import Problem

_SUMMED = (
    "traces", "resumed", "empty", "steps", "outcomes", "no_claim", "calls", "cached", "prompt_tokens", "cached_tokens",
    "completion_tokens", "cost_usd", "problems", "failures", "estimated", "searches", "notices",
)  # fmt: skip


@dataclass
class RunTally:
    """What a run has done so far, in this process; the console reads it while the run goes on."""

    started: float = field(default_factory=time.monotonic)
    traces_total: int | None = None
    """Number of traces in the run; None while unknown."""
    traces: int = 0
    resumed: int = 0
    """Traces that an earlier process finished."""
    empty: int = 0
    """Traces without a step."""
    judged_before: int = 0
    """Steps that had a verdict in the ledger when the run was resumed; failed ones are judged again."""
    steps: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    no_claim: int = 0
    calls: int = 0
    cached: int = 0
    """Calls answered from the response cache."""
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float = 0.0
    problems: list[Problem] = field(default_factory=list)
    unanswered: Counter[str] = field(default_factory=Counter)
    """Of an offline run: purpose -> requests without an answer; their steps are left for the resume."""
    failures: Counter[str] = field(default_factory=Counter)
    """Reason -> opinions that failed for it."""
    failure_examples: dict[str, str] = field(default_factory=dict)
    """Reason -> the details of one such failure."""
    searches: int = 0
    """What judges looked up before they answered."""
    estimated: int = 0
    """Calls without a credible usage, whose tokens are estimates."""
    broken_judges: dict[str, str] = field(default_factory=dict)
    """Judge -> how it broke, the first time."""
    notices: list[str] = field(default_factory=list)
    """What the user should know of code of other packages; nothing failed for it."""
    interrupted: bool = False
    stop_reasons: list[str] = field(default_factory=list)
    """Why the run cannot go on: endpoints that refuse every call."""
    adaptations: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Endpoint name -> how its requests differ from the panel, because the endpoint refused what the panel says."""

    def add(self, deliberation: Deliberation) -> None:
        """Count one deliberation."""
        self.steps += 1
        if deliberation.verdict.claim:
            self.outcomes[deliberation.verdict.outcome.value] += 1
        else:
            self.no_claim += 1
        for opinion in deliberation.opinions:
            self.searches += len(opinion.searches)
            if opinion.failed is not None:
                self.failures[opinion.failed.value] += 1
                self.failure_examples.setdefault(opinion.failed.value, opinion.failure or "")
                if opinion.failed is FailureReason.JUDGE_BROKE:
                    self.broken_judges.setdefault(opinion.judge, opinion.failure)
        for call in deliberation.calls:
            self.calls += 1
            self.estimated += call.usage_estimated
            self.cached += call.from_cache
            if not call.from_cache:
                self.prompt_tokens += call.prompt_tokens
                self.cached_tokens += call.cached_tokens
                self.completion_tokens += call.completion_tokens
                self.cost_usd += call.cost_usd

    def add_tally(self, other: RunTally) -> None:
        """Add the counts of another tally, except its start time and its total number of traces."""
        for name in _SUMMED:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.failure_examples = other.failure_examples | self.failure_examples
        self.broken_judges = other.broken_judges | self.broken_judges

    def replace_by(self, parts: Iterable[RunTally]) -> None:
        """Set the counts to the sum of those of `parts`."""
        total = RunTally()
        for part in parts:
            total.add_tally(part)
        for name in _SUMMED:
            setattr(self, name, getattr(total, name))

    @property
    def failed(self) -> int:
        """Steps that failed."""
        return self.outcomes[Outcome.FAILED.value]
