"""The lift of the checker `llm` on a model file, one text a claim: see `__main__`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.grounding.excerpts import excerpt_pairs
from benchmarks.grounding.labelled_sets import LabelledClaim, sample
from benchmarks.grounding.lift import ASSERTED, ClaimCounts, Counts, lift_table
from benchmarks.grounding.model_endpoint import model_checker, read_with_model
from benchmarks.grounding.strongest import jury_panel
from tracejury.agents import Relation
from tracejury.agents.checkers import Pair, Probabilities, fit_scale_and_offsets
from tracejury.agents.checkers.calibration import CheckerCalibration

CLAIMS = 100
ALPHA = 0.05
_GOLD = {Relation.SUPPORTS: 0, Relation.CONTRADICTS: 1, None: 2}

Answers = dict[str, Probabilities | None]


def measure_model_lift(
    sets: dict[str, list[LabelledClaim]], gguf: Path, work: Path, *, quick: bool = False
) -> dict[str, Any]:
    """Read the pairs with the model, fit offsets and thresholds on one half of the groups for the other, and table."""
    panel = jury_panel(None)
    checker, endpoint = model_checker(gguf, work)
    result: dict[str, Any] = {"checker": checker.identity}
    for name, all_claims in sets.items():
        claims = sample(all_claims, 4 if quick else CLAIMS)
        pairs = excerpt_pairs(claims, panel)
        asked = [pair for row in pairs for pair in row if pair is not None]
        answers = dict(zip(asked, asyncio.run(read_with_model(checker, endpoint, asked, work)), strict=True))
        rows = [_answers(row, answers) for row in pairs]
        result[name] = {"raw letter": lift_table(_by_letter(claims, rows))}
        result[name]["calibrated on the other half"] = lift_table(_cross_fitted(claims, rows))
        result[name]["auroc"] = _auroc(claims, rows)
    return result


def _answers(row: tuple[Pair, Pair | None, Pair], answers: dict[Pair, Probabilities]) -> Answers:
    own, foreign, empty = row
    return {"own": answers[own], "foreign": answers[foreign] if foreign else None, "empty": answers[empty]}


def _by_letter(claims: Sequence[LabelledClaim], rows: Sequence[Answers]) -> list[ClaimCounts]:
    def counts(answer: Probabilities | None) -> Counts:
        return Counts(*(answer is not None and answer.of(r) > 0.5 for r in ASSERTED))

    return [ClaimCounts(c, {k: counts(a) for k, a in row.items()}) for c, row in zip(claims, rows, strict=True)]


def _cross_fitted(claims: Sequence[LabelledClaim], rows: Sequence[Answers]) -> list[ClaimCounts]:
    groups = sorted({c.group for c in claims})
    halves = [set(np.random.default_rng(0).permutation(groups)[half::2]) for half in (0, 1)]
    counted = []
    for fitting, measured in (halves, halves[::-1]):
        fitted = [(c, row["own"]) for c, row in zip(claims, rows, strict=True) if c.group in fitting]
        calibrate, thresholds = _fit(fitted)
        for claim, row in zip(claims, rows, strict=True):
            if claim.group in measured:
                of = {
                    name: Counts(*(answer is not None and calibrate(answer).of(r) >= thresholds[r] for r in ASSERTED))
                    for name, answer in row.items()
                }
                counted.append(ClaimCounts(claim, of))
    return counted


def _fit(rows: Sequence[tuple[LabelledClaim, Probabilities | None]]) -> tuple[Any, dict[Relation, float]]:
    """Fit offsets, and the least thresholds that at most 5 % of the pairs with another relation reach."""
    read = [(claim, answer) for claim, answer in rows if answer is not None]
    p = np.array([list(answer) for _, answer in read])
    scale, offsets = fit_scale_and_offsets(p, np.array([_GOLD[claim.relation] for claim, _ in read]))
    calibration = CheckerCalibration(
        checker="llm",
        identity="cross-fitted",
        can_contradict=True,
        scale=scale,
        offsets=dict(zip(Relation, map(float, offsets), strict=True)),
        thresholds={},
        alpha=ALPHA,
        n=len(read),
        groups=0,
        evidence={},
        fitted_from="the other half",
    )

    def calibrate(answer: Probabilities) -> Probabilities:
        return calibration.apply([answer])[0]

    thresholds = {}
    for relation in ASSERTED:
        wrong = sorted(calibrate(answer).of(relation) for claim, answer in read if claim.relation is not relation)
        allowed = int(ALPHA * len(wrong))
        thresholds[relation] = wrong[-1 - allowed] + 1e-9 if wrong else 1.0
    return calibrate, thresholds


def _auroc(claims: Sequence[LabelledClaim], rows: Sequence[Answers]) -> float:
    margin = [(c.relation, a.supports - a.contradicts) for c, r in zip(claims, rows, strict=True) if (a := r["own"])]
    yes = [m for relation, m in margin if relation is Relation.SUPPORTS]
    no = [m for relation, m in margin if relation is not Relation.SUPPORTS]
    return round(float(np.mean([(y > n) + (y == n) / 2 for y in yes for n in no])), 3)
