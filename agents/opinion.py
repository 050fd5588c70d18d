"""Asking a judge: its draft is taken, its quotes and derivations are checked, its failure becomes a failed opinion."""

from __future__ import annotations

import asyncio

from tracejury.agents.contracts import Judge
from tracejury.agents.derivations import derivations_for
from tracejury.agents.grounding import check_quotes
from tracejury.agents.judge_panel import BoundAsk, JudgePanel
from tracejury.agents.panel import JudgeSpec
from tracejury.agents.records import Case, Draft, Label, Opinion
from tracejury.models import CallFailed, FailureReason
from tracejury.traces import ErrorType


async def hear(spec: JudgeSpec, judge: Judge, case: Case, judge_panel: JudgePanel) -> Opinion:
    """Hear one judge on one case.

    Args:
        spec: The judge's seat, name and endpoint on the panel.
        judge: `judge_panel.seats[spec.name]`.
        case: The case.
        judge_panel: The panel's judge panel.

    Returns:
        Its opinion with every quote checked; or a failed opinion that says why, with the calls that were made. Never
        raises but for cancellation.
    """
    model = judge_panel.panel.endpoints[spec.endpoint].model if spec.endpoint else None
    ask: BoundAsk | None = None

    def failed(reason: FailureReason, detail: str) -> Opinion:
        calls = tuple(ask.calls) if ask else ()
        return Opinion(
            judge=spec.name, kind=spec.judge, model=model, seat=spec.seat, failed=reason, failure=detail, calls=calls
        )

    try:
        if spec.endpoint:
            ask = judge_panel.ask(spec.endpoint, f"judge:{spec.name}", case.trace_id, spec)
        draft = await judge.draft(case, ask)
        citations = await asyncio.to_thread(
            check_quotes, case, draft.quotes, draft.label, _error_type(draft), judge_panel
        )
    except CallFailed as failure:
        return failed(failure.reason, failure.detail)
    except Exception as broken:  # noqa: BLE001 - a stranger's judge may raise anything; the jury goes on, and says so.
        return failed(FailureReason.JUDGE_BROKE, f"{type(broken).__name__}: {broken}")
    return Opinion(
        judge=spec.name,
        kind=spec.judge,
        model=model,
        seat=spec.seat,
        label=draft.label,
        error_type=_error_type(draft),
        findings=draft.findings,
        citations=citations,
        derivations=derivations_for(case, draft.derivations, draft.label),
        rationale=draft.rationale,
        confidence=draft.confidence,
        calls=tuple(ask.calls) if ask else draft.calls,
    )


def _error_type(draft: Draft) -> ErrorType | None:
    return draft.error_type if draft.label is Label.ERROR else None
