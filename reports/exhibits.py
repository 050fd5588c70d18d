"""Sampled deliberations for a report: a few steps whole, so that a reader sees what a verdict rests on."""

from __future__ import annotations

from tracejury.ledger import CitationRow, Ledger, OpinionRow, Run, StepRow
from tracejury.reports.sheets import draw_sheet
from tracejury.traces import Record


class Exhibit(Record):
    """One step, and how the jury dealt with it."""

    arm: str
    step_index: int
    trace_id: str
    stem: str
    step: str
    outcome: str
    error_type: str | None
    route: str
    reason: str
    citations: tuple[CitationRow, ...]
    opinions: tuple[OpinionRow, ...]
    resolver: str | None
    """The resolver's rationale; None where the resolver was not asked."""


def exhibits(ledger: Ledger, run: Run, n: int = 10, seed: int = 0) -> list[Exhibit]:
    """Return `n` deliberations, the same number from each arm and outcome, the same ones for the same seed."""
    try:
        sampled_ids = {keyed.step_id for keyed in draw_sheet(ledger.rows(run), n, seed)}
    except ValueError:
        return []
    rows = [row for row in ledger.rows(run) if row.step_id in sampled_ids]
    chosen = [_exhibit(ledger, run, row) for row in rows]
    return sorted(chosen, key=lambda e: (e.outcome != "error", e.outcome, e.arm, e.trace_id))


def _exhibit(ledger: Ledger, run: Run, row: StepRow) -> Exhibit:
    deliberation = next(d for d in ledger.deliberations(run, row.trace_id) if d.step.id == row.step_id)
    return Exhibit(
        arm=row.arm,
        step_index=row.step_index,
        trace_id=row.trace_id,
        stem=deliberation.case.stem if deliberation.case else "",
        step=row.step_text,
        outcome=row.outcome.value if row.outcome else "",
        error_type=row.error_type.value.replace("_", " ") if row.error_type else None,
        route=row.route.value.replace("_", " ") if row.route else "",
        reason=row.reason.value.replace("_", " ") if row.reason else "",
        citations=row.citations,
        opinions=row.opinions,
        resolver=row.resolver.rationale or row.resolver.failed or "abstained" if row.resolver else None,
    )
