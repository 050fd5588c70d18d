"""Error rates corrected for the errors of the judges, where labelled steps are at hand.

A jury that errs more on one style than on another makes a difference where there is none. Labels of people tell how
often its verdicts are wrong in each arm, and so what share of the steps with a verdict is wrong in truth. Two ways:

- Labels on a sample of these steps (from the data, or from experts): the error rate of each kind of verdict, weighed by
  how many there are. It is the post-stratified form of prediction-powered inference (Angelopoulos et al. 2023, Science
  382:669) with the verdict as the prediction; the sample may be drawn by arm and verdict, as `review sample` does.
- Labels on another run of the same panel: sensitivity and specificity carry over, the mix of steps does not (Rogan and
  Gladen 1978, Am J Epidemiol 107:71).
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from tracejury.reports.columns import ArmKey, Bools, Columns
from tracejury.reports.differences import Settings
from tracejury.reports.estimates import MIN_CLUSTERS, Estimate, Floats
from tracejury.reports.intervals import Share, share
from tracejury.reports.sides import questions_decided_in_both
from tracejury.reports.student_t import t_quantile
from tracejury.traces import Record

_LEAST_QUESTIONS = MIN_CLUSTERS
_LEAST_YOUDEN = 0.1
"""Sensitivity + specificity - 1 at or below which verdicts tell next to nothing of the truth."""


class Corrected(Record):
    """The share of wrong steps among those with a verdict, in one arm. Shares from 0 to 1."""

    arm: ArmKey
    method: Literal["labels of these steps", "labels of another run"]
    labelled: int
    """Labelled steps with a verdict."""
    questions: int
    """Questions that they belong to."""
    raw: Estimate
    """The error rate by the verdicts."""
    rate: Estimate
    sensitivity: Estimate
    """P(verdict is error | the step is wrong), of the labelled steps with a verdict."""
    specificity: Estimate
    note: str = ""


class CorrectedDifference(Record):
    """Two arms' corrected rates, and their difference: other minus baseline."""

    baseline: Corrected
    other: Corrected
    difference: Estimate


class _Labelled(NamedTuple):
    """Labelled steps with a verdict by question, shape (questions,) each."""

    true_errors: Floats
    """Called wrong, and wrong."""
    false_errors: Floats
    missed: Floats
    """Called supported, and wrong."""
    true_supports: Floats

    @property
    def steps(self) -> int:
        return int(sum(part.sum() for part in self))

    @property
    def questions(self) -> int:
        return int((np.sum(self, axis=0) > 0).sum())


def corrected_rate(
    columns: Columns,
    arm: int,
    *,
    labels: Columns | None = None,
    questions: Bools | None = None,
    steps: Bools | None = None,
    confidence: float = 0.95,
) -> Corrected | None:
    """Return the corrected error rate of an arm; None where no labelled step has a verdict.

    Args:
        columns: Steps; their `human` labels count where `labels` is None.
        arm: Code of the arm in `columns.arms`.
        labels: Another run of the same panel, with labels; its arm of the same name counts where that has any.
        questions: Whose steps the rate is over, shape (questions,); None: all.
        steps: Which steps of `columns` count at all, their labels too, shape (steps,); None: all.
        confidence: Confidence level of the intervals.
    """
    here = columns.step_arm == arm
    if steps is not None:
        here &= steps
    counts = columns.per_question(here if questions is None else here & questions[columns.step_question])
    raw = share(counts[:, 1], counts[:, :2].sum(axis=1), confidence=confidence)
    sample, note = (_labelled(columns, here), "") if labels is None else _elsewhere(labels, columns.arms[arm].arm)
    if not sample.steps or raw.estimate.value is None:
        return None
    wrong, right = sample.true_errors + sample.missed, sample.false_errors + sample.true_supports
    sensitivity = share(sample.true_errors, wrong, confidence=confidence)
    specificity = share(sample.true_supports, right, confidence=confidence)
    if labels is None:
        rate, why_not = _post_stratified(raw, sample, counts[:, :2].sum(), confidence)
    else:
        rate, why_not = _rogan_gladen(raw, sensitivity, specificity, confidence)
    return Corrected(
        arm=columns.arms[arm],
        method="labels of these steps" if labels is None else "labels of another run",
        labelled=sample.steps,
        questions=sample.questions,
        raw=raw.estimate,
        rate=rate,
        sensitivity=sensitivity.estimate,
        specificity=specificity.estimate,
        note=why_not or note,
    )


def corrected_comparison(
    columns: Columns,
    before: int,
    after: int,
    settings: Settings,
    *,
    labels: Columns | None = None,
    steps: Bools | None = None,
) -> CorrectedDifference | None:
    """Return the corrected difference of two arms over the questions decided in both; None without labelled steps.

    Args:
        columns: Steps, their outcomes those of the view that is compared.
        before: Code of the baseline in `columns.arms`.
        after: Code of the other arm.
        settings: Confidence, and which questions count as decided.
        labels: Another run of the same panel, with labels; None: the labels of these steps.
        steps: Which steps count at all, shape (steps,); None: all.
    """
    questions = questions_decided_in_both(columns, before, after, settings.min_decided, steps)
    rates = [
        corrected_rate(columns, code, labels=labels, questions=questions, steps=steps, confidence=settings.confidence)
        for code in (before, after)
    ]
    return corrected_difference(*rates)


def corrected_difference(baseline: Corrected | None, other: Corrected | None) -> CorrectedDifference | None:
    """Return the difference of two corrected rates; the arms' samples of labels count as independent."""
    if baseline is None or other is None:
        return None
    before, after = baseline.rate, other.rate
    if before.value is None or after.value is None:
        return CorrectedDifference(baseline=baseline, other=other, difference=Estimate(value=None))
    value = after.value - before.value
    change = Estimate(value=value)
    if before.low is not None and before.high is not None and after.low is not None and after.high is not None:
        down = float(np.hypot(after.value - after.low, before.high - before.value))
        up = float(np.hypot(after.high - after.value, before.value - before.low))
        change = Estimate(value=value, low=max(value - down, -1.0), high=min(value + up, 1.0))
    return CorrectedDifference(baseline=baseline, other=other, difference=change)


def _labelled(columns: Columns, mask: Bools) -> _Labelled:
    kind, human, n = columns.steps["kind"], columns.steps["human"], len(columns.questions)

    def count(verdict: int, label: int) -> Floats:
        chosen = mask & (kind == verdict) & (human == label)
        return np.bincount(columns.step_question[chosen], minlength=n).astype(np.float64)

    return _Labelled(count(1, 1), count(1, 0), count(0, 1), count(0, 0))


def _elsewhere(labels: Columns, arm: str) -> tuple[_Labelled, str]:
    """Return the labelled steps of the arm of that name, or of all arms where it has too few on either side."""
    own = _labelled(labels, np.isin(labels.step_arm, [i for i, key in enumerate(labels.arms) if key.arm == arm]))
    wrong, right = own.true_errors + own.missed, own.false_errors + own.true_supports
    if min((wrong > 0).sum(), (right > 0).sum()) >= _LEAST_QUESTIONS:
        return own, ""
    every = _labelled(labels, np.ones(len(labels.steps["kind"]), dtype=bool))
    return every, f"too few labels for arm {arm!r} there: those of all arms are taken"


def _post_stratified(raw: Share, sample: _Labelled, decided: float, confidence: float) -> tuple[Estimate, str]:
    """Weigh the share of wrong steps under each verdict by how many verdicts there are (MOVER for sums)."""
    assert raw.estimate.value is not None  # noqa: S101 - the caller has looked
    if sample.steps >= decided:
        wrong = sample.true_errors + sample.missed
        return share(wrong, np.sum(sample, axis=0), confidence=confidence).estimate, ""
    r = raw.estimate.value
    parts = [
        (weight, share(wrong, wrong + right, confidence=confidence).estimate)
        for weight, wrong, right in (
            (r, sample.true_errors, sample.false_errors),
            (1 - r, sample.missed, sample.true_supports),
        )
    ]
    parts = [(weight, e) for weight, e in parts if weight > 0]
    if any(e.value is None for _, e in parts):
        return Estimate(value=None), "one kind of verdict has no labelled step"
    value = sum(weight * (e.value or 0) for weight, e in parts)
    limits = [e for _, e in parts] + [raw.estimate]
    if any(e.low is None or e.high is None for e in limits):
        return Estimate(value=value), f"each kind of verdict needs labels on {_LEAST_QUESTIONS} questions"
    slope = (parts[0][1].value or 0) - (parts[1][1].value or 0) if len(parts) > 1 else 0.0
    ends = (r - (raw.estimate.low or 0), (raw.estimate.high or 0) - r)
    down = [weight * ((e.value or 0) - (e.low or 0)) for weight, e in parts] + [slope * ends[0 if slope > 0 else 1]]
    up = [weight * ((e.high or 0) - (e.value or 0)) for weight, e in parts] + [slope * ends[1 if slope > 0 else 0]]
    low, high = value - float(np.linalg.norm(down)), value + float(np.linalg.norm(up))
    return Estimate(value=value, low=max(low, 0.0), high=min(high, 1.0)), ""


def _rogan_gladen(raw: Share, sensitivity: Share, specificity: Share, confidence: float) -> tuple[Estimate, str]:
    """Correct for sensitivity and specificity, with an interval that carries all three samples.

    After Lang and Reiczigel 2014, Prev Vet Med 113:13: pseudo-observations, a shift, and the delta method; with
    effective sample sizes by question and Student's t in place of the normal quantile.
    """
    se, sp, r = sensitivity.estimate.value, specificity.estimate.value, raw.estimate.value
    if se is None or sp is None or r is None:
        return Estimate(value=None), "the labels of the other run are of one kind"
    youden = se + sp - 1
    if youden <= _LEAST_YOUDEN:
        return Estimate(
            value=None
        ), f"the verdicts tell too little of the truth: sensitivity {se:.2f}, specificity {sp:.2f}"
    value = float(np.clip((r + sp - 1) / youden, 0, 1))
    if None in (sensitivity.estimate.low, specificity.estimate.low, raw.estimate.low):
        return Estimate(value=value), f"sensitivity and specificity need labels on {_LEAST_QUESTIONS} questions each"
    t = max(t_quantile(confidence, s.degrees) for s in (raw, sensitivity, specificity))
    n, n_se, n_sp = (s.effective for s in (raw, sensitivity, specificity))
    r = (n * r + t * t / 2) / (n + t * t)
    se, sp = (n_se * se + 1) / (n_se + 2), (n_sp * sp + 1) / (n_sp + 2)
    youden = se + sp - 1
    middle = (r + sp - 1) / youden
    of_se, of_sp = se * (1 - se) / (n_se + 2), sp * (1 - sp) / (n_sp + 2)
    shift = 2 * t * t * (middle * of_se - (1 - middle) * of_sp)
    spread = r * (1 - r) / (n + t * t) + middle**2 * of_se + (1 - middle) ** 2 * of_sp
    half = t * float(np.sqrt(spread)) / youden
    low, high = min(middle + shift - half, value), max(middle + shift + half, value)
    return Estimate(value=value, low=float(np.clip(low, 0, 1)), high=float(np.clip(high, 0, 1))), ""
