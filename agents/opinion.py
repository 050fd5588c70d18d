"""Asking a judge: its draft becomes an opinion whose citations are still to be checked; its failure, a failed one."""

from __future__ import annotations

from collections.abc import Sequence

from tracejury.agents.contracts import Judge
from tracejury.agents.derivations import derivations_for
from tracejury.agents.english_only import silent_draft
from tracejury.agents.evidence_records import Relation
from tracejury.agents.judge_panel import BoundAsk, JudgePanel
from tracejury.agents.panel import JudgeSpec
from tracejury.agents.recorded.judge import RecordedJudge
from tracejury.agents.recorded.keys import StepKey
from tracejury.agents.records import Case, Citation, Draft, Label, Opinion, Quote
from tracejury.agents.search_tool import LookUp
from tracejury.agents.searching import SearchingAsk
from tracejury.models import CallFailed, FailureReason
from tracejury.traces import ErrorType, PluginError

RELATION_OF = {Label.SUPPORTED: Relation.SUPPORTS, Label.ERROR: Relation.CONTRADICTS}
_UNCHECKED = "not checked"
_GONE = frozenset({FailureReason.UNAVAILABLE, FailureReason.REFUSED, FailureReason.BLOCKED})


async def ask_judge(
    spec: JudgeSpec,
    judge: Judge,
    case: Case,
    judge_panel: JudgePanel,
    key: StepKey | None = None,
    look_up: LookUp | None = None,
) -> Opinion:
    """Ask one judge about one case; where its endpoint cannot be had, its stand-in, if the panel names one.

    Args:
        spec: The judge's seat, name and endpoint on the panel.
        judge: `judge_panel.judges[spec.name]`.
        case: The case.
        judge_panel: The panel.
        key: The public name of the step, for the judge `recorded` alone.
        look_up: Searches the references for a judge that the panel gives `search`; None: it sees the case alone.

    Returns:
        Its opinion, whose citations `check_opinions` checks; or a failed opinion that says why, with the calls that
        were made. Never raises but for cancellation.
    """
    opinion = await _ask(spec, judge, case, judge_panel, key, look_up)
    if spec.stand_in is None or opinion.failed not in _GONE:
        return opinion
    replacing = spec.model_copy(update={"endpoint": spec.stand_in})
    replacement = await _ask(replacing, judge, case, judge_panel, key, look_up)
    calls = (*opinion.calls, *replacement.calls)
    return replacement.model_copy(update={"stands_in_for": opinion.model, "calls": calls})


async def _ask(
    spec: JudgeSpec,
    judge: Judge,
    case: Case,
    judge_panel: JudgePanel,
    key: StepKey | None,
    look_up: LookUp | None,
) -> Opinion:
    recorded = judge if isinstance(judge, RecordedJudge) else None
    model = judge_panel.panel.endpoints[spec.endpoint].model if spec.endpoint else recorded and recorded.model
    ask: BoundAsk | None = None
    searching: SearchingAsk | None = None

    def failed(reason: FailureReason, detail: str) -> Opinion:
        calls = tuple(ask.calls) if ask else ()
        return Opinion(
            judge=spec.name,
            kind=spec.judge,
            model=model,
            seat=spec.seat,
            searches=tuple(searching.searches) if searching else (),
            failed=reason,
            failure=detail,
            calls=calls,
        )

    try:
        if spec.endpoint:
            ask = judge_panel.ask(spec.endpoint, f"judge:{spec.name}", case.trace_id, spec)
        if ask and spec.search and look_up:
            searching = SearchingAsk(ask, look_up, case, spec.search)
        if (draft := silent_draft(judge, case)) is None:
            draft = recorded.replay(case, key) if recorded else await judge.draft(case, searching or ask)
        draft = searching.with_ids(draft) if searching else draft
    except CallFailed as failure:
        return failed(failure.reason, failure.detail)
    except PluginError as fault:
        return failed(FailureReason.JUDGE_BROKE, str(fault))
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
        citations=draft_citations(draft.quotes, draft.label),
        derivations=derivations_for(case, draft.derivations, draft.label),
        rationale=draft.rationale,
        confidence=draft.confidence,
        searches=tuple(searching.searches) if searching else (),
        calls=tuple(ask.calls) if ask else draft.calls,
    )


def draft_citations(quotes: Sequence[Quote], label: Label | None) -> tuple[Citation, ...]:
    """Return quotes as citations to be checked; a quote that asserts no relation asserts what the label says."""
    relation = RELATION_OF.get(label or Label.UNCLEAR)
    return tuple(
        Citation(
            evidence_id=quote.evidence_id,
            quote=quote.quote,
            claim=quote.claim,
            relation=quote.relation or relation,
            verified=False,
            why_not=_UNCHECKED,
        )
        for quote in quotes
    )


def _error_type(draft: Draft) -> ErrorType | None:
    return draft.error_type if draft.label is Label.ERROR else None
