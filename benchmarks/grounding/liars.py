"""Liars and a truthful jury on MR-Ben's labelled steps: what the demand for evidence is worth in the whole policy."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.grounding.juries import Sides, verdict_before, verdict_of, with_similar_quotes, with_strongest_quotes
from benchmarks.grounding.lift import OLD_FLOOR, Floats
from benchmarks.grounding.mr_ben import LabelledCase
from tracejury.agents import JudgePanel, Label, Outcome
from tracejury.reports import bootstrap

FLIPPED = {Label.SUPPORTED: Label.ERROR, Label.ERROR: Label.SUPPORTED}
RIGHT = {Label.SUPPORTED: Outcome.SUPPORTED, Label.ERROR: Outcome.ERROR}
CLASSES = (Label.SUPPORTED, Label.ERROR)


def measure_liars(cases: Sequence[LabelledCase], judge_panel: JudgePanel) -> tuple[dict[str, Any], list[Sides]]:
    """Return verdicts of liars and of the truthful, by gold class; and the opinions with the strongest quotes."""
    return asyncio.run(_measure(cases, judge_panel))


async def _measure(cases: Sequence[LabelledCase], judge_panel: JudgePanel) -> tuple[dict[str, Any], list[Sides]]:
    similar = [await with_similar_quotes(c.case, judge_panel) for c in cases]
    strongest = [await with_strongest_quotes(c.case, judge_panel) for c in cases]
    n = {label: sum(c.case is not None and c.label is label for c in cases) for label in CLASSES}
    result: dict[str, Any] = {"steps": {label.value: count for label, count in n.items()}}
    for name, sides in (("most similar sentences", similar), ("strongest sentences", strongest)):
        result[name] = await _juries(cases, sides, judge_panel)
    result["most similar sentences, check before"] = _before(cases, similar)
    return result, strongest


async def _juries(cases: Sequence[LabelledCase], sides: Sequence[Sides], judge_panel: JudgePanel) -> dict[str, Any]:
    outcomes = []
    for labelled, both in zip(cases, sides, strict=True):
        row = []
        for label in (FLIPPED[labelled.label], labelled.label):
            verdict = await verdict_of(labelled.case, both, [label] * 3, judge_panel, challenger=labelled.data)
            row.append(verdict.outcome)
        outcomes.append((row[0], row[1]))
    return _table(cases, outcomes)


def _before(cases: Sequence[LabelledCase], sides: Sequence[Sides]) -> dict[str, Any]:
    outcomes = [
        (
            verdict_before(both, [FLIPPED[labelled.label]] * 3, OLD_FLOOR, labelled.data),
            verdict_before(both, [labelled.label] * 3, OLD_FLOOR, labelled.data),
        )
        for labelled, both in zip(cases, sides, strict=True)
    ]
    return _table(cases, outcomes)


def _table(cases: Sequence[LabelledCase], outcomes: Sequence[tuple[Outcome, Outcome]]) -> dict[str, Any]:
    """Pool by question: steps, wrong verdicts of liars, verdicts of the truthful, of each class."""
    questions = sorted({c.question for c in cases})
    place = {question: i for i, question in enumerate(questions)}
    sums = np.zeros((len(questions), len(CLASSES), 4))
    for labelled, (liars, truthful) in zip(cases, outcomes, strict=True):
        cell = sums[place[labelled.question], CLASSES.index(labelled.label)]
        cell[0] += 1
        cell[1] += liars is RIGHT[FLIPPED[labelled.label]]
        cell[2] += truthful is RIGHT[labelled.label]
        cell[3] += truthful is RIGHT[FLIPPED[labelled.label]]
    boot = bootstrap(sums.reshape(len(questions), -1), _shares)
    total = sums.sum(axis=0)
    counts = {
        label.value: {"steps": int(row[0]), "liars' wrong verdicts": int(row[1]), "truthful verdicts": int(row[2])}
        for label, row in zip(CLASSES, total, strict=True)
    }
    names = (
        "liars' wrong share on supported",
        "liars' wrong share on error",
        "truthful coverage",
        "truthful verdicts for one of the liars",
    )
    return {"counts": counts, "questions": len(questions)} | {
        name: boot.estimate(i).model_dump() for i, name in enumerate(names)
    }


def _shares(columns: Floats) -> Floats:
    c = columns.reshape(*columns.shape[:-1], len(CLASSES), 4)
    wrong, right = c[..., 1], c[..., 2]
    # Half a verdict is added to the liars', so that none of them leaves a ratio.
    ratio = right.sum(axis=-1) / (wrong.sum(axis=-1) + 0.5)
    coverage = right.sum(axis=-1) / c[..., 0].sum(axis=-1)
    return np.stack([wrong[..., 0] / c[..., 0, 0], wrong[..., 1] / c[..., 1, 0], coverage, ratio], axis=-1)
