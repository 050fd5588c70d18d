"""Do the intervals hold what they say? Known truth, many draws: how often the 95 % interval of a difference covers it.

Usage: python benchmarks/coverage.py [--draws 300] [--bootstrap 600] [--out benchmarks/results/coverage.json]

Truth: base errs in 30.6 % of steps, distilled in 50.3 %, on 1,273 questions (protocol.md, 'The finding'). Questions
differ in difficulty (beta, intraclass correlation .2 within an arm), which the arms share in part; traces have 3 to
12 steps. Scenarios add abstention at random, heavy abstention that prefers errors (the
truth is then the difference among verdicts, which is what the rate claims to be), and few questions.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import time
from pathlib import Path
from statistics import NormalDist

import numpy as np
from scipy import stats

from tracejury.reports import KINDS, Settings, Sides, step_difference

BASE, DISTILLED, QUESTIONS, ICC = 0.306, 0.503, 1273, 0.2
SCENARIOS = {
    "clustered": {},
    "heavy abstention": {"abstain": (0.02, 0.45), "prefers_errors": 1.6},
    "100 questions": {"questions": 100},
    "30 questions": {"questions": 30},
    "strong clustering": {"icc": 0.5},
}


def rates(rng: np.random.Generator, n: int, icc: float) -> np.ndarray:
    """Error probabilities by question and arm, shape (n, 2): beta margins, joined by a normal copula at .6."""
    joint = rng.multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], size=n)
    spread = 1 / icc - 1
    margins = [(m * spread, (1 - m) * spread) for m in (BASE, DISTILLED)]
    return np.stack([stats.beta.ppf(stats.norm.cdf(joint[:, i]), *margin) for i, margin in enumerate(margins)], axis=1)


def study(rng: np.random.Generator, questions: int, icc: float, abstain: tuple[float, float], prefers: float) -> Sides:
    """One simulated study: counts by question and kind for both arms."""
    sides = []
    for arm, p in enumerate(rates(rng, questions, icc).T):
        steps = rng.integers(3, 13, questions)
        wrong = rng.binomial(steps, p)
        # Abstention takes errors `prefers` times as often as sound steps.
        silent_right = rng.binomial(steps - wrong, abstain[arm])
        silent_wrong = rng.binomial(wrong, min(abstain[arm] * prefers, 1.0))
        counts = np.zeros((questions, KINDS))
        counts[:, 0], counts[:, 1] = steps - wrong - silent_right, wrong - silent_wrong
        counts[:, 2] = silent_right + silent_wrong
        sides.append(counts)
    nothing = np.full(questions, np.nan)
    return Sides(sides[0], sides[1], nothing, nothing, (0, 0))


def truth(abstain: tuple[float, float], prefers: float) -> float:
    """The difference of error rates among verdicts that the scenario has in the limit."""
    ends = []
    for share, p in zip(abstain, (BASE, DISTILLED), strict=True):
        wrong, right = p * (1 - min(share * prefers, 1.0)), (1 - p) * (1 - share)
        ends.append(wrong / (wrong + right))
    return ends[1] - ends[0]


def coverage(draws: int, bootstrap: int, seed: int, **scenario: object) -> dict[str, object]:
    """Return how often the interval covered the truth, with Wilson's interval, and its mean width in points."""
    questions, icc = int(scenario.get("questions", QUESTIONS)), float(scenario.get("icc", ICC))
    abstain, prefers = scenario.get("abstain", (0.0, 0.0)), float(scenario.get("prefers_errors", 1.0))
    aim = truth(abstain, prefers)
    rng = np.random.default_rng(seed)
    held, widths = 0, []
    for draw in range(draws):
        sides = study(rng, questions, icc, abstain, prefers)
        found, _, _ = step_difference(sides, Settings(draws=bootstrap, seed=draw))
        assert found is not None
        assert found.difference.low is not None
        assert found.difference.high is not None
        held += found.difference.low <= aim <= found.difference.high
        widths.append(100 * (found.difference.high - found.difference.low))
    z, p = NormalDist().inv_cdf(0.975), held / draws
    centre, half = (p + z * z / (2 * draws)), z * np.sqrt(p * (1 - p) / draws + z * z / (4 * draws**2))
    ends = [round(float(100 * (centre + side * half) / (1 + z * z / draws)), 1) for side in (-1, 1)]
    return {"covered_percent": round(100 * p, 1), "wilson_95": ends, "draws": draws, "questions": questions,
            "truth_points": round(100 * aim, 2), "mean_width_points": round(float(np.mean(widths)), 2)}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=300)
    parser.add_argument("--bootstrap", type=int, default=600)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("results") / "coverage.json")
    args = parser.parse_args()
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False).stdout
    found, began = {}, time.perf_counter()
    for name, scenario in SCENARIOS.items():
        found[name] = coverage(args.draws, args.bootstrap, args.seed, **scenario)
        print(f"{name:20} {found[name]}", flush=True)
    command = f"python benchmarks/coverage.py --draws {args.draws} --bootstrap {args.bootstrap} --seed {args.seed}"
    body = {"command": command, "commit": commit.strip(), "seconds": round(time.perf_counter() - began, 1)}
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps({**body, "scenarios": found}, indent=1) + "\n", encoding="utf-8")
    print(f"written to {args.out}")


if __name__ == "__main__":
    main()
