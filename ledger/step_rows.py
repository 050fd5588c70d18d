"""From deliberations to exported rows."""

from __future__ import annotations

from collections.abc import Iterable

from tracejury.agents import Citation, Deliberation, Opinion, Resolution, evidence_of_claims
from tracejury.ledger.rows import CitationRow, ClaimRow, OpinionRow, ResolverRow, StepRow
from tracejury.ledger.runs import Run
from tracejury.traces import SAMPLED_ANSWERS, Question, Role, Trace, answer_correct


def step_row(run: Run, trace: Trace, question: Question, segmenter: str, deliberation: Deliberation) -> StepRow:
    """Return the exported row of one deliberation."""
    calls = deliberation.calls
    verdict, step = deliberation.verdict, deliberation.step
    return StepRow(
        **_shared(run, trace, question, segmenter),
        step_id=step.id,
        step_index=step.index,
        step_text=step.text,
        start=step.start,
        end=step.end,
        role=step.role,
        hedges=step.hedges,
        claim=verdict.claim,
        outcome=verdict.outcome,
        error_type=verdict.error_type,
        confidence=verdict.confidence,
        route=verdict.route,
        reason=verdict.reason,
        majority_outcome=verdict.majority_outcome,
        evidence=verdict.grade,
        evidence_gap=verdict.evidence_gap,
        claims=_claims(deliberation),
        claim_coverage=deliberation.case.claims.coverage if deliberation.case else None,
        citations=_citations(verdict.citations),
        opinions=tuple(_opinion(o) for o in deliberation.opinions),
        resolver=_resolver(deliberation.resolution),
        calls=len(calls),
        prompt_tokens=sum(c.prompt_tokens for c in calls),
        cached_tokens=sum(c.cached_tokens for c in calls),
        completion_tokens=sum(c.completion_tokens for c in calls),
        cost_usd=sum(c.cost_usd for c in calls if not c.from_cache),
        label=step.label,
        label_type=step.error_type,
    )


def empty_row(run: Run, trace: Trace, question: Question, segmenter: str) -> StepRow:
    """Return the row of a trace without steps: a counted outcome of its own, not an absence."""
    return StepRow(
        **_shared(run, trace, question, segmenter),
        step_id="",
        step_index=-1,
        step_text="",
        start=0,
        end=0,
        role=Role.OTHER,
        hedges=0,
        claim=False,
        outcome=None,
        error_type=None,
        confidence=None,
        route=None,
        reason=None,
    )


def _shared(run: Run, trace: Trace, question: Question, segmenter: str) -> dict[str, object]:
    hint = trace.meta.get("hint_used")
    return {
        "run": run.name,
        "question_id": question.id,
        "trace_id": trace.id,
        "model": trace.model,
        "arm": trace.arm,
        "sample": trace.sample,
        "split": question.split,
        "segmenter": segmenter,
        "panel": run.panel.name,
        "hint_used": hint if isinstance(hint, bool) else None,
        "answer": trace.answer,
        "gold": question.gold,
        "answer_correct": answer_correct(trace.answer, question.gold, question.gold_aliases),
        "meta": {
            "question_source": question.source,
            "question_key": question.key,
            "options": len(question.options),
            "option_chars": sum(map(len, question.options.values())) // max(len(question.options), 1),
            "stem_chars": len(question.stem),
            "trace_chars": len(trace.text),
            "completion_tokens": trace.completion_tokens,
            **({SAMPLED_ANSWERS: trace.meta[SAMPLED_ANSWERS]} if SAMPLED_ANSWERS in trace.meta else {}),
        },
    }


def _claims(deliberation: Deliberation) -> tuple[ClaimRow, ...]:
    if deliberation.case is None:
        return ()
    evidence = evidence_of_claims(deliberation.case.claims, deliberation.opinions, deliberation.resolution)
    return tuple(
        ClaimRow(
            handle=e.claim.handle,
            text=e.claim.text,
            start=e.claim.start,
            end=e.claim.end,
            restates=e.claim.restates,
            supported=e.supported,
            contradicted=e.contradicted,
        )
        for e in evidence
    )


def _citations(citations: Iterable[Citation]) -> tuple[CitationRow, ...]:
    return tuple(
        CitationRow(
            claim=c.claim,
            relation=c.relation,
            evidence_id=c.evidence_id,
            source=c.source,
            citation=c.citation,
            quote=c.quote,
            sentence=c.sentence,
            verified=c.verified,
            checked=c.counts,
            p=c.p,
            relevance=c.relevance,
        )
        for c in citations
    )


def _opinion(opinion: Opinion) -> OpinionRow:
    return OpinionRow(
        judge=opinion.judge,
        seat=opinion.seat,
        model=opinion.model,
        stands_in_for=opinion.stands_in_for,
        label=opinion.label.value if opinion.label else None,
        confidence=opinion.confidence,
        grounded=opinion.grounded,
        error_type=opinion.error_type,
        rationale=opinion.rationale,
        citations=_citations(opinion.citations),
        failed=opinion.failed.value if opinion.failed else None,
        failure=opinion.failure if opinion.failed else None,
    )


def _resolver(resolution: Resolution | None) -> ResolverRow | None:
    if resolution is None:
        return None
    return ResolverRow(
        label=resolution.label.value if resolution.label else None,
        grounded=resolution.grounded,
        queries=resolution.queries,
        rationale=resolution.rationale,
        citations=_citations(resolution.citations),
        failed=resolution.failed.value if resolution.failed else None,
    )
