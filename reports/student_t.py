"""Quantiles of Student's t for any degrees of freedom, without scipy: `summary` runs on the base install."""

from __future__ import annotations

import math
from statistics import NormalDist

_NORMAL = NormalDist()


def t_quantile(level: float, df: float) -> float:
    """Return the two-sided quantile: |t| stays below it with probability `level`.

    Source: Hill 1970, Algorithm 396, CACM 13:619; a test holds it to scipy (within .5 % from 2 degrees of freedom on,
    up to 9 % too wide between 1 and 2).

    Args:
        level: Between 0 and 1, for instance .95.
        df: Degrees of freedom, at least 1; they need not be whole.
    """
    tail, n = 1 - level, df
    if n > 1e6:
        return _NORMAL.inv_cdf(1 - tail / 2)
    if n <= 1:
        return 1 / math.tan(tail * math.pi / 2)
    a = 1 / (n - 0.5)
    b = 48 / a**2
    c = ((20700 * a / b - 98) * a - 16) * a + 96.36
    d = ((94.5 / (b + c) - 3) / b + 1) * math.sqrt(a * math.pi / 2) * n
    y = (d * tail) ** (2 / n)
    if y > 0.05 + a:
        x = _NORMAL.inv_cdf(tail / 2)
        y = x * x
        if n < 5:
            c += 0.3 * (n - 4.5) * (x + 0.6)
        c += (((0.05 * d * x - 5) * x - 7) * x - 2) * x + b
        y = (((((0.4 * y + 6.3) * y + 36) * y + 94.5) / c - y - 3) / b + 1) * x
        y = math.expm1(a * y * y)
    else:
        y = ((1 / (((n + 6) / (n * y) - 0.089 * d - 0.822) * (n + 2) * 3) + 0.5 / (n + 4)) * y - 1) * (n + 1) / (
            n + 2
        ) + 1 / y
    return math.sqrt(n * y)
