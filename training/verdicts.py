"""Learn from the jury: choose the part of a teacher's trace that a student sees, by the verdicts on its steps.

Failed steps carry no judgement and never count for or against a trace; abstentions count in mode `keep` only.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

from tracejury.agents import Outcome
from tracejury.ledger import StepRow
from tracejury.traces import Trace

Mode = Literal["keep", "drop", "trim", "weight"]
"""`keep`: only traces whose every claim is supported. `drop`: leave out traces with an error. `trim`: keep the steps
before the first error. `weight`: copies by the share of supported among judged steps."""


class StepVerdict(NamedTuple):
    """The outcome of one step, and its position in the trace."""

    position: int
    start: int
    claim: bool
    outcome: Outcome


class TraceVerdicts(NamedTuple):
    """The outcomes of a trace's steps, in their order."""

    steps: tuple[StepVerdict, ...]

    def count(self, outcome: Outcome) -> int:
        """Count the claims with this outcome."""
        return sum(s.claim and s.outcome is outcome for s in self.steps)


class Learned(NamedTuple):
    """The part of a trace that a student learns, its weight, and the reason."""

    text: str | None
    """None: the trace is left out."""
    weight: float
    why: str
    cut: bool = False
    """Whether the text is a prefix, at whose end the student must not learn to stop."""


def collect(rows: Iterable[StepRow]) -> dict[str, TraceVerdicts]:
    """Gather a run's rows by trace id. Traces without steps are left out."""
    steps_of: dict[str, list[StepVerdict]] = {}
    for row in rows:
        if row.outcome is not None:
            steps_of.setdefault(row.trace_id, []).append(StepVerdict(row.step_index, row.start, row.claim, row.outcome))
    return {trace: TraceVerdicts(tuple(sorted(steps))) for trace, steps in steps_of.items()}


def learn_from(trace: Trace, verdicts: TraceVerdicts | None, mode: Mode) -> Learned:
    """Apply `mode` to one trace; a trace without verdicts passes whole and is counted as `not judged`."""
    if verdicts is None:
        return Learned(trace.text, 1.0, "not judged")
    errors, supported = verdicts.count(Outcome.ERROR), verdicts.count(Outcome.SUPPORTED)
    if mode == "keep":
        sure = supported > 0 and supported == sum(s.claim for s in verdicts.steps)
        return Learned(trace.text, 1.0, "all supported") if sure else Learned(None, 0.0, "not all supported")
    if mode == "drop":
        return Learned(None, 0.0, "has an error") if errors else Learned(trace.text, 1.0, "no error")
    if mode == "weight":
        if not errors + supported:
            return Learned(trace.text, 1.0, "no verdict")
        weight = supported / (supported + errors)
        return Learned(trace.text if weight else None, weight, "weighted" if weight else "nothing supported")
    first = next((s for s in verdicts.steps if s.claim and s.outcome is Outcome.ERROR), None)
    if first is None:
        return Learned(trace.text, 1.0, "no error")
    prefix = _before(trace, first)
    return Learned(prefix, 1.0, "trimmed", cut=True) if prefix else Learned(None, 0.0, "error in the first step")


def _before(trace: Trace, first: StepVerdict) -> str | None:
    """Return the trace up to the step, or None where it is the first."""
    if trace.steps is not None and trace.steps[0].start is None:
        text = "\n".join(step.text for step in trace.steps[: first.position])
        return text.strip() or None
    text = trace.text[: first.start].rstrip()
    # The enumerator of the step that was cut ("3.", "Step 3:") belongs to that step.
    head, _, last = text.rpartition("\n")
    if last and not any(c.isalpha() for c in last.lower().replace("step", "")) and first.position > 0:
        text = head
    return text.strip() or None if first.position > 0 else None
