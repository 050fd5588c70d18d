"""Agreement of raters beyond chance: Cohen's kappa, Krippendorff's alpha, Gwet's AC1, with intervals by question.

All three are functions of summed tables, so they bootstrap in one go; tests hold them to scikit-learn, to the
krippendorff package and to Gwet's own table.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracejury.reports.resampling import Estimate, Floats, bootstrap
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
    draws: int = 10_000,
    confidence: float = 0.95,
    seed: int = 0,
) -> RaterAgreement:
    """Return the agreement of raters.

    Args:
        ratings: Category codes, -1 where missing, shape (items, raters).
        clusters: The question of each item, shape (items,).
        raters: Names, one a column.
        categories: How many categories the scale has, used or not.
        draws: Number of bootstrap samples of questions.
        confidence: Confidence level of the intervals.
        seed: Seed of the resampling.
    """
    rated_twice = (ratings >= 0).sum(axis=1) >= 2
    ratings, clusters = ratings[rated_twice], clusters[rated_twice]
    tables = pair_tables(ratings, categories)
    questions, codes = np.unique(clusters, return_inverse=True)
    sums = np.zeros((len(questions), tables.shape[1]))
    np.add.at(sums, codes, tables)

    def measure(total: Floats) -> Floats:
        parts = _split(total, categories)
        observed, alpha, ac1 = _alpha_and_ac1(*parts)
        kappa = cohen_kappa(parts[3]) if ratings.shape[1] == 2 else np.full(observed.shape, np.nan)
        return np.stack([observed, kappa, alpha, ac1], axis=-1)

    estimates = bootstrap(sums, measure, draws=draws, confidence=confidence, seed=seed)
    observed, kappa, alpha, ac1 = (estimates.estimate(i) for i in range(4))
    return RaterAgreement(
        raters=tuple(raters), items=len(ratings), observed=observed, kappa=kappa, alpha=alpha, ac1=ac1
    )


def pair_tables(ratings: NDArray[Any], categories: int) -> Floats:
    """Return what each item adds to the measures, shape (items, 2 * categories ** 2 + categories + 2).

    In order: Krippendorff's coincidences (2011, Computing Krippendorff's Alpha-Reliability, step 2), Gwet's mean
    classification shares, the share of equal pairs, the item itself, and the cross table of the first two raters.
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
    return np.concatenate(
        [coincidences, shares, agreed, np.ones((len(ratings), 1)), cross.reshape(len(ratings), -1)], axis=1
    )


def cohen_kappa(table: Floats) -> Floats:
    """Return kappa of a cross table, shape (..., k, k) (Cohen 1960, Educ Psychol Meas 20:37)."""
    n = table.sum(axis=(-2, -1))
    with np.errstate(invalid="ignore", divide="ignore"):
        observed = np.trace(table, axis1=-2, axis2=-1) / n
        chance = (table.sum(axis=-1) * table.sum(axis=-2)).sum(axis=-1) / n**2
        return np.asarray((observed - chance) / (1 - chance))


def _split(total: Floats, k: int) -> tuple[Floats, Floats, Floats, Floats]:
    lead = total.shape[:-1]
    coincidences = total[..., : k * k].reshape(*lead, k, k)
    shares, rest = total[..., k * k : k * k + k], total[..., k * k + k :]
    return coincidences, shares, rest[..., :2], rest[..., 2:].reshape(*lead, k, k)


def _alpha_and_ac1(coincidences: Floats, shares: Floats, rest: Floats, _cross: Floats) -> tuple[Floats, Floats, Floats]:
    """Krippendorff's alpha, nominal, and Gwet's AC1 (2008, Br J Math Stat Psychol 61:29, eq. 6 and 8)."""
    k = shares.shape[-1]
    with np.errstate(invalid="ignore", divide="ignore"):
        n = coincidences.sum(axis=(-2, -1))
        margins = coincidences.sum(axis=-1)
        apart = n - np.trace(coincidences, axis1=-2, axis2=-1)
        expected = (n**2 - (margins**2).sum(axis=-1)) / (n - 1)
        alpha = 1 - apart / expected
        observed = rest[..., 0] / rest[..., 1]
        prevalence = shares / rest[..., 1:]
        chance = (prevalence * (1 - prevalence)).sum(axis=-1) / (k - 1)
        return observed, alpha, (observed - chance) / (1 - chance)
