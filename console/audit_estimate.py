"""`tracejury audit --dry-run`: calls, tokens, time, cost, and how small a difference the questions can show."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from tracejury.console.neutral import print_json

if TYPE_CHECKING:
    from tracejury.agents import Panel
    from tracejury.console.arm_checks import FileChains
    from tracejury.console.arm_inputs import ArmInput
    from tracejury.console.grounding_forecast import GroundingForecast
    from tracejury.traces import Question, Trace
    from tracejury.training import SampleSpec

TOKENS_PER_S = 30
"""Of one reply of a served model; for the time that sampling takes."""
_PLANNED_STEP = "In this patient the finding named above makes one option more likely than all others, because of age."


def show_audit_estimate(
    arms: Sequence[ArmInput],
    chains: Sequence[FileChains],
    questions: Sequence[Question],
    panel: Panel,
    spec: SampleSpec,
    index: Path | None,
    as_json: bool,
) -> None:
    """Print what the audit costs at most, what it can show, and what grounded coverage to expect; no model is asked."""
    if as_json:
        print_json(json.dumps(_as_json(arms, questions, panel, spec, index), indent=2))
        return
    from tracejury.console.dry_run import show_estimate
    from tracejury.console.screen import out
    from tracejury.reports import PLANNED_CORRELATION, PLANNED_ERROR_RATE, PLANNED_STEPS, detectable_difference
    from tracejury.traces import Batch, write_batch
    from tracejury.training import sampling_cost

    out.print(f"{len(questions)} questions, both arms")
    read = {arm.name: arm for arm in chains}
    for arm in arms:
        if arm.endpoint is None:
            out.print(read[arm.name].sentence(), soft_wrap=True)
            continue
        cost = sampling_cost(questions, arm.endpoint, spec)
        minutes = cost.completion_tokens / TOKENS_PER_S / min(arm.endpoint.max_concurrency, cost.calls) / 60
        out.print(
            f"{arm.name}: {cost.calls:,} calls of {arm.endpoint.model}, {cost.prompt_tokens:,} prompt tokens, at most "
            f"{cost.completion_tokens:,} completion tokens and ${cost.usd:.2f}; at most {minutes:.0f} minutes at "
            f"{TOKENS_PER_S} tokens a second",
            soft_wrap=True,
        )
    with TemporaryDirectory() as folder:
        write_batch([*questions, *_chains(arms, questions)], Path(folder))
        with Batch.open(folder, "native") as batch:
            show_estimate(panel, batch, limit=None, only=(), arms=(), as_json=False)
    if any(arm.endpoint is not None for arm in arms):
        out.print(f"Chains that are not sampled yet count as {PLANNED_STEPS} steps each.")
    out.print(
        f"With verdicts on {len(questions)} questions in both arms, a difference of "
        f"{100 * detectable_difference(len(questions)):.1f} points in the step error rate shows with a power of 80 % "
        f"({PLANNED_STEPS} steps a chain, {PLANNED_ERROR_RATE:.0%} of them wrong, correlation {PLANNED_CORRELATION}); "
        "abstentions raise it.",
        soft_wrap=True,
    )
    out.print(_forecast_sentence(arms, questions, panel, index), soft_wrap=True)


def _forecast_sentence(
    arms: Sequence[ArmInput], questions: Sequence[Question], panel: Panel, index: Path | None
) -> str:
    forecast = _forecast(arms, questions, panel, index)
    if isinstance(forecast, str):
        return f"Grounded coverage to expect is not known: {forecast}."
    return forecast.sentence(panel.checker.name if panel.checker else "")


def _forecast(
    arms: Sequence[ArmInput], questions: Sequence[Question], panel: Panel, index: Path | None
) -> GroundingForecast | str:
    """Return the forecast, or why there is none."""
    from tracejury.console.grounding_forecast import forecast_grounding, why_no_forecast

    batches = [arm.batch for arm in arms if arm.batch is not None]
    return why_no_forecast(panel, batches, index) or forecast_grounding(
        panel, batches, {q.id for q in questions}, index
    )


def _as_json(
    arms: Sequence[ArmInput], questions: Sequence[Question], panel: Panel, spec: SampleSpec, index: Path | None
) -> dict[str, Any]:
    from tracejury.graphs import estimate
    from tracejury.reports import detectable_difference
    from tracejury.traces import Batch, write_batch
    from tracejury.training import sampling_cost

    sampled = {a.name: sampling_cost(questions, a.endpoint, spec)._asdict() for a in arms if a.endpoint is not None}
    with TemporaryDirectory() as folder:
        write_batch([*questions, *_chains(arms, questions)], Path(folder))
        with Batch.open(folder, "native") as batch:
            judged = estimate(panel, batch).model_dump(mode="json")
    forecast = _forecast(arms, questions, panel, index)
    return {
        "questions": len(questions),
        "sampling": sampled,
        "judging": judged,
        "detectable_difference": detectable_difference(len(questions)),
        "grounded": {"unknown": forecast} if isinstance(forecast, str) else forecast._asdict(),
    }


def _chains(arms: Sequence[ArmInput], questions: Sequence[Question]) -> Iterator[Trace]:
    """Yield the chains that are judged, with planned ones in the place of those that are not sampled yet."""
    from tracejury.reports import PLANNED_STEPS
    from tracejury.traces import Trace

    planned = "\n".join(f"{i}. {_PLANNED_STEP}" for i in range(1, PLANNED_STEPS + 1))
    ids = {question.id for question in questions}
    for arm in arms:
        if arm.batch is None:
            yield from (Trace(question_id=i, model="planned", arm=arm.name, text=planned) for i in ids)
            continue
        first_chains: dict[str, Trace] = {}
        for trace in arm.batch.traces():
            if trace.question_id in ids:
                first_chains.setdefault(trace.question_id, trace.model_copy(update={"arm": arm.name}))
        yield from first_chains.values()
