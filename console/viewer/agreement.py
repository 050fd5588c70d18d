"""Agreement of the judges: the labels of each, and every pair's agreement beyond chance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np

from tracejury.agents import Panel
from tracejury.ledger import VotePattern
from tracejury.reports import kappa_and_chance

LABELS = ("supported", "error", "unclear", "no_claim")


class SeatedJudge(NamedTuple):
    """One judge of the panel."""

    name: str
    model: str
    seat: str
    labels: dict[str, int]
    """By label, and `failed`."""
    answers: int
    grounded: int
    with_verdict: int
    """Steps with a verdict that the judge labelled supported or error."""
    agrees: int
    labelled: int
    """Steps with a human label that the judge labelled supported or error."""
    right: int


class JudgePair(NamedTuple):
    """Two judges on the steps that both labelled."""

    a: str
    b: str
    steps: int
    same: int
    kappa: float | None
    same_weights: bool


def seats(panel: Panel, patterns: Sequence[VotePattern]) -> list[SeatedJudge]:
    """Return every judge of the panel with its labels and its agreement with verdicts and human labels."""
    rows = []
    for spec in panel.judges:
        labels: Counter[str] = Counter()
        grounded = with_verdict = agrees = labelled = right = 0
        for pattern in patterns:
            vote = next((v for v in pattern.votes if v.judge == spec.name), None)
            if vote is None:
                continue
            labels[vote.label] += pattern.steps
            grounded += pattern.steps * vote.grounded
            if vote.label not in ("supported", "error"):
                continue
            if pattern.outcome in ("supported", "error"):
                with_verdict += pattern.steps
                agrees += pattern.steps * (vote.label == pattern.outcome)
            if pattern.label:
                labelled += pattern.steps
                right += pattern.steps * (vote.label == pattern.label)
        model = panel.endpoints[spec.endpoint].model if spec.endpoint else "no model"
        answers = sum(labels.values()) - labels["failed"]
        rows.append(
            SeatedJudge(
                spec.name,
                model,
                spec.seat.value,
                dict(labels),
                answers,
                grounded,
                with_verdict,
                agrees,
                labelled,
                right,
            )
        )
    return rows


def pairs(panel: Panel, patterns: Sequence[VotePattern]) -> dict[tuple[str, str], JudgePair]:
    """Return every pair of judges, under both orders of their names."""
    weights = {s.name: panel.endpoints[s.endpoint].model if s.endpoint else None for s in panel.judges}
    matrix = {}
    for a, b in combinations(weights, 2):
        table: Counter[tuple[str, str]] = Counter()
        for pattern in patterns:
            labels = {v.judge: v.label for v in pattern.votes}
            if labels.get(a) in LABELS and labels.get(b) in LABELS:
                table[labels[a], labels[b]] += pattern.steps
        same = sum(n for (x, y), n in table.items() if x == y)
        shared = weights[a] is not None and weights[a] == weights[b]
        pair = JudgePair(a, b, table.total(), same, kappa(table), shared)
        matrix[a, b] = matrix[b, a] = pair
    return matrix


def kappa(table: Counter[tuple[str, str]]) -> float | None:
    """Return Cohen's kappa, as `tracejury quality judges` and the report show it; None where there is no variance."""
    counts = np.array([[table[x, y] for y in LABELS] for x in LABELS], dtype=np.float64)
    value = float(kappa_and_chance(counts)[0])
    return value if np.isfinite(value) else None


def disputed(patterns: Sequence[VotePattern], a: str | None = None, b: str | None = None) -> list[VotePattern]:
    """Return the patterns in which judges contradict each other: these two, or any two, supported against error."""
    disputes = []
    for pattern in patterns:
        labels = {v.judge: v.label for v in pattern.votes if a is None or v.judge in (a, b)}
        distinct = {label for label in labels.values() if label in LABELS}
        if len(distinct) > 1 if a is not None else {"supported", "error"} <= distinct:
            disputes.append(pattern)
    return disputes
