"""Rechecking a run: a checker reads the stored citations again and the policy decides again, without a judge's call."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from tracejury.agents import (
    Case,
    Deliberation,
    JudgePanel,
    Label,
    Opinion,
    Outcome,
    Panel,
    Policy,
    Quote,
    Resolution,
    Verdict,
    check_citations,
    check_opinions,
    checker_facts,
    checker_of,
    claims_of,
    combination_of,
    decide,
    derivations_for,
    draft_citations,
    endpoints_of,
    is_repeated,
    refuse_audited_weights,
    settle,
    unasked_votes,
    unchecked,
)
from tracejury.agents.checkers import CheckerSpec
from tracejury.graphs.source_trust import TrustNow, under_trust
from tracejury.graphs.trace_runner import LedgerSink
from tracejury.ledger import Ledger, Run, package_versions, panel_hash, run_lease
from tracejury.models import CallFailed, CallRecord, CallStore, Gateway
from tracejury.retrieval import relevance
from tracejury.storage import run_in_thread


@dataclass
class RecheckTally:
    """What a recheck changed, by step."""

    steps: int = 0
    changed: int = 0
    """Steps with another outcome than before."""
    unresolved: int = 0
    """Steps that are disputed now and had no resolver then: they abstain, since nobody may be asked."""
    outcomes: dict[Outcome, int] = field(default_factory=lambda: dict.fromkeys(Outcome, 0))

    def add(self, before: Deliberation, after: Deliberation, *, disputed: bool) -> None:
        """Count one step."""
        self.steps += 1
        self.changed += before.verdict.outcome is not after.verdict.outcome
        self.unresolved += disputed and after.resolution is None
        self.outcomes[after.verdict.outcome] += 1


def with_checker(panel: Panel, checker: str | None = None, calibration: str | None = None) -> Panel:
    """Return the panel with another checker or calibration, and without a calibrator, which was fitted on the old one.

    Raises:
        ValueError: The panel has no checker, and none is named.
    """
    spec = panel.checker
    if checker is not None and (spec is None or spec.name != checker):
        spec = CheckerSpec(name=checker)
    if spec is None:
        raise ValueError(f"panel {panel.name!r} has no checker; name one with --checker")
    if calibration is not None:
        spec = spec.model_copy(update={"calibration": calibration})
    return Panel.model_validate(panel.model_dump() | {"checker": spec.model_dump(), "calibrator": None})


async def recheck(
    ledger: Ledger,
    run: Run,
    panel: Panel,
    name: str,
    *,
    trust: TrustNow | None = None,
    air_gapped: bool = False,
    report_trace: Callable[[], None] = lambda: None,
) -> tuple[Run, RecheckTally]:
    """Apply a panel's checker and policy to the stored opinions of a run, and write the result as a run of its own.

    Args:
        ledger: The ledger that holds the run.
        run: The finished run to recheck; it stays as it is.
        panel: The run's panel with another checker, from `with_checker`.
        name: The name of the new run. The same call resumes it.
        trust: What the sources may do in a verdict, from `trust_now`. None: what they could in the run.
        air_gapped: Refuse every address but loopback.
        report_trace: Called after each trace.

    Returns:
        The new run, and what this call changed.

    Raises:
        ValueError: The run is not finished, or the checker has the weights of a model that it would audit.
        RunDiffersError: A run of this name was made with other settings.
        RunInUseError: Another process makes the new run.
    """
    if run.finished is None:
        raise ValueError(f"run {run.name!r} is not finished; finish it first, by the command that began it")
    refuse_audited_weights(panel, {row.model for row in ledger.trace_outcomes(run)})
    trust = trust or TrustNow()
    manifest = run.manifest.model_copy(
        update={
            "panel": panel_hash(panel),
            "checker": checker_facts(panel),
            "index": trust.digests(run.manifest.index),
            "selection": run.manifest.selection | {"recheck": run.id},
            "packages": package_versions(),
        }
    )
    rechecked, secret, _ = ledger.open_run(panel, manifest, name)
    calls, tally = CallStore(ledger.engine, run=rechecked.id), RecheckTally()
    sink = LedgerSink(calls.writer, rechecked.id)
    try:
        lease = run_lease(ledger.engine, rechecked)
        async with lease, Gateway(calls, secret=secret, air_gapped=air_gapped) as gateway:
            chats = gateway if endpoints_of(panel) else None
            scorer = await run_in_thread(relevance, panel.relevance.scorer)
            # No judge is made: their opinions are in the ledger, and a judge of another package may be gone.
            judge_panel = JudgePanel(panel, chats, scorer, checker=checker_of(panel), combination=combination_of(panel))
            for trace, question, steps in ledger.traces(run):
                before = ledger.deliberations(run, trace.id)
                if (steps and not before) or ledger.trace_progress(rechecked.id, trace.id).closed:
                    continue
                stored = ledger.segmentation(run, trace.id)
                await sink.trace(trace, question, stored.model_copy(update={"steps": tuple(d.step for d in before)}))
                for old, (new, disputed) in zip(
                    before,
                    await asyncio.gather(*(_rechecked(under_trust(d, trust.of), judge_panel) for d in before)),
                    strict=True,
                ):
                    await sink.deliberation(new)
                    tally.add(old, new, disputed=disputed)
                await sink.close(trace.id)
                report_trace()
    finally:
        calls.close()
    ledger.finish(rechecked.id, run.traces_total or 0)
    return ledger.run(rechecked.name), tally


async def _rechecked(before: Deliberation, judge_panel: JudgePanel) -> tuple[Deliberation, bool]:
    """Return the deliberation with its citations checked and decided again, and whether the step is disputed."""
    if before.case is None or not before.opinions:
        return before, False
    panel, case = judge_panel.panel, before.case
    if not case.claims.claims:
        # Ledgers from before steps were cut into claims.
        case = case.model_copy(update={"claims": await claims_of(case, None)})
    drafts = [_drafted(case, opinion) for opinion in before.opinions]
    unasked, failure = unasked_votes(panel, drafts), False
    try:
        opinions, evidence_calls = await check_opinions(case, drafts, judge_panel)
    except CallFailed as failed:
        opinions, evidence_calls, failure = tuple(drafts), failed.calls, True
    after = before.model_copy(
        update={"case": case, "opinions": opinions, "evidence_calls": evidence_calls, "resolution": None}
    )
    if failure and panel.policy is Policy.GROUNDED:
        return after.model_copy(update={"verdict": unchecked(opinions, unasked)}), False
    retrieved = bool(case.passages)
    decision = decide(
        opinions,
        case.claims,
        unasked,
        policy=panel.policy,
        retrieved=retrieved,
        checked=not failure,
        weights=judge_panel.combination,
    )
    if isinstance(decision, Verdict):
        return after.model_copy(update={"verdict": decision}), False
    resolution = before.resolution
    if resolution is not None:
        wider = case.model_copy(update={"passages": (*case.passages, *before.further_passages)})
        resolution = await _resolution(case, wider, opinions, resolution, judge_panel)
        retrieved = retrieved or bool(resolution.hits)
    verdict = settle(decision, opinions, case.claims, resolution, policy=panel.policy, retrieved=retrieved)
    return after.model_copy(update={"resolution": resolution, "verdict": verdict}), True


async def _resolution(
    case: Case, wider: Case, opinions: tuple[Opinion, ...], resolution: Resolution, judge_panel: JudgePanel
) -> Resolution:
    """Return the resolution with its citations checked again; `wider` has what judges and resolver searched for."""
    drafted = draft_citations(_quotes(wider, resolution), resolution.label)
    try:
        checked = await check_citations(wider, {"resolver": drafted}, judge_panel)
    except CallFailed as failed:
        update = {"label": None, "citations": (), "failed": failed.reason, "failure": failed.detail}
        return resolution.model_copy(update=update)
    return resolution.model_copy(
        update={
            "citations": tuple(c for c in checked.by_judge["resolver"] if not is_repeated(c, opinions)),
            "derivations": derivations_for(case, resolution.derivations, resolution.label or Label.UNCLEAR),
            "calls": (*_unpaid(resolution.calls), *checked.calls),
        }
    )


def _drafted(case: Case, opinion: Opinion) -> Opinion:
    """Return an opinion as its judge gave it, before any check."""
    return opinion.model_copy(
        update={
            "citations": draft_citations(_quotes(case, opinion), opinion.label),
            "derivations": derivations_for(case, opinion.derivations, opinion.label or Label.UNCLEAR),
            "calls": _unpaid(opinion.calls),
        }
    )


def _quotes(case: Case, answer: Opinion | Resolution) -> tuple[Quote, ...]:
    handles = {claim.handle for claim in case.claims.claims}
    return tuple(
        Quote(
            evidence_id=c.evidence_id, quote=c.quote, claim=c.claim if c.claim in handles else None, relation=c.relation
        )
        for c in answer.citations
    )


def _unpaid(calls: tuple[CallRecord, ...]) -> tuple[CallRecord, ...]:
    """Return the calls of the original run as read from the cache, so that their cost counts once in the ledger."""
    return tuple(call.model_copy(update={"from_cache": True}) for call in calls)
