"""The guarantee in simulation: how often does a certified threshold's true risk exceed alpha? It may in a share delta.

    python benchmarks/guarantee.py --icc 0.1 --base-rate 0.16 --steps 13 --out benchmarks/results/guarantee.json

A world is questions with a number of verdicts each; whether a verdict is wrong depends on its question (a beta draw
with the given intraclass correlation) and on its score. Each of 1,000 calibration draws takes fresh questions and
certifies a threshold on them; its true risk is read off a population of 50,000 questions. Beside the product's tests,
which look at one verdict a question (`--per question`) or at all of them with questions as the units (`--per step`,
whose promise is the risk by verdict), stands the test that takes every verdict for independent.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.stats import beta, binom, binomtest

from tracejury.reports import Verdicts, certify

CALIBRATION_DRAWS = 1000


class World(NamedTuple):
    """How verdicts come about."""

    base_rate: float
    icc: float
    steps: float
    skill: float
    """How far the score tells right from wrong: P(wrong) falls with the score by this power."""


def draw(world: World, questions: int, rng: np.random.Generator) -> Verdicts:
    """Draw questions with their verdicts. Without intraclass correlation every question has the base rate."""
    sizes = 1 + rng.poisson(world.steps - 1, questions)
    question = np.repeat(np.arange(questions), sizes)
    if world.icc:
        spread = 1 / world.icc - 1
        rate = beta.rvs(world.base_rate * spread, (1 - world.base_rate) * spread, size=questions, random_state=rng)
    else:
        rate = np.full(questions, world.base_rate)
    score = rng.random(len(question))
    # The mean of (skill + 1) x^skill over a uniform score is 1: the base rate stays what it is.
    chance = np.clip(rate[question] * (world.skill + 1) * score**world.skill, 0, 1)
    return Verdicts(question, score, rng.random(len(question)) < chance)


def true_risk(population: Verdicts, grid: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return, per threshold of `grid`, the risk by question (what is certified) and the risk by verdict."""
    by_question, by_verdict = [], []
    for threshold in grid:
        is_kept = population.mistaken <= threshold
        n = np.bincount(population.question[is_kept])
        wrong = np.bincount(population.question[is_kept], weights=population.wrong[is_kept])
        by_question.append((wrong[n > 0] / n[n > 0]).mean() if n.any() else 0.0)
        by_verdict.append(population.wrong[is_kept].mean() if is_kept.any() else 0.0)
    return np.array(by_question), np.array(by_verdict)


def naive(fitting: Verdicts, certifying: Verdicts, alpha: float, delta: float) -> float | None:
    """Certify as if every verdict were independent: the loosest threshold of the sequence that passes."""
    best = None
    for threshold in np.quantile(fitting.mistaken, np.linspace(0.05, 1, 20)):
        is_kept = certifying.mistaken <= threshold
        if binom.cdf(certifying.wrong[is_kept].sum(), is_kept.sum(), alpha) > delta:
            break
        best = float(threshold)
    return best


def simulate(world: World, questions: int, alpha: float, delta: float, seed: int) -> dict[str, object]:
    """Run the calibration draws in one world."""
    rng = np.random.default_rng(seed)
    grid = np.linspace(0, 1, 101)
    risks = true_risk(draw(world, 50_000, rng), grid)
    violations: dict[str, list[float]] = {"one verdict a question": [], "per step": [], "every verdict": []}
    for i in range(CALIBRATION_DRAWS):
        halves = draw(world, questions // 2, rng), draw(world, questions - questions // 2, rng)
        certified = certify(*halves, alpha=alpha, delta=delta, seed=i).threshold
        by_step = certify(*halves, alpha=alpha, delta=delta, seed=i, per="step").threshold
        other = naive(*halves, alpha, delta)
        for name, threshold in zip(violations, (certified, by_step, other), strict=True):
            if threshold is not None:
                violations[name].append(threshold)
    out: dict[str, object] = {**world._asdict(), "questions": questions, "alpha": alpha, "delta": delta}
    for name, thresholds in violations.items():
        over = [int((np.interp(thresholds, grid, r) > alpha).sum()) for r in risks]
        interval = binomtest(over[0], CALIBRATION_DRAWS).proportion_ci()
        out[name] = {
            "certified": len(thresholds) / CALIBRATION_DRAWS,
            "violations": over[0] / CALIBRATION_DRAWS,
            "violations_95": [round(interval.low, 4), round(interval.high, 4)],
            "violations_by_verdict": over[1] / CALIBRATION_DRAWS,
            "mean_threshold": float(np.mean(thresholds)) if thresholds else None,
        }
    return out


def main() -> None:
    """Simulate at two alphas, clustered and independent, and write what was seen."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--icc", type=float, required=True, help="measured on the real set")
    parser.add_argument("--base-rate", type=float, required=True, help="share of wrong steps, measured on the real set")
    parser.add_argument("--steps", type=float, required=True, help="labelled steps a question, measured")
    parser.add_argument("--questions", type=int, nargs="+", default=[73, 300])
    parser.add_argument("--delta", type=float, default=0.1)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    rows = []
    for questions in args.questions:
        for alpha in (0.1, 0.2):
            for icc in (args.icc, 0.0):
                world = World(args.base_rate, icc, args.steps, skill=1.0)
                row = simulate(world, questions, alpha, args.delta, seed=len(rows))
                rows.append(row)
                print(json.dumps(row), flush=True)
    if args.out:
        args.out.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
