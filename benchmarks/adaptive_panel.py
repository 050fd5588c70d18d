"""How often a judge's label flips when the passages are permuted, and what asking fewer judges saves.

    tracejury index build open-medicine
    python benchmarks/adaptive_panel.py --data ../shared/data

Asks the `embedded` panel on a seeded sample of labelled MR-Ben steps, in full, under three seeds (which permute the
passages). The opinions under the first seed are then replayed under early stop and under a cascade that asks the
inference judge only where data and facts reach no verdict: calls and tokens against the full panel, outcomes that
differ. Calls are cached in `--store`, so that an interrupted run goes on.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tracejury.agents import (
    ClaimSet,
    Dispute,
    JudgePanel,
    Opinion,
    Panel,
    ask_judge,
    build_case,
    check_opinions,
    cut_by_rule,
    decide,
    load_panel,
    next_judges,
    unasked_votes,
)
from tracejury.models import CallStore, Gateway
from tracejury.retrieval import Finder, Index, Query, relevance, step_query
from tracejury.traces import Question, Step, Trace, read, segment

SEEDS = (0, 1, 2)


class JudgedStep(NamedTuple):
    """A step's claims and every judge's opinion on it."""

    claims: ClaimSet
    opinions: Sequence[Opinion]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/adaptive_panel.json"))
    parser.add_argument("--store", default="sqlite:///runs/adaptive_panel-calls.db")
    parser.add_argument("--index", default=None)
    parser.add_argument("--n", type=int, default=12)
    args = parser.parse_args()
    result = asyncio.run(measured(args)) | {
        "commit": subprocess.check_output(["git", "rev-parse", "--short", "HEAD"], text=True).strip(),
        "command": f"python benchmarks/adaptive_panel.py --n {args.n}",
        "cores": os.cpu_count(),
    }
    args.out.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    print(json.dumps(result, indent=1))


async def measured(args: argparse.Namespace) -> dict[str, Any]:
    panels = {seed: load_panel("embedded").model_copy(update={"seed": seed}) for seed in SEEDS}
    finder = Finder(Index.open(args.index), sources=panels[0].retrieval.sources, k=panels[0].retrieval.k)
    steps_by_seed: dict[int, list[JudgedStep]] = {seed: [] for seed in SEEDS}
    async with Gateway(CallStore(args.store), secret=b"b" * 32) as gateway:
        scorer = relevance(panels[0].relevance.scorer)
        for trace, question, steps, step in sample(args.data, args.n):
            query = Query(text=step_query(step.text, question.stem), step=step.text, stem=question.stem)
            (finding,) = finder.find([query])
            for seed, panel in panels.items():
                judge_panel = JudgePanel.of(panel, gateway, scorer)
                case = build_case(trace, question, steps, step, finding.hits, panel, judge_panel.count)
                case = case.model_copy(update={"claims": cut_by_rule(case.step, case.stem, case.context)})
                drafts = [await ask_judge(j, judge_panel.judges[j.name], case, judge_panel) for j in panel.judges]
                opinions, _ = await check_opinions(case, drafts, judge_panel)
                steps_by_seed[seed].append(JudgedStep(case.claims, opinions))
            print(f"{len(steps_by_seed[SEEDS[0]])}/{args.n}", flush=True)
    return {
        "steps": args.n,
        "seeds": len(SEEDS),
        "flips": flips(steps_by_seed),
        "economy": economy(steps_by_seed[0], panels[0]),
    }


def flips(steps_by_seed: dict[int, list[JudgedStep]]) -> dict[str, str]:
    """Return, per judge, how often its label under another seed differs from that under the first."""
    counts: dict[str, list[bool]] = {}
    for seed in SEEDS[1:]:
        for ours, theirs in zip(steps_by_seed[SEEDS[0]], steps_by_seed[seed], strict=True):
            for left, right in zip(ours.opinions, theirs.opinions, strict=True):
                if left.label and right.label:
                    counts.setdefault(left.judge, []).append(left.label is not right.label)
    return {judge: f"{sum(labels)} of {len(labels)}" for judge, labels in counts.items()}


def economy(judged_steps: Sequence[JudgedStep], panel: Panel) -> dict[str, Any]:
    """Replay the opinions under early stop, and under a cascade that asks `inference` only where it is disputed.

    Gives calls, tokens read or written, and decisions that differ from the full panel's.
    """
    stages = [j.model_copy(update={"only_if": "disputed" if j.name == "inference" else "always"}) for j in panel.judges]
    ways = {
        "full": panel,
        "early stop": panel.model_copy(update={"early_stop": True, "full_share": 0.0}),
        "cascade": panel.model_copy(update={"judges": tuple(stages), "full_share": 0.0}),
    }
    out: dict[str, Any] = {}
    for name, way in ways.items():
        calls = tokens = differ = 0
        for number, judged in enumerate(judged_steps):
            replayed_opinions = replayed(way, f"s{number}", judged)
            calls += sum(len(o.calls) for o in replayed_opinions)
            tokens += sum(
                c.prompt_tokens - c.cached_tokens + c.completion_tokens for o in replayed_opinions for c in o.calls
            )
            differ += reached(way, replayed_opinions, judged.claims) != reached(panel, judged.opinions, judged.claims)
        out[name] = {"calls": calls, "uncached tokens": tokens, "decisions that differ": differ}
    return out


def replayed(panel: Panel, step: str, judged: JudgedStep) -> list[Opinion]:
    by_name = {opinion.judge: opinion for opinion in judged.opinions}
    asked_opinions: list[Opinion] = []
    while batch := next_judges(panel, step, asked_opinions, judged.claims):
        asked_opinions += [by_name[j.name] for j in batch]
    return asked_opinions


def reached(panel: Panel, opinions: Sequence[Opinion], claims: ClaimSet) -> str:
    decision = decide(opinions, claims, unasked_votes(panel, opinions), policy=panel.policy)
    return f"dispute {decision.reason}" if isinstance(decision, Dispute) else str(decision.outcome)


def sample(data: Path, n: int) -> list[tuple[Trace, Question, tuple[Step, ...], Step]]:
    """Return labelled steps, at most one a question, in a seeded order."""
    questions: dict[str, Question] = {}
    steps_by_kind: dict[str, list[tuple[Trace, Question, tuple[Step, ...], Step]]] = {}
    for one in read("mr-ben", data / "mr_ben/medicine_dev_subset.json"):
        if isinstance(one, Question):
            questions[one.id] = one
        elif isinstance(one, Trace):
            steps = segment(one, "given").steps
            labelled = [(one, questions[one.question_id], steps, s) for s in steps if s.label]
            steps_by_kind.setdefault(one.question_id, []).extend(labelled)
    order = sorted(q for q in steps_by_kind if steps_by_kind[q])
    random.Random(0).shuffle(order)
    return [random.Random(q).choice(steps_by_kind[q]) for q in order[:n]]


if __name__ == "__main__":
    main()
