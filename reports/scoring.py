"""`tracejury quality score`: a run against human labels, beside the system that calls every step supported.

Intervals are by question (`intervals.py`). An abstention is never counted as a right or a wrong verdict: measures
over decided steps stand beside the share that was decided, and F1 counts an abstention as a miss.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from tracejury.ledger import StepRow
from tracejury.reports.estimates import Estimate, Floats
from tracejury.reports.intervals import Jackknife
from tracejury.reports.labelled_steps import (
    ABSTAINED,
    ALWAYS,
    ERROR,
    FAILED,
    JURY,
    MAJORITY,
    SUPPORTED,
    Labelled,
    labelled,
)
from tracejury.traces import Record

_STEP = ("coverage", "accuracy", "balanced_accuracy", "f1_error", "f1_supported", "kappa", "alpha")
_TRACE = ("detection_balanced_accuracy", "detection_f1", "mcc", "first_error_accuracy", "localisation_accuracy")


class SystemScore(Record):
    """One system's measures. Those over decided steps are None where nothing was decided."""

    system: str
    decided: int
    abstained: int
    failed: int
    coverage: Estimate
    """Decided steps of all labelled steps."""
    accuracy: Estimate
    balanced_accuracy: Estimate
    """Mean of the two recalls over decided steps; chance is .5."""
    f1_error: Estimate
    """Over all labelled steps: an abstention on an erroneous step is a miss."""
    f1_supported: Estimate
    kappa: Estimate
    """Cohen's kappa with the human label over decided steps."""
    alpha: Estimate
    """Krippendorff's alpha, nominal, an abstention being a missing value."""
    auroc: Estimate
    """Of the ranking by suspicion over all labelled steps, ties by half."""
    detection_balanced_accuracy: Estimate
    """Whole traces: is there an error or not (MEDEC's task A; MR-Ben's solution correctness)?"""
    detection_f1: Estimate
    mcc: Estimate
    """Matthews correlation of the same (MR-Ben's first measure)."""
    first_error_accuracy: Estimate
    """Erroneous traces of which the first step called an error is the first error (MR-Ben's second measure)."""
    localisation_accuracy: Estimate
    """Erroneous traces whose most suspicious error verdict is the erroneous step (MEDEC's task B)."""


class RiskPoint(Record):
    """The jury's most confident verdicts."""

    coverage: float
    """Of all labelled steps."""
    risk: float
    """Share of them that is wrong."""
    steps: int


class Score(Record):
    """A run against its labels."""

    run: str
    steps: int
    """With a label."""
    questions: int
    traces: int
    error_share: float
    """Labelled steps that are wrong, by the humans."""
    calibrated: bool
    systems: tuple[SystemScore, ...]
    risk_coverage: tuple[RiskPoint, ...]
    aurc: float | None
    """Area under the risk-coverage curve up to the coverage reached; None without a verdict."""
    aurcs: dict[str, float | None] = Field(default_factory=dict)
    """The same of every system: the judges alone, the plain majority, the jury."""
    curves: dict[str, tuple[RiskPoint, ...]] = Field(default_factory=dict)
    """The curves of the jury, the plain majority and the judge with the highest balanced accuracy here."""


def score(rows: Iterable[StepRow]) -> Score:
    """Score a run against its labels.

    Args:
        rows: The run's rows; traces without any label are passed over.

    Raises:
        NoLabelsError: No step has a label.
    """
    all_rows = list(rows)
    data = labelled(all_rows)
    has_label = data.has_label
    curves = {name: risk_coverage(data, name) for name in data.systems}
    curve, aurc = curves[JURY]
    systems = tuple(system_score(data, name) for name in data.systems)
    return Score(
        run=all_rows[0].run,
        steps=int(has_label.sum()),
        questions=len(np.unique(data.question[has_label])),
        traces=len(np.unique(data.trace)),
        error_share=float(data.label[has_label].mean()),
        calibrated=bool(np.isfinite(data.confidence).any()),
        systems=systems,
        risk_coverage=curve,
        aurc=aurc,
        aurcs={name: area for name, (_, area) in curves.items()},
        curves={name: curves[name][0] for name in _curve_lines(systems)},
    )


def _curve_lines(systems: Sequence[SystemScore]) -> list[str]:
    """Return the systems whose curves are shown: the jury, the majority, the best judge."""
    judges = [s for s in systems if s.system not in (JURY, MAJORITY, ALWAYS)]
    best = max(judges, key=lambda s: s.balanced_accuracy.value or 0.0, default=None)
    names = [s.system for s in systems if s.system in (JURY, MAJORITY)]
    return [*reversed(names), *([best.system] if best and len(judges) > 1 else [])]


def system_score(data: Labelled, system: str) -> SystemScore:
    """Score one system of `data`."""
    outcomes, has_label = data.outcomes[system], data.has_label
    codes = data.label[has_label] * 4 + outcomes[has_label]
    sums = _by_question(data, data.question[has_label] * 8 + codes, 8)
    steps = Jackknife(sums, step_measures)
    by_trace = _trace_sums(data, system)
    whole = Jackknife(by_trace, trace_measures)
    ranked = _ranking_sums(data, system)
    auroc = Jackknife(ranked, _auroc)
    trials = _trials(sums, by_trace)
    return SystemScore(
        system=system,
        decided=int(np.isin(outcomes[has_label], (SUPPORTED, ERROR)).sum()),
        abstained=int((outcomes[has_label] == ABSTAINED).sum()),
        failed=int((outcomes[has_label] == FAILED).sum()),
        auroc=auroc.bounded(0, trials=trials["auroc"], units=sums.sum()),
        **{name: _interval(steps, i, name, trials, sums) for i, name in enumerate(_STEP)},
        **{name: _interval(whole, i, name, trials, by_trace[:, :4]) for i, name in enumerate(_TRACE)},
    )


def _interval(measures: Jackknife, index: int, name: str, trials: dict[str, int], counts: Floats) -> Estimate:
    """Return a measure with its interval; correlations and coefficients may be below 0."""
    ends = (-1.0, 1.0) if name in ("kappa", "alpha", "mcc") else (0.0, 1.0)
    return measures.bounded(index, trials=trials.get(name), units=counts.sum(), ends=ends)


def step_measures(counts: Floats) -> Floats:
    """From counts (..., 8), label (supported, error) by outcome, to measures (..., 7) in the order of `_STEP`.

    Cohen's kappa: Cohen 1960, eq. 1. Krippendorff's alpha for two coders and nominal data: Krippendorff 2011,
    'Computing Krippendorff's alpha-reliability', section B.
    """
    table = counts.reshape(*counts.shape[:-1], 2, 4)
    tn, fp, fn, tp = table[..., 0, 0], table[..., 0, 1], table[..., 1, 0], table[..., 1, 1]
    n, right = tn + fp + fn + tp, tn + tp
    supported, wrong = table[..., 0, :].sum(axis=-1), table[..., 1, :].sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = ((tp + fn) * (tp + fp) + (tn + fp) * (tn + fn)) / n**2
        kappa = (right / n - expected) / (1 - expected)
        ones, zeros = 2 * tp + fp + fn, 2 * tn + fp + fn
        alpha = 1 - (2 * n - 1) * (fp + fn) / (ones * zeros)
        return np.stack(
            [
                n / (supported + wrong),
                right / n,
                (tp / (tp + fn) + tn / (tn + fp)) / 2,
                2 * tp / (tp + fp + wrong),
                2 * tn / (tn + fn + supported),
                kappa,
                np.where(np.isfinite(alpha), alpha, np.nan),
            ],
            axis=-1,
        )


def trace_measures(counts: Floats) -> Floats:
    """From counts (..., 6) of traces (tn, fp, fn, tp, first hit, located) to measures in the order of `_TRACE`."""
    tn, fp, fn, tp, first, located = np.moveaxis(counts, -1, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
        # A system that never (or always) flags has no correlation with anything: 0, as MR-Ben counts it.
        mcc = np.where(spread > 0, (tp * tn - fp * fn) / np.where(spread > 0, spread, 1), 0.0)
        return np.stack(
            [
                (tp / (tp + fn) + tn / (tn + fp)) / 2,
                2 * tp / (2 * tp + fp + fn),
                mcc,
                first / (tp + fn),
                located / (tp + fn),
            ],
            axis=-1,
        )


def risk_coverage(data: Labelled, system: str = JURY) -> tuple[tuple[RiskPoint, ...], float | None]:
    """Return the curve of a system's verdicts, the most confident first, at each tenth of those, and its area.

    Confidence is the jury's calibrated one where there is one, else how far the votes lean.
    """
    decided = data.has_label & np.isin(data.outcomes[system], (SUPPORTED, ERROR))
    if not decided.any():
        return (), None
    calibrated = system == JURY and np.isfinite(data.confidence[decided]).all()
    sure = data.confidence[decided] if calibrated else np.abs(data.suspicion[system][decided])
    wrong = (data.outcomes[system][decided] == ERROR) != (data.label[decided] == 1)
    # Equal confidence is one point of the curve: an order within it would be made up.
    levels, level = np.unique(-sure, return_inverse=True)
    many = np.cumsum(np.bincount(level, minlength=len(levels)))
    risk = np.cumsum(np.bincount(level, weights=wrong, minlength=len(levels))) / many
    coverage = many / data.has_label.sum()
    at = np.unique(np.searchsorted(many, np.linspace(0.1, 1, 10) * many[-1] - 1e-9))
    points = tuple(RiskPoint(coverage=float(coverage[i]), risk=float(risk[i]), steps=int(many[i])) for i in at)
    area = float(np.sum(risk * np.diff(coverage, prepend=0.0)) / coverage[-1])
    return points, area


def _trials(steps: Floats, traces: Floats) -> dict[str, int]:
    """Return by measure how many questions it has to go by; of the rarer label, where it weighs both alike."""
    labelled_as = steps.reshape(-1, 2, 4)
    has_label, decided = labelled_as.any(axis=-1), labelled_as[..., : ERROR + 1].any(axis=-1)
    flawed = traces.reshape(-1, 6)[:, 2:4].any(axis=-1)
    sound = traces.reshape(-1, 6)[:, :2].any(axis=-1)
    return {
        "coverage": int(has_label.any(axis=-1).sum()),
        "accuracy": int(decided.any(axis=-1).sum()),
        "balanced_accuracy": int(decided.sum(axis=0).min()),
        "auroc": int(has_label.sum(axis=0).min()),
        "detection_balanced_accuracy": int(min(flawed.sum(), sound.sum())),
        "first_error_accuracy": int(flawed.sum()),
        "localisation_accuracy": int(flawed.sum()),
    }


def _by_question(data: Labelled, codes: NDArray[np.int64], columns: int) -> Floats:
    counted = np.bincount(codes, minlength=len(data.questions) * columns)
    return counted.reshape(-1, columns).astype(np.float64)


def _ranking_sums(data: Labelled, system: str) -> Floats:
    """Return counts of supported and erroneous steps at each distinct suspicion, shape (questions, 2 x distinct)."""
    has_label = data.has_label
    levels, level = np.unique(data.suspicion[system][has_label], return_inverse=True)
    columns = 2 * len(levels)
    return _by_question(data, data.question[has_label] * columns + data.label[has_label] * len(levels) + level, columns)


def _auroc(counts: Floats) -> Floats:
    """From counts (..., 2 x levels) to P(an erroneous step ranks above a supported one), ties by half: (..., 1)."""
    supported, wrong = np.split(counts, 2, axis=-1)
    below = np.cumsum(supported, axis=-1) - supported / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        area = (wrong * below).sum(axis=-1) / (wrong.sum(axis=-1) * supported.sum(axis=-1))
    return np.asarray(area)[..., None]


def _trace_sums(data: Labelled, system: str) -> Floats:
    """Return, by question, traces that are tn, fp, fn, tp, hit at the first error, located: shape (questions, 6)."""
    outcomes, suspicion = data.outcomes[system], data.suspicion[system]
    sums = np.zeros((len(data.questions), 6))
    starts = np.flatnonzero(np.diff(data.trace, prepend=-1))
    for start, end in zip(starts, [*starts[1:], len(outcomes)], strict=True):
        here = slice(start, end)
        wrong, named = data.label[here] == 1, outcomes[here] == ERROR
        row = sums[data.question[start]]
        row[2 * int(wrong.any()) + int(named.any())] += 1
        if wrong.any() and named.any():
            row[4] += np.argmax(named) == np.argmax(wrong)
            row[5] += wrong[np.argmax(np.where(named, suspicion[here], -np.inf))]
    return sums
