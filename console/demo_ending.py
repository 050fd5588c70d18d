"""The demo's last words: what `compare` says, the planted truth in the same form, a deliberation, the next command."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tracejury.ledger import Ledger, Run, StepRow
    from tracejury.traces import Batch

NEXT_PANEL = "ollama"


class ArmCounts(NamedTuple):
    """What is planted in one arm."""

    right: int
    traces: int
    wrong: int
    steps: int


def compared(ledger: Ledger, run: Run) -> str:
    """Return the headline of `tracejury compare RUN --baseline base`."""
    if find_spec("scipy") is None:
        return "compare needs more packages: pip install 'tracejury[reports]'"
    from tracejury.reports import Settings, audit, choose_arms, gather

    columns = gather(ledger.rows(run))
    arms = choose_arms(columns, [(run.name, None)], "base")
    return audit(columns, [run], arms, Settings()).comparisons[0].sentence


def planted_counts(batch: Batch, labels: Mapping[tuple[str, str, int], str | None]) -> dict[str, ArmCounts]:
    """Return, by arm, right answers, traces, and wrong steps among the labelled ones."""
    right: Counter[str] = Counter()
    traces: Counter[str] = Counter()
    for trace in batch.traces():
        question = batch.question(trace.question_id)
        traces[trace.arm] += 1
        right[trace.arm] += question is not None and trace.answer == question.gold
    by_arm = {arm: [label for (_, a, _), label in labels.items() if a == arm and label] for arm in traces}
    return {
        arm: ArmCounts(right[arm], traces[arm], by_arm[arm].count("error"), len(by_arm[arm])) for arm in sorted(traces)
    }


def planted_truth(base: ArmCounts, student: ArmCounts) -> str:
    """Return what is planted, in the words of the comparison's headline."""
    answers = 100 * (student.right / student.traces - base.right / base.traces)
    errors = 100 * (student.wrong / student.steps - base.wrong / base.steps)
    return (
        f"[planted, not measured] answers {answers:+.1f} points, step errors {errors:+.1f} points "
        f"({base.wrong} of {base.steps} steps, then {student.wrong} of {student.steps})"
    )


def worth_reading(rows: Sequence[StepRow], errors: Mapping[str, str]) -> StepRow | None:
    """Return a caught error, one with counting evidence first; None where none was caught.

    Args:
        rows: The steps of a run.
        errors: Step id of each planted error -> why it is one.
    """
    caught = [row for row in rows if row.step_id in errors and row.outcome == "error"]
    return max(caught, key=lambda row: (row.evidence == "full", len(row.citations)), default=None)


def deliberation_lines(row: StepRow, why: str) -> Iterator[str]:
    """Yield the lines of one deliberation: the step, each opinion, what is planted, and where to read on."""
    yield "A deliberation worth reading:"
    yield f"  step: {row.step_text.strip()}"
    for opinion in row.opinions:
        if opinion.label is not None and opinion.label != "no_claim":
            yield f"  {opinion.judge}: {opinion.label} {opinion.rationale.strip()}".rstrip()
    yield f"  verdict: {row.outcome}; planted: {why}"
    yield f"  all of it: tracejury show {row.run} --trace {row.trace_id} --step {row.step_index + 1}"


def next_lines(folder: Path) -> Iterator[str]:
    """Yield the command that puts a stronger model in the small one's place, with the model that its panel asks for."""
    from tracejury.agents import load_panel

    models = dict.fromkeys(endpoint.model for endpoint in load_panel(NEXT_PANEL).endpoints.values())
    pulls = " && ".join(f"ollama pull {model}" for model in models)
    yield "A panel that can decide it has a language model that knows medicine; one on this machine:"
    yield f"  {pulls} && tracejury adjudicate {folder} --panel {NEXT_PANEL} --run strong"
    yield "  tracejury compare strong --baseline base"
