"""Review mode: the run's blinded sheet, drawn as `tracejury review sample` draws it, and the experts' answers."""

from __future__ import annotations

import json

from tracejury.agents import Case
from tracejury.console.viewer.ledger_view import LedgerView
from tracejury.ledger import Run
from tracejury.reports import Key, Keyed, draw_from_counts, draw_quoted_claim, reviewed_context
from tracejury.traces import blind

SIZE = 150
"""As many steps as the audit's clinician read (docs/PROTOCOL.md, 'Expert audit')."""


def sheet(view: LedgerView, run: Run) -> Key:
    """Return the run's sheet with its key; the first call draws and stores it.

    Raises:
        LookupError: The run is still going on, or has no step to review.
    """
    stored = view.reviews.sheet(run)
    if stored is None:
        if run.finished is None:
            raise LookupError("the run is still going on; its review sheet is drawn once every trace has been judged")
        try:
            sampled = draw_from_counts(view.reviews, run, SIZE, seed=0)
        except ValueError as nothing:
            raise LookupError(str(nothing)) from nothing
        # The name that `review sample` gives with seed 0: it is the same sheet.
        key = Key(sheet=f"{run.name}-0", run=run.name, seed=0, items=tuple(_quoting(view, run, k) for k in sampled))
        stored = view.reviews.keep_sheet(run, key.model_dump_json())
    return Key.model_validate_json(stored)


def _quoting(view: LedgerView, run: Run, item: Keyed) -> Keyed:
    deliberation = view.steps.by_id(run, item.step_id)
    return item.model_copy(update={"quoted": draw_quoted_claim(deliberation)}) if deliberation else item


def blinded(view: LedgerView, run: Run, item: Keyed) -> Case:
    """Return what an expert sees of a step: what the judges saw, without passages, opinions and models' names.

    Raises:
        LookupError: The ledger has no deliberation of the step.
    """
    deliberation = view.steps.by_id(run, item.step_id)
    if deliberation is None or deliberation.case is None:
        raise LookupError(f"no deliberation of step {item.step_id} in run {run.name}")
    names = sorted({arm.model for arm in view.cache.get(("models", run.id), lambda: view.traces.arms(run))})
    case = deliberation.case
    deliberations = view.ledger.deliberations(run, deliberation.step.trace_id)
    return Case(
        step_id=case.step_id,
        trace_id="",
        stem=case.stem,
        options=case.options,
        context=tuple(reviewed_context(deliberations, case.context, names)),
        step_index=case.step_index,
        step=blind(deliberation.step.text, names, keep_lines=True),
    )


def answers_json(view: LedgerView, run: Run, expert: str) -> str:
    """Return an expert's sheet as JSON, the way the offline form saves it: `tracejury review import` reads it."""
    answers = {r.step_id: r for r in view.reviews.of(run, expert)}
    rows = []
    for item in sheet(view, run).items:
        answer = answers.get(item.step_id)
        kind = answer.error_type.value.replace("_", " ") if answer and answer.error_type else ""
        verdict = (answer.label or "") if answer else ""
        relation = (answer.relation or "") if answer else ""
        row = {"item": item.item, "verdict": verdict, "error_type": kind, "note": answer.note if answer else ""}
        rows.append(row | {"relation": relation})
    return json.dumps({"expert": expert, "sheet": sheet(view, run).sheet, "rows": rows}, ensure_ascii=False, indent=1)
