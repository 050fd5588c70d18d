"""Does the reliability without labels cover the truth? Judges of known skill, many studies.

Usage: python benchmarks/reliability.py [--studies 300] [--out benchmarks/results/reliability.json]

A world has three or five judges who err independently of each other and are `unclear` on a share of the steps; three in
ten steps are wrong, six steps a question. In one world a judge errs on whole questions. For the best judge
of each world: how often the 95 % interval covers its balanced accuracy, with Clopper and Pearson's interval, and how
often it lies below it.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from tracejury.reports import reliabilities


class World(NamedTuple):
    """Judges by balanced accuracy, how often each is unclear, and the number of steps."""

    accuracies: tuple[float, ...]
    unclear: tuple[float, ...]
    steps: int
    icc: float = 0.0
    """Intraclass correlation of a judge's errors within a question."""


WORLDS = {
    "900 steps": World((0.93, 0.83, 0.84), (0, 0, 0), 900),
    "180 steps": World((0.93, 0.83, 0.84), (0, 0, 0), 180),
    "90 steps": World((0.93, 0.83, 0.84), (0.1, 0.1, 0.1), 90),
    "the best is unclear on 70 %, 900 steps": World((0.93, 0.83, 0.84), (0.7, 0.05, 0.05), 900),
    "the others are unclear on 70 %, 900 steps": World((0.93, 0.83, 0.84), (0, 0.7, 0.7), 900),
    "five judges, 300 steps": World((0.95, 0.9, 0.85, 0.8, 0.75), (0.1,) * 5, 300),
    "a nearly perfect judge among weak ones, 300 steps": World((0.98, 0.75, 0.7), (0, 0, 0), 300),
    "a nearly perfect judge among weak ones, 900 steps": World((0.98, 0.75, 0.7), (0, 0, 0), 900),
    "a nearly perfect judge among four weak ones, 300 steps": World((0.98, 0.7, 0.7, 0.65, 0.65), (0,) * 5, 300),
    "errors go together by question, 300 steps": World((0.93, 0.83, 0.84), (0, 0, 0), 300, icc=0.3),
}


def coverage(world: World, studies: int, seed: int) -> dict[str, object]:
    """Return how often the intervals cover, for the best judge (the first) and for all."""
    rng = np.random.default_rng(seed)
    names = [f"judge {j}" for j in range(len(world.accuracies))]
    covered, below, widths = np.zeros(len(names)), 0, []
    for _ in range(studies):
        truth = rng.random(world.steps) < 0.3
        right = rng.random((world.steps, len(names))) < _accuracies(world, rng)
        labels = np.where(right, truth[:, None], ~truth[:, None]).astype(np.int64)
        labels[rng.random(labels.shape) < np.array(world.unclear)] = 2
        estimates = reliabilities(labels, np.arange(world.steps) // 6, names)
        for j, name in enumerate(names):
            low, high = estimates[name].low, estimates[name].high
            covered[j] += low <= world.accuracies[j] <= high
            if j == 0:
                below += high < world.accuracies[0]
                widths.append(100 * (high - low))
    ends = stats.binomtest(int(covered[0]), studies).proportion_ci(method="exact")
    return {
        "best_covered_percent": round(float(100 * covered[0] / studies), 1),
        "exact_95": [round(100 * float(end), 1) for end in (ends.low, ends.high)],
        "best_above_interval_percent": round(100 * below / studies, 1),
        "all_covered_percent": round(float(100 * covered.mean() / studies), 1),
        "mean_width_points": round(float(np.mean(widths)), 1),
        "studies": studies,
    }


def _accuracies(world: World, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return each judge's chance of being right on each step; shape (steps, judges), or (judges,) without clusters."""
    mean = np.array(world.accuracies)
    if not world.icc:
        return mean
    spread = 1 / world.icc - 1
    by_question = rng.beta(mean * spread, (1 - mean) * spread, (-(-world.steps // 6), len(mean)))
    return np.repeat(by_question, 6, axis=0)[: world.steps]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=300)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("results") / "reliability.json")
    args = parser.parse_args()
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False).stdout
    results, began = {}, time.perf_counter()
    for name, world in WORLDS.items():
        results[name] = coverage(world, args.studies, args.seed)
        print(f"{name:54} {results[name]}", flush=True)
    command = f"python benchmarks/reliability.py --studies {args.studies} --seed {args.seed}"
    body = {"command": command, "commit": commit.strip(), "seconds": round(time.perf_counter() - began, 1)}
    args.out.write_text(json.dumps({**body, "worlds": results}, indent=1) + "\n", encoding="utf-8")
    print(f"written to {args.out}")


if __name__ == "__main__":
    main()
