"""Do the intervals hold what they say? Known truth, many studies: how often a 95 % interval covers it.

Usage: python benchmarks/coverage.py [--studies 2000] [--only WORLD...] [--out benchmarks/results/coverage.json]

A world draws questions that differ in difficulty (beta error rates of the given intraclass correlation, shared in part
by the arms), traces of log-normal length, and abstentions. Its truth is the same figure over 300,000 questions. Worlds
have 5 to 1,273 questions; `heavy` ones have question sizes whose standard deviation of the logarithm is 1 (a few
questions hold most steps), `rare` ones have errors in 2 to 6 % of steps, `longer when hard` ones have more steps where
errors are likely. Beside the headline's difference: the mean over questions, the rate of one arm, and how narrow the
narrowest interval was.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy import stats

from tracejury.reports import KINDS, Settings, Sides, decided_in_both, paired_rates, step_difference


class World(NamedTuple):
    """What a study is drawn from."""

    questions: int
    icc: float = 0.2
    steps: float = 8.0
    """Mean of a trace."""
    spread: float = 0.2
    """Standard deviation of the logarithm of the number of steps."""
    errors: tuple[float, float] = (0.306, 0.503)
    longer_when_hard: float = 0.0
    samples: int = 1
    abstain: tuple[float, float] = (0.0, 0.0)
    prefers_errors: float = 1.0
    """Abstention takes errors so many times as often as sound steps."""


WORLDS = {
    "clustered, 1273 questions": World(1273),
    "abstention that prefers errors, 1273 questions": World(1273, abstain=(0.02, 0.3), prefers_errors=1.6),
    "100 questions": World(100),
    "50 questions": World(50),
    "20 questions": World(20),
    "10 questions": World(10),
    "5 questions": World(5),
    "strong clustering, 20 questions": World(20, icc=0.5),
    "strong clustering, 10 questions": World(10, icc=0.5),
    "heavy, 200 questions": World(200, icc=0.5, spread=1.0),
    "heavy, 50 questions": World(50, icc=0.5, spread=1.0),
    "heavy, 20 questions": World(20, icc=0.5, spread=1.0),
    "heavy, 10 questions": World(10, icc=0.5, spread=1.0),
    "heavy, 5 questions": World(5, icc=0.5, spread=1.0),
    "heavy, 4 samples, 50 questions": World(50, icc=0.5, spread=1.0, samples=4),
    "heavy, 4 samples, 20 questions": World(20, icc=0.5, spread=1.0, samples=4),
    "longer when hard, 100 questions": World(100, icc=0.3, spread=1.0, longer_when_hard=0.5),
    "longer when hard, 20 questions": World(20, icc=0.3, spread=1.0, longer_when_hard=0.5),
    "rare, 50 questions": World(50, steps=6, errors=(0.02, 0.05)),
    "rare, 20 questions": World(20, steps=6, errors=(0.02, 0.05)),
    "rare, 10 questions": World(10, steps=6, errors=(0.02, 0.05)),
    "rare and heavy, 50 questions": World(50, icc=0.5, spread=1.0, errors=(0.03, 0.06)),
    "rare and heavy, 20 questions": World(20, icc=0.5, spread=1.0, errors=(0.03, 0.06)),
    "no difference, heavy, 20 questions": World(20, icc=0.3, spread=1.0, errors=(0.35, 0.35)),
}


def study(rng: np.random.Generator, world: World) -> Sides:
    """Draw one study: counts by question and kind for both arms."""
    n = world.questions
    hard = rng.normal(0, 1, n)
    concentration = 1 / world.icc - 1
    sides = []
    for arm, mean in enumerate(world.errors):
        level = np.clip(stats.norm.cdf(0.8 * hard + 0.6 * rng.normal(0, 1, n)), 1e-6, 1 - 1e-6)
        p = stats.beta.ppf(level, mean * concentration, (1 - mean) * concentration)
        sizes = [
            world.steps * np.exp(rng.normal(-(world.spread**2) / 2, world.spread, n) + world.longer_when_hard * hard)
            for _ in range(world.samples)
        ]
        steps = np.maximum(np.round(sizes), 1).astype(int).sum(axis=0)
        wrong = rng.binomial(steps, p)
        silent_right = rng.binomial(steps - wrong, world.abstain[arm])
        silent_wrong = rng.binomial(wrong, min(world.abstain[arm] * world.prefers_errors, 1.0))
        counts = np.zeros((n, KINDS))
        counts[:, 0], counts[:, 1] = steps - wrong - silent_right, wrong - silent_wrong
        counts[:, 2] = silent_right + silent_wrong
        sides.append(counts)
    no_answers = np.full(n, np.nan)
    return Sides(sides[0], sides[1], no_answers, no_answers, (0, 0))


def truth(world: World) -> tuple[float, float, float]:
    """Return (difference, mean difference by question, rate of the baseline) over very many questions."""
    sides = study(np.random.default_rng(1), world._replace(questions=300_000))
    decided = sides.only(decided_in_both(sides, Settings().min_decided))
    rates = [side[:, 1] / side[:, :2].sum(axis=1) for side in (decided.before, decided.after)]
    pooled = [side[:, 1].sum() / side[:, :2].sum() for side in (decided.before, decided.after)]
    return float(pooled[1] - pooled[0]), float((rates[1] - rates[0]).mean()), float(pooled[0])


def coverage(world: World, studies: int, seed: int) -> dict[str, object]:
    """Return how often intervals covered the truth, with Clopper and Pearson's interval, and their width in points."""
    aims, rng = truth(world), np.random.default_rng(seed)
    hits, widths, without = np.zeros(3), [], 0
    for _ in range(studies):
        found = paired_rates(study(rng, world), Settings())
        if found is None or found.difference.low is None or found.difference.high is None:
            without += 1
            continue
        estimates = (found.difference, found.by_question, found.baseline)
        hits += [e.low <= aim <= e.high for e, aim in zip(estimates, aims, strict=True)]
        widths.append(100 * (found.difference.high - found.difference.low))
    n = studies - without
    ends = stats.binomtest(int(hits[0]), n).proportion_ci(method="exact")
    return {
        "covered_percent": _percent(hits[0], n),
        "exact_95": [_percent(end, 1) for end in (ends.low, ends.high)],
        "by_question_covered_percent": _percent(hits[1], n),
        "rate_covered_percent": _percent(hits[2], n),
        "mean_width_points": round(float(np.mean(widths)), 1),
        "least_width_points": round(min(widths), 1),
        "truth_points": round(100 * aims[0], 2),
        "questions": world.questions,
        "studies": studies,
        "without_interval": without,
    }


def permutation_rejects(world: World, studies: int, seed: int) -> dict[str, object]:
    """Return how often the permutation test of the studies of `coverage` rejects at 5 %."""
    rng = np.random.default_rng(seed)
    tested = [step_difference(study(rng, world), Settings(draws=100, seed=i))[0] for i in range(studies)]
    p_values = [t.permutation_p for t in tested if t and t.difference.low is not None]
    return {"permutation_rejects_percent": _percent(sum(p <= 0.05 for p in p_values), len(p_values))}


def _percent(count: float, n: int) -> float:
    return round(100 * float(count) / n, 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=2000)
    parser.add_argument("--only", nargs="+", choices=WORLDS, default=list(WORLDS))
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("results") / "coverage.json")
    args = parser.parse_args()
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False).stdout
    results, began = {}, time.perf_counter()
    for name in args.only:
        results[name] = coverage(WORLDS[name], args.studies, args.seed)
        results[name] |= permutation_rejects(WORLDS[name], args.studies, args.seed)
        print(f"{name:48} {results[name]}", flush=True)
    command = f"python benchmarks/coverage.py --studies {args.studies} --seed {args.seed}"
    body = {"command": command, "commit": commit.strip(), "seconds": round(time.perf_counter() - began, 1)}
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps({**body, "scenarios": results}, indent=1) + "\n", encoding="utf-8")
    print(f"written to {args.out}")


if __name__ == "__main__":
    main()
