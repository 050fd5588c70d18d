"""Paired tests by question: signed ranks, sign flips, and the correction for several comparisons."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracejury.reports.estimates import Floats

_FLIPS_AT_ONCE = 2_000_000
"""Swaps are drawn so many at a time, so that memory does not grow with the questions; the draws are the same."""


def wilcoxon(differences: Floats) -> float:
    """Return the two-sided p of Wilcoxon's signed-rank test (1945, Biometrics Bull 1:80), Pratt's rule for zeros."""
    if not np.any(differences):
        return 1.0
    # Not at the top: it takes most of the time in which `summary` starts, and `summary` needs none of it.
    from scipy import stats

    return float(stats.wilcoxon(differences, zero_method="pratt").pvalue)


def rank_biserial(differences: Floats) -> float | None:
    """Return the matched-pairs rank-biserial correlation (Kerby 2014, Compr Psychol 3:1), from -1 to 1."""
    moved = differences[differences != 0]
    if not len(moved):
        return None
    from scipy import stats

    ranks = stats.rankdata(np.abs(moved))
    return float((ranks[moved > 0].sum() - ranks[moved < 0].sum()) / ranks.sum())


def sign_flip(
    before: NDArray[Any], after: NDArray[Any], difference: Callable[[Floats, Floats], Floats], *, draws: int, seed: int
) -> float:
    """Return the two-sided p of swapping the two sides question by question (Fisher 1935, section 21).

    Args:
        before: What is added up on the one side, shape (questions, columns).
        after: The same on the other side.
        difference: From added-up columns of both sides, shape (..., columns), to the statistic, shape (...).
        draws: Random swaps; all 2 ** questions are taken instead where these are no more.
        seed: Seed of the random swaps.

    With random swaps p is (1 + hits) / (1 + draws), never 0 (Phipson and Smyth 2010, Stat Appl Genet Mol Biol 9:39).
    """
    n = len(before)
    half = (before.sum(axis=0) + after.sum(axis=0)) / 2
    apart = (after - before).astype(np.float64) / 2
    observed = abs(float(difference(half - apart.sum(axis=0), half + apart.sum(axis=0))))
    if not np.isfinite(observed):
        return 1.0
    exact = n <= np.log2(draws)
    rng = np.random.default_rng(seed)
    hits, total = 0, 2**n if exact else draws
    chunk = max(1, _FLIPS_AT_ONCE // max(n, 1))
    for at in range(0, total, chunk):
        size = min(chunk, total - at)
        signs = rng.integers(0, 2, (size, n)) if not exact else np.arange(at, at + size)[:, None] >> np.arange(n) & 1
        moved = 2 * (signs.astype(np.float64) @ apart) - apart.sum(axis=0)
        swapped = np.abs(difference(half - moved, half + moved))
        # A swap may leave a side without verdicts: as extreme as can be, so counted.
        hits += int((~(swapped < observed - 1e-12)).sum())
    return hits / total if exact else (1 + hits) / (1 + total)


def holm(values: list[float]) -> list[float]:
    """Return p-values corrected for their number (Holm 1979, Scand J Stat 6:65)."""
    if len(values) < 2:
        return list(values)
    from statsmodels.stats.multitest import multipletests

    return [float(p) for p in multipletests(values, method="holm")[1]]
