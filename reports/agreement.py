"""Agreement of raters beyond chance: Cohen's kappa, Krippendorff's alpha, Gwet's AC1, with intervals by question.

All three are functions of summed tables, so one jackknife serves them all; tests hold them to scikit-learn, to the
krippendorff package and to Gwet's own table.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracejury.reports.estimates import Estimate, Floats
from tracejury.reports.intervals import Jackknife
from tracejury.traces import Record


class RaterAgreement(Record):
    """How far raters agree on the same items."""

    raters: tuple[str, ...]
    items: int
    """Rated by at least two of them."""
    observed: Estimate
    """Share of pairs of ratings that are equal."""
    kappa: Estimate
    """Cohen's kappa; for more than two raters their mean over pairs is not shown, alpha is."""
    alpha: Estimate
    ac1: Estimate


def rater_agreement(
    ratings: NDArray[Any],
    clusters: NDArray[Any],
    raters: Sequence[str],
    *,
    categories: int,
    confidence: float = 0.95,
) -> RaterAgreement:
    """Return the agreement of raters.

    Args:
        ratings: Category codes, -1 where missing, shape (items, raters).
        clusters: The question of each item, shape (items,).
        raters: Names, one a column.
        categories: How many categories the scale has, used or not.
        confidence: Confidence level of the intervals.
    """
    rated = (ratings >= 0).sum(axis=1)
    tables = pair_tables(ratings, categories)
    questions, codes = np.unique(clusters, return_inverse=True)
    sums = np.zeros((len(questions), tables.shape[1]))
    np.add.at(sums, codes, tables)

    def measure(total: Floats) -> Floats:
        coincidences, shares, counts, cross = _split(total, categories)
        observed, ac1, ac1_chance = _ac1(shares, counts)
        alpha, alpha_chance = _alpha(coincidences)
        kappa, kappa_chance = kappa_and_chance(cross)
        return np.stack([observed, kappa, alpha, ac1, kappa_chance, alpha_chance, ac1_chance], axis=-1)

    trials = len(np.unique(codes[rated >= 2]))
    observed, kappa, alpha, ac1 = agreement_estimates(sums, measure, trials, confidence)
    if ratings.shape[1] != 2:
        kappa = Estimate(value=None, note="for two raters")
    items = int((rated >= 2).sum())
    return RaterAgreement(raters=tuple(raters), items=items, observed=observed, kappa=kappa, alpha=alpha, ac1=ac1)


def agreement_estimates(
    sums: NDArray[Any], measure: Callable[[Floats], Floats], trials: int, confidence: float = 0.95
) -> list[Estimate]:
    """Return the share of equal ratings and coefficients beyond chance, with intervals that are aware of the ends.

    A coefficient is (observed - chance) / (1 - chance). At its upper end the data show no disagreement to learn a
    spread from; its lower limit is then what the lower limit of the observed agreement makes of it.

    Args:
        sums: What is added up within each question, shape (questions, columns).
        measure: Map from sums to (observed agreement, coefficients, the chance agreement of each coefficient).
        trials: Questions with at least one pair of ratings.
        confidence: Confidence level of the intervals.
    """
    jackknife = Jackknife(sums, measure, confidence=confidence)
    observed = jackknife.bounded(0, trials=trials)
    estimates = [observed]
    coefficients = len(jackknife.point) // 2
    for i in range(1, 1 + coefficients):
        value, chance = jackknife.value(i), jackknife.point[i + coefficients]
        if value is None:
            estimates.append(Estimate(value=None, note="no variance" if observed.value is not None else ""))
        elif value >= 1 - 1e-12 and observed.low is not None:
            low = (observed.low - chance) / (1 - chance)
            estimates.append(Estimate(value=1.0, low=max(float(low), -1.0), high=1.0))
        else:
            estimates.append(jackknife.bounded(i, trials=trials, ends=(-1.0, 1.0)))
    return estimates


def pair_tables(ratings: NDArray[Any], categories: int) -> Floats:
    """Return what each item adds to the measures, shape (items, 2 * categories ** 2 + categories + 3).

    In order: Krippendorff's coincidences (2011, Computing Krippendorff's Alpha-Reliability, step 2), Gwet's mean
    classification shares, the share of equal pairs, whether two raters rated the item, whether any did, and the cross
    table of the first two raters.
    """
    counts = np.stack([(ratings == k).sum(axis=1) for k in range(categories)], axis=1).astype(np.float64)
    m = counts.sum(axis=1, keepdims=True)
    pairs = counts[:, :, None] * counts[:, None, :] - np.eye(categories) * counts[:, :, None]
    coincidences = (pairs / np.maximum(m - 1, 1)[:, :, None]).reshape(len(ratings), -1)
    agreed = (counts * (counts - 1)).sum(axis=1, keepdims=True) / np.maximum(m * (m - 1), 1)
    cross = np.zeros((len(ratings), categories, categories))
    both = (ratings[:, :2] >= 0).all(axis=1)
    cross[np.flatnonzero(both), ratings[both, 0], ratings[both, 1]] = 1
    shares = counts / np.maximum(m, 1)
    return np.concatenate([coincidences, shares, agreed, m >= 2, m >= 1, cross.reshape(len(ratings), -1)], axis=1)


def kappa_and_chance(table: Floats) -> tuple[Floats, Floats]:
    """Return Cohen's kappa of a cross table, shape (..., k, k), and its chance agreement (1960, EPM 20:37, eq. 1)."""
    n = table.sum(axis=(-2, -1))
    with np.errstate(invalid="ignore", divide="ignore"):
        observed = np.trace(table, axis1=-2, axis2=-1) / n
        chance = (table.sum(axis=-1) * table.sum(axis=-2)).sum(axis=-1) / n**2
        return _beyond(observed, chance), np.asarray(chance)


def _alpha(coincidences: Floats) -> tuple[Floats, Floats]:
    """Return Krippendorff's alpha, nominal, and its chance agreement."""
    with np.errstate(invalid="ignore", divide="ignore"):
        n = coincidences.sum(axis=(-2, -1))
        margins = coincidences.sum(axis=-1)
        observed = np.trace(coincidences, axis1=-2, axis2=-1) / n
        chance = 1 - (n**2 - (margins**2).sum(axis=-1)) / (n - 1) / n
        return _beyond(observed, chance), np.asarray(chance)


def _ac1(shares: Floats, counts: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the observed agreement, Gwet's AC1 and its chance agreement (2008, BJMSP 61:29, eq. 6 and 8).

    With missing ratings the classification shares are over all items that anybody rated, the observed agreement over
    those that two raters rated (Gwet 2014, Handbook of Inter-Rater Reliability, 4th ed., section 5.3).
    """
    k = shares.shape[-1]
    with np.errstate(invalid="ignore", divide="ignore"):
        observed = counts[..., 0] / counts[..., 1]
        prevalence = shares / counts[..., 2:]
        chance = (prevalence * (1 - prevalence)).sum(axis=-1) / (k - 1)
        return observed, _beyond(observed, chance), np.asarray(chance)


def _beyond(observed: Floats, chance: Floats) -> Floats:
    """Return agreement beyond chance; nan where chance alone gives full agreement."""
    return np.asarray((observed - chance) / np.where(1 - chance > 1e-12, 1 - chance, np.nan))


def _split(total: Floats, k: int) -> tuple[Floats, Floats, Floats, Floats]:
    lead = total.shape[:-1]
    coincidences = total[..., : k * k].reshape(*lead, k, k)
    shares, rest = total[..., k * k : k * k + k], total[..., k * k + k :]
    return coincidences, shares, rest[..., :3], rest[..., 3:].reshape(*lead, k, k)
