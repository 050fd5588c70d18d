"""Before and after: two arms over the same questions. Did answers get better while reasoning got worse?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tracejury.reports.columns import KINDS, ArmKey, Bools, Columns
from tracejury.reports.paired import detectable, holm, rank_biserial, sign_flip, wilcoxon
from tracejury.reports.rates import rates_of
from tracejury.reports.resampling import Bootstrapped, Estimate, Floats, bootstrap
from tracejury.reports.sentence import headline
from tracejury.traces import Record


class Settings(Record):
    """How a comparison is made."""

    draws: int = 10_000
    confidence: float = 0.95
    """Of the whole family: with m comparisons each interval has 1 - (1 - confidence) / m."""
    seed: int = 0
    min_coverage: float = 0.3
    """Share of claims with a verdict that both arms must reach."""
    min_questions: int = 20
    """Questions with verdicts in both arms."""


class Difference(Record):
    """One paired difference, other arm minus baseline. Shares from 0 to 1."""

    questions: int
    """Pairs that it rests on."""
    baseline: Estimate
    other: Estimate
    difference: Estimate
    by_question: Estimate
    """The mean over questions of the difference within each: every question weighs the same."""
    wilcoxon_p: float
    permutation_p: float
    permutation_p_holm: float
    """Corrected for the number of arms compared."""
    effect_size: Estimate
    """Cohen's d of paired differences: mean / standard deviation (Cohen 1988, section 2.3.5)."""
    rank_biserial: float | None
    detectable: float | None
    """The smallest true difference that a study of this size finds with power 80 %."""


class Comparison(Record):
    """Two arms compared. `steps` is None where either arm has no verdict at all."""

    baseline: ArmKey
    other: ArmKey
    paired: int
    unpaired: tuple[int, int]
    """Questions that only the baseline has, and only the other arm."""
    coverage: tuple[float, float]
    answers: Difference | None
    """None where no question has a gold answer."""
    steps: Difference | None
    worst_case: tuple[Estimate, Estimate] | None
    """The difference if abstentions were all against it, and all for it, each with its own interval."""
    worst_case_with_failures: tuple[Estimate, Estimate] | None
    robust_to_abstentions: bool
    """The direction stays, at the confidence asked for, whatever the abstentions hide."""
    enough: bool
    why_not: str | None
    settings: Settings
    sentence: str


class Sides(NamedTuple):
    """Both arms by question, paired questions only."""

    before: Floats
    """Steps by kind, shape (questions, KINDS)."""
    after: Floats
    right_before: Floats
    """Share of right samples; nan: no gold answer."""
    right_after: Floats
    unpaired: tuple[int, int]


def compare(
    columns: Columns, baseline: ArmKey, others: Sequence[ArmKey], settings: Settings | None = None
) -> list[Comparison]:
    """Compare each of `others` with `baseline`, question by question.

    Raises:
        KeyError: An arm is not in `columns`.
        ValueError: Nothing to compare: no other arm, or no question in common.
    """
    settings = settings or Settings()
    if not others:
        raise ValueError(f"nothing to compare {baseline.arm!r} with: name a second arm or a second run")
    here, *there = columns.arm_codes([baseline, *others])
    each = settings.model_copy(update={"confidence": 1 - (1 - settings.confidence) / len(there)})
    comparisons = [_compare(columns, here, code, each) for code in there]
    corrected = {
        name: holm([getattr(c, name).permutation_p for c in comparisons if getattr(c, name)])
        for name in ("answers", "steps")
    }
    return [
        c.model_copy(
            update={
                name: getattr(c, name).model_copy(update={"permutation_p_holm": corrected[name].pop(0)})
                for name in corrected
                if getattr(c, name)
            }
        )
        for c in comparisons
    ]


def pair(columns: Columns, before: int, after: int, steps: Bools | None = None) -> Sides:
    """Put two arms side by side over the questions that both have traces of, or, given a mask, both have `steps` of."""
    question, arm = columns.traces["question"], columns.traces["arm"]
    n = len(columns.questions)
    there = [np.bincount(question[arm == code], minlength=n) > 0 for code in (before, after)]
    both = there[0] & there[1]
    if steps is not None:
        for code in (before, after):
            both &= columns.per_question(steps & (columns.step_arm == code)).any(axis=1)
    counts, rights = [], []
    for code in (before, after):
        mask = columns.step_arm == code
        counts.append(columns.per_question(mask if steps is None else mask & steps)[both])
        graded = (arm == code) & (columns.traces["correct"] >= 0)
        right = np.bincount(question[graded], weights=columns.traces["correct"][graded], minlength=n)
        with np.errstate(invalid="ignore"):
            rights.append((right / np.bincount(question[graded], minlength=n))[both])
    unpaired = (int((there[0] & ~both).sum()), int((there[1] & ~both).sum()))
    return Sides(counts[0], counts[1], rights[0], rights[1], unpaired)


def _compare(columns: Columns, before: int, after: int, settings: Settings) -> Comparison:
    sides = pair(columns, before, after)
    names = columns.arms[before], columns.arms[after]
    if not len(sides.before):
        raise ValueError(
            f"{names[0].run}:{names[0].arm} and {names[1].run}:{names[1].arm} have no question in common: "
            "comparisons are paired by question"
        )
    coverage = (_coverage(sides.before), _coverage(sides.after))
    steps, bounds, bounds_failed = step_difference(sides, settings)
    why_not = _why_not(sides, coverage, settings)
    robust = why_not is None and steps is not None and bounds is not None and _one_sided(bounds)
    answers = answer_difference(sides, settings)
    comparison = Comparison(
        baseline=names[0],
        other=names[1],
        paired=len(sides.before),
        unpaired=sides.unpaired,
        coverage=coverage,
        answers=answers,
        steps=steps,
        worst_case=bounds,
        worst_case_with_failures=bounds_failed,
        robust_to_abstentions=robust,
        enough=why_not is None,
        why_not=why_not,
        settings=settings,
        sentence=headline(
            answers.difference if answers else None, steps.difference if steps else None, robust, why_not
        ),
    )
    return comparison


def step_difference(
    sides: Sides, settings: Settings
) -> tuple[Difference | None, tuple[Estimate, Estimate] | None, tuple[Estimate, Estimate] | None]:
    """Return the difference of step error rates and its worst cases over abstentions, then over failures too.

    The rates are pooled over the steps of all paired questions, so that they are the rates of `summary` where all
    questions are paired; `by_question` weighs questions equally, over those with verdicts on both sides.
    """
    before, after = rates_of(sides.before)[:, 0], rates_of(sides.after)[:, 0]
    both = np.isfinite(before) & np.isfinite(after)
    if not both.any():
        return None, None, None
    d = np.where(both, after - before, 0.0)
    sums = np.concatenate([sides.before, sides.after, np.stack([d, d * d, both], axis=1)], axis=1)
    estimates = bootstrap(
        sums, _step_measures, draws=settings.draws, confidence=settings.confidence, seed=settings.seed
    )
    p = sign_flip(sides.before, sides.after, _rate_difference, draws=settings.draws, seed=settings.seed)
    difference = _difference(estimates, d[both], p, settings)
    return difference, (estimates.estimate(5), estimates.estimate(6)), (estimates.estimate(7), estimates.estimate(8))


def answer_difference(sides: Sides, settings: Settings) -> Difference | None:
    """Return the difference of accuracies over the paired questions that have a gold answer."""
    both = np.isfinite(sides.right_before) & np.isfinite(sides.right_after)
    if not both.any():
        return None
    before, after = sides.right_before[both], sides.right_after[both]
    d = after - before
    sums = np.stack([before, after, np.ones(len(d)), d, d * d, np.ones(len(d))], axis=1)
    estimates = bootstrap(
        sums, _answer_measures, draws=settings.draws, confidence=settings.confidence, seed=settings.seed
    )
    p = sign_flip(sums[:, :1], sums[:, 1:2], lambda a, b: (b - a)[..., 0], draws=settings.draws, seed=settings.seed)
    return _difference(estimates, d, p, settings)


def _difference(estimates: Bootstrapped, d: Floats, p: float, settings: Settings) -> Difference:
    spread = float(np.nanstd(estimates.replicates[:, 2], ddof=1)) if len(estimates.replicates) else None
    return Difference(
        questions=len(d),
        baseline=estimates.estimate(0),
        other=estimates.estimate(1),
        difference=estimates.estimate(2),
        by_question=estimates.estimate(3),
        wilcoxon_p=wilcoxon(d),
        permutation_p=p,
        permutation_p_holm=p,
        effect_size=estimates.estimate(4),
        rank_biserial=rank_biserial(d),
        detectable=None if spread is None else detectable(spread, 1 - settings.confidence),
    )


def _paired_measures(total: Floats) -> list[Floats]:
    """Mean and Cohen's d of paired differences from (sum, sum of squares, n)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = total[..., 0] / total[..., 2]
        variance = (total[..., 1] - total[..., 2] * mean**2) / (total[..., 2] - 1)
        return [mean, mean / np.sqrt(np.where(variance > 1e-12, variance, np.nan))]


def _step_measures(total: Floats) -> Floats:
    before, after = rates_of(total[..., :KINDS]), rates_of(total[..., KINDS : 2 * KINDS])
    ends = [after[..., 5] - before[..., 6], after[..., 6] - before[..., 5]]
    ends += [after[..., 7] - before[..., 8], after[..., 8] - before[..., 7]]
    rates = [before[..., 0], after[..., 0], after[..., 0] - before[..., 0]]
    return np.stack([*rates, *_paired_measures(total[..., 2 * KINDS :]), *ends], axis=-1)


def _answer_measures(total: Floats) -> Floats:
    before, after = total[..., 0] / total[..., 2], total[..., 1] / total[..., 2]
    return np.stack([before, after, after - before, *_paired_measures(total[..., 3:])], axis=-1)


def _rate_difference(before: Floats, after: Floats) -> Floats:
    return np.asarray(rates_of(after)[..., 0] - rates_of(before)[..., 0])


def _coverage(counts: Floats) -> float:
    value = float(rates_of(counts.sum(axis=0))[3])
    return value if np.isfinite(value) else 0.0


def _why_not(sides: Sides, coverage: tuple[float, float], settings: Settings) -> str | None:
    if min(coverage) < settings.min_coverage:
        shares = " and ".join(f"{100 * c:.1f} %" for c in coverage)
        return f"coverage is {shares} of the claims, at least {100 * settings.min_coverage:g} % is asked for"
    decided = int(((sides.before[:, :2].sum(1) > 0) & (sides.after[:, :2].sum(1) > 0)).sum())
    if decided < settings.min_questions:
        return f"{decided} questions have verdicts on both sides, at least {settings.min_questions} are asked for"
    return None


def _one_sided(bounds: tuple[Estimate, Estimate]) -> bool:
    low, high = bounds[0].low, bounds[1].high
    return low is not None and high is not None and (low > 0 or high < 0)
