"""What grounded coverage to expect: whether the references hold counting evidence for steps drawn from the chains."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tracejury.agents import Case, JudgePanel, Panel, Relation
    from tracejury.traces import Batch, Question, Step, Trace

FORECAST_STEPS = 20
_CITED = 3
"""Sentences that a judge may cite together for one claim."""


class GroundingForecast(NamedTuple):
    """Steps that were looked at, and those whose claims the checker finds supported in what retrieval brings."""

    steps: int
    supported: int
    """Every claim has counting support from the strongest sentences: grade `full` is within reach."""
    contradicted: int
    """Some claim has a counting contradiction."""

    def sentence(self, checker: str) -> str:
        """Return the forecast in words, with a 95 % interval (Clopper-Pearson)."""
        from scipy.stats import binomtest

        low, high = binomtest(self.supported, self.steps).proportion_ci(method="exact")
        return (
            f"Grounded coverage to expect, from {self.steps} steps: checker {checker!r} finds counting support in the "
            f"references for every claim of {self.supported} ({self.supported / self.steps:.0%}, "
            f"{low:.0%} to {high:.0%}) and a counting contradiction of {self.contradicted}. Judges who cite worse "
            "sentences reach less; under `policy: grounded` all other steps abstain."
        )


def why_no_forecast(panel: Panel, batches: Sequence[Batch], index: Path | None) -> str | None:
    """Return why grounded coverage cannot be forecast without asking a model; None where it can."""
    if panel.checker is None:
        return "the panel has no checker, so nothing is grounded"
    if panel.checker.endpoint is not None:
        return f"the checker {panel.checker.name!r} asks a model, and a dry run asks none"
    if not batches:
        return "there are no chains yet; the same command says it once they are sampled"
    if panel.retrieval.sources:
        from tracejury.retrieval import Index

        there = Index.open(index, embedder=panel.retrieval.embedder).manifest().sources
        if absent := [name for name in panel.retrieval.sources if name not in there]:
            return f"first run: tracejury index build {' '.join(absent)}"
    return None


def forecast_grounding(
    panel: Panel, batches: Sequence[Batch], question_ids: set[str], index: Path | None
) -> GroundingForecast:
    """Look at 20 steps drawn at random: retrieve, cut claims by rule, and check the strongest sentences for each claim.

    No model is asked but the local embedder and the local checker.
    """
    import asyncio

    steps = _drawn_steps(panel, batches, question_ids)
    return asyncio.run(_forecast(panel, steps, index))


def _drawn_steps(
    panel: Panel, batches: Sequence[Batch], question_ids: set[str]
) -> list[tuple[Trace, Question, Sequence[Step], Step]]:
    from tracejury.traces import segment

    sample: list[tuple[Trace, Question, Sequence[Step], Step]] = []
    for number, batch in enumerate(batches):
        traces = sorted((t for t in batch.traces() if t.question_id in question_ids), key=lambda trace: trace.id)
        random.Random(number).shuffle(traces)
        own = []
        for trace in traces[:FORECAST_STEPS]:
            question, steps = batch.question(trace.question_id), segment(trace, panel.segmenter).steps
            if question is not None and steps:
                own.append((trace, question, steps, random.Random(trace.id).choice(list(steps))))
        sample += own[: FORECAST_STEPS // len(batches)]
    return sample


async def _forecast(
    panel: Panel, steps: Sequence[tuple[Trace, Question, Sequence[Step], Step]], index: Path | None
) -> GroundingForecast:
    from tracejury.agents import CaseTooLarge, JudgeSpec, Relation, build_case, cut_by_rule
    from tracejury.graphs import open_run_context
    from tracejury.models import CallStore

    judge = JudgeSpec(name="strongest", judge="data")
    alone = panel.model_copy(update={"judges": (judge,), "endpoints": {}, "resolver": None, "calibrator": None})
    supported = contradicted = 0
    with TemporaryDirectory() as folder:
        calls = CallStore(f"sqlite:///{folder}/calls.db")
        try:
            async with open_run_context(alone, calls, secret=b"forecast", index=index) as run_context:
                judge_panel = run_context.judge_panel
                for trace, question, all_steps, step in steps:
                    finding = await run_context.find(question, step)
                    try:
                        case = build_case(trace, question, all_steps, step, finding.hits, alone, judge_panel.count)
                    except CaseTooLarge:
                        continue
                    case = case.model_copy(update={"claims": cut_by_rule(case.step, case.stem, case.context)})
                    supported += await _is_within_reach(case, judge_panel, Relation.SUPPORTS)
                    contradicted += await _is_within_reach(case, judge_panel, Relation.CONTRADICTS)
        finally:
            calls.close()
    return GroundingForecast(len(steps), supported, contradicted)


async def _is_within_reach(case: Case, judge_panel: JudgePanel, relation: Relation) -> bool:
    """Whether the strongest sentences of a case give a step the grade `full` in the product's own check."""
    from tracejury.agents import (
        Grade,
        Label,
        Opinion,
        Quote,
        Relation,
        check_opinions,
        draft_citations,
        grade_of,
        pool_evidence,
    )
    from tracejury.agents.checkers import Pair
    from tracejury.traces import split_sentences

    checker = judge_panel.checker
    places = [("vignette", case.stem), *((p.id, p.text) for p in case.passages)]
    sentences = [(where, text[start:end]) for where, text in places for start, end in split_sentences(text)]
    if checker is None or not sentences:
        return False
    quotes: list[Quote] = []
    for claim in case.claims.claims:
        scores = await checker.check([Pair(claim.text, (sentence,)) for _, sentence in sentences])
        ranked = sorted(zip(sentences, scores, strict=True), key=lambda row: -row[1].of(relation))
        quotes += [
            Quote(evidence_id=where, quote=sentence, claim=claim.handle, relation=relation)
            for (where, sentence), _ in ranked[:_CITED]
        ]
    label = Label.SUPPORTED if relation is Relation.SUPPORTS else Label.ERROR
    drafted = Opinion(judge="strongest", kind="data", label=label, citations=draft_citations(quotes, label))
    checked, _ = await check_opinions(case, (drafted,), judge_panel)
    return grade_of(label, pool_evidence(case.claims, checked), case.claims.coverage) is Grade.FULL
