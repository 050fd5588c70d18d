"""Do corrected error rates cover the truth, and can a judge that errs by style fake a difference?

Usage: python benchmarks/corrected.py [--draws 300] [--out benchmarks/results/corrected.json]

Both arms have 30 % wrong steps in every world. The judge's sensitivity and specificity differ by arm: .9 and .9 on the
baseline's style, .95 and .7 on the student's (it calls more sound steps wrong). Labels: a sample of steps drawn by arm
and verdict, as `review sample` draws it; or a labelled run of the same panel over other questions, with another share
of wrong steps. Questions differ in difficulty (beta, intraclass correlation .2), 4 to 12 steps each.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import time
from pathlib import Path

import numpy as np
from scipy import stats

from tracejury.agents import Outcome, Reason, Route
from tracejury.ledger import StepRow
from tracejury.reports import corrected_difference, corrected_rate, difference, gather, share
from tracejury.traces import Role

SKILL = {"base": (0.9, 0.9), "distilled": (0.95, 0.7)}
TRUTH = 0.3
CASES = {
    "75 labelled steps an arm, 200 questions": {"questions": 200, "labels": 75},
    "150 labelled steps an arm, 200 questions": {"questions": 200, "labels": 150},
    "40 labelled steps an arm, 60 questions": {"questions": 60, "labels": 40},
    "labels of another run, 60 questions": {"questions": 200, "other": 60},
    "labels of another run, 30 questions": {"questions": 100, "other": 30},
}


def rows(rng: np.random.Generator, questions: int, wrong: float, labelled: bool = False) -> list[StepRow]:
    """Draw the rows of a run whose steps are wrong with mean probability `wrong`, with their labels if asked for."""
    drawn = []
    concentration = 1 / 0.2 - 1
    p = stats.beta.rvs(wrong * concentration, (1 - wrong) * concentration, size=questions, random_state=rng)
    for q in range(questions):
        for arm, (sensitivity, specificity) in SKILL.items():
            for i in range(int(rng.integers(4, 13))):
                is_wrong = rng.random() < p[q]
                called = rng.random() < (sensitivity if is_wrong else 1 - specificity)
                drawn.append(step(q, arm, i, called, ("error" if is_wrong else "supported"), labelled))
    return drawn


def step(question: int, arm: str, index: int, called: bool, truth: str, labelled: bool) -> StepRow:
    """Return one row; its `model` field carries the truth for the drawing of labels."""
    return StepRow.model_construct(
        run="r", question_id=f"q{question}", trace_id=f"{arm}{question}", model=truth, arm=arm, sample=0, split=None,
        segmenter="numbered", panel="p", step_id=f"{arm}{question}-{index}", step_index=index, step_text="x", start=0,
        end=1, role=Role.FACTUAL_CLAIM, hedges=0, hint_used=None, claim=True, meta={}, citations=(), opinions=(),
        outcome=Outcome.ERROR if called else Outcome.SUPPORTED, error_type=None, confidence=None, route=Route.MAJORITY,
        reason=Reason.GROUNDED_MAJORITY, resolver=None, answer=None, gold=None, answer_correct=None, calls=0,
        prompt_tokens=0, cached_tokens=0, completion_tokens=0, cost_usd=0.0, label=truth if labelled else None,
        label_type=None,
    )  # fmt: skip


def with_sample(rng: np.random.Generator, of: list[StepRow], labels: int) -> list[StepRow]:
    """Label about `labels` steps of each arm, half under each verdict, at random."""
    chosen: set[int] = set()
    for arm in SKILL:
        for outcome in (Outcome.ERROR, Outcome.SUPPORTED):
            at = [i for i, r in enumerate(of) if r.arm == arm and r.outcome is outcome]
            chosen.update(rng.permutation(at)[: labels // 2].tolist())
    return [r.model_copy(update={"label": r.model}) if i in chosen else r for i, r in enumerate(of)]


def coverage(draws: int, seed: int, questions: int, labels: int = 0, other: int = 0) -> dict[str, object]:
    """Return how often corrected and raw intervals cover the truth, and their values in points."""
    rng = np.random.default_rng(seed)
    names = ("rate", "raw_rate", "difference", "raw_difference")
    hits, values, widths = dict.fromkeys(names, 0), {n: [] for n in names}, {n: [] for n in names}
    rates = without = 0
    for _ in range(draws):
        run = rows(rng, questions, TRUTH)
        columns = gather(with_sample(rng, run, labels) if labels else run)
        elsewhere = gather(rows(rng, other, 0.45, labelled=True)) if other else None
        made = [corrected_rate(columns, code, labels=elsewhere) for code in columns.arm_codes(columns.arms)]
        change = corrected_difference(made[0], made[1])
        assert change is not None
        counts = [columns.per_question(columns.step_arm == code) for code in (0, 1)]
        raw = difference(*(share(c[:, 1], c[:, :2].sum(axis=1)) for c in counts))
        for arm in made:
            assert arm is not None
            rates += 1
            for name, e in (("rate", arm.rate), ("raw_rate", arm.raw)):
                values[name].append(e.value)
                hits[name] += e.low is not None and e.low <= TRUTH <= e.high
        for name, e in (("difference", change.difference), ("raw_difference", raw)):
            without += e.low is None
            values[name].append(e.value)
            hits[name] += e.low is not None and e.low <= 0 <= e.high
            widths[name].append(np.nan if e.low is None else 100 * (e.high - e.low))
    n = {"rate": rates, "raw_rate": rates, "difference": draws, "raw_difference": draws}
    return {
        name: {
            "covered_percent": round(100 * hits[name] / n[name], 1),
            "exact_95": [
                round(float(100 * end), 1) for end in stats.binomtest(hits[name], n[name]).proportion_ci(method="exact")
            ],
            "mean_points": round(float(100 * np.nanmean(np.array(values[name], dtype=float))), 1),
            **({"mean_width_points": round(float(np.nanmean(widths[name])), 1)} if widths[name] else {}),
        }
        for name in names
    } | {"draws": draws, "without_interval": without}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=300)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("results") / "corrected.json")
    args = parser.parse_args()
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False).stdout
    results, began = {}, time.perf_counter()
    for name, case in CASES.items():
        results[name] = coverage(args.draws, args.seed, **case)
        print(f"{name:42} {results[name]}", flush=True)
    command = f"python benchmarks/corrected.py --draws {args.draws} --seed {args.seed}"
    body = {"command": command, "commit": commit.strip(), "seconds": round(time.perf_counter() - began, 1)}
    args.out.write_text(json.dumps({**body, "cases": results}, indent=1) + "\n", encoding="utf-8")
    print(f"written to {args.out}")


if __name__ == "__main__":
    main()
