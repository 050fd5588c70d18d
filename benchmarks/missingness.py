"""Can missing verdicts fake a difference? Arms of the same true error rates, verdicts missing in one arm alone.

Usage: python benchmarks/missingness.py [--studies 1000] [--out benchmarks/results/missingness.json]

- `between questions`: one arm has verdicts on its easy questions only.
- `within questions`: it has verdicts on the easy steps of every question only. `both`: both of these.
- `at random`: the same share is missing at random. `like in both`: both arms lose their hard steps alike.

The table says how often a true difference of none is rejected at 5 %, with the upper end of the exact 95 % interval of
that share: by the headline's permutation test and by Wilcoxon's, which allow for unlike coverage; by the permutation
test of the verdicts alone; and by a test over the pool of all verdicts, which is what one gets without pairing. Last:
how often the direction would be called robust to abstentions.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import time
from pathlib import Path

import numpy as np
from scipy import stats

from tracejury.reports import KINDS, Settings, Sides, step_difference

WORLDS = ("between questions", "within questions", "both", "at random", "like in both")
STEPS = 8


def study(rng: np.random.Generator, missing: str, questions: int = 60) -> Sides:
    """Draw one study: error rates of both arms are the same, .1 on easy and .6 on hard steps."""
    hard_question = rng.random(questions) < 0.6
    sides = []
    for arm in (0, 1):
        steps = rng.integers(STEPS // 2, STEPS + STEPS // 2, questions)
        hard = rng.binomial(steps, np.where(hard_question, 0.7, 0.2))
        easy = steps - hard
        wrong_hard, wrong_easy = rng.binomial(hard, 0.6), rng.binomial(easy, 0.1)
        keep_hard, keep_easy = np.ones(questions), np.ones(questions)
        if arm == 1 and missing in ("between questions", "both"):
            keep_hard, keep_easy = (k * ~hard_question for k in (keep_hard, keep_easy))
        if missing == "like in both" or (arm == 1 and missing in ("within questions", "both")):
            keep_hard = np.zeros(questions)
        if arm == 1 and missing == "at random":
            keep_hard, keep_easy = (np.full(questions, 0.6) for _ in (0, 1))
        counts = np.zeros((questions, KINDS))
        for total, wrong, keep in ((hard, wrong_hard, keep_hard), (easy, wrong_easy, keep_easy)):
            errors, sound = rng.binomial(wrong, keep), rng.binomial(total - wrong, keep)
            counts[:, 0] += sound
            counts[:, 1] += errors
            counts[:, 2] += total - errors - sound
        sides.append(counts)
    no_answers = np.full(questions, np.nan)
    return Sides(sides[0], sides[1], no_answers, no_answers, (0, 0))


def pooled_rejects(sides: Sides) -> bool:
    """Return whether a test of all verdicts, not paired, with questions as clusters, rejects at 5 %."""
    ends = []
    for side in (sides.before, sides.after):
        rate = side[:, 1].sum() / side[:, :2].sum()
        ends.append((rate, ((side[:, 1] - rate * side[:, :2].sum(axis=1)) ** 2).sum() / side[:, :2].sum() ** 2))
    (before, v0), (after, v1) = ends
    return bool(abs(after - before) > 1.96 * np.sqrt(v0 + v1))


def rejections(missing: str, studies: int, seed: int) -> dict[str, object]:
    """Return how often each test rejects that there is no difference."""
    rng = np.random.default_rng(seed)
    names = ("permutation", "wilcoxon", "permutation_of_verdicts_alone", "pool_of_all_verdicts", "direction_robust")
    hits, without = dict.fromkeys(names, 0), 0
    for i in range(studies):
        sides = study(rng, missing)
        found, worst, _ = step_difference(sides, Settings(draws=500, seed=i))
        hits["pool_of_all_verdicts"] += pooled_rejects(sides)
        if found is None or worst is None:
            without += 1
            continue
        hits["permutation"] += found.permutation_p <= 0.05
        hits["wilcoxon"] += found.wilcoxon_p <= 0.05
        hits["permutation_of_verdicts_alone"] += found.permutation_p_verdicts_alone <= 0.05
        hits["direction_robust"] += (worst[0].low or 0) > 0 or (worst[1].high or 0) < 0
    results: dict[str, object] = {"studies": studies, "nothing_to_compare": without}
    for name, count in hits.items():
        upper = stats.binomtest(count, studies).proportion_ci(method="exact").high
        results[name] = {"percent": round(100 * count / studies, 1), "upper_95": round(100 * upper, 1)}
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("results") / "missingness.json")
    args = parser.parse_args()
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False).stdout
    results, began = {}, time.perf_counter()
    for missing in WORLDS:
        results[missing] = rejections(missing, args.studies, args.seed)
        print(f"{missing:20} {results[missing]}", flush=True)
    command = f"python benchmarks/missingness.py --studies {args.studies} --seed {args.seed}"
    body = {"command": command, "commit": commit.strip(), "seconds": round(time.perf_counter() - began, 1)}
    args.out.write_text(json.dumps({**body, "worlds": results}, indent=1) + "\n", encoding="utf-8")
    print(f"written to {args.out}")


if __name__ == "__main__":
    main()
