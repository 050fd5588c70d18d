"""How well a confidence predicts being right: expected calibration error, Brier score, the reliability diagram."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracejury.reports.estimates import Estimate, Floats
from tracejury.reports.intervals import share
from tracejury.reports.resampling import bootstrap
from tracejury.traces import Record


class Bin(Record):
    """One bar of the reliability diagram."""

    low: float
    """Edges as shares of the way from 1 / options to 1 where questions differ in options, else as confidences."""
    high: float
    questions: int
    confidence: float | None
    accuracy: Estimate


class Calibration(Record):
    """Calibration of the vote share of the majority answer."""

    questions: int
    """Those with at least one parsed answer."""
    ece: Estimate
    """Sum over bins of n / N * |accuracy - confidence| (Naeini et al. 2015, AAAI, eq. 3), bins equal in width."""
    adaptive_ece: Estimate
    """The same over bins of equal size (Nguyen and O'Connor 2015, EMNLP, section 4)."""
    brier: Estimate
    """Mean squared difference of confidence and correctness of the majority answer (Brier 1950, one class)."""
    bins: tuple[Bin, ...]


def calibration(
    confidence_of: Floats,
    right: Floats,
    options: NDArray[Any],
    *,
    bins: int = 10,
    draws: int = 2_000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Calibration:
    """Return the calibration of `confidence_of` against `right`, shape (questions,) each.

    Args:
        confidence_of: From 0 to 1.
        right: 1 right, 0 wrong; between for a tie that includes the right answer.
        options: Number of options of each question; below 2: unknown, the lower edge is 0.
        bins: Number of bins.
        draws: Number of bootstrap samples of questions.
        confidence: Confidence level of the intervals.
        seed: Seed of the resampling.
    """
    n = len(confidence_of)
    floor = np.where(options >= 2, 1 / np.maximum(options, 1), 0.0)
    # Rounded, so that a share such as 0.55 falls into the same bin however it was computed.
    place = np.round((confidence_of - floor) / (1 - floor) * bins, 9)
    even = np.clip(np.floor(place), 0, bins - 1).astype(int)
    ranks = np.empty(n, dtype=int)
    ranks[np.argsort(confidence_of, kind="stable")] = np.arange(n)
    equal = ranks * bins // max(n, 1)
    sums = np.concatenate([_binned(p, bins, confidence_of, right) for p in (even, equal)], axis=1)
    wide = 3 * bins

    def measure(total: Floats) -> Floats:
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.stack([_ece(total[..., at : at + wide], bins) for at in (0, wide)], axis=-1)

    estimates = bootstrap(sums, measure, draws=draws, confidence=confidence, seed=seed)
    same = len(set(floor.tolist())) == 1
    edges = np.linspace(float(floor[0]) if same and n else 0.0, 1.0, bins + 1)
    total = sums.sum(axis=0)
    return Calibration(
        questions=n,
        ece=estimates.estimate(0),
        adaptive_ece=estimates.estimate(1),
        brier=share((confidence_of - right) ** 2, np.ones(n), confidence=confidence).estimate,
        bins=tuple(
            Bin(
                low=float(edges[b]),
                high=float(edges[b + 1]),
                questions=int(total[b]),
                confidence=float(total[bins + b] / total[b]) if total[b] else None,
                accuracy=share(sums[:, 2 * bins + b], sums[:, b], confidence=confidence).estimate,
            )
            for b in range(bins)
        ),
    )


def _binned(place: NDArray[Any], bins: int, confidence_of: Floats, right: Floats) -> Floats:
    member = (place[:, None] == np.arange(bins)).astype(np.float64)
    return np.concatenate([member, member * confidence_of[:, None], member * right[:, None]], axis=1)


def _ece(total: Floats, bins: int) -> Floats:
    count, claimed, right = total[..., :bins], total[..., bins : 2 * bins], total[..., 2 * bins :]
    return np.asarray(np.abs(right - claimed).sum(axis=-1) / count.sum(axis=-1))
