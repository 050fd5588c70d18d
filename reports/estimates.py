"""The record of every figure of this room: a value with its interval."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracejury.traces import Record

Floats = NDArray[np.float64]
MIN_CLUSTERS = 5
"""Fewer questions give no interval: three questions say nothing about the spread of a fourth."""


class Estimate(Record):
    """A measure with its interval. A limit is None where none could be had: no verdicts, or too few questions."""

    value: float | None
    low: float | None = None
    high: float | None = None
    note: str = ""
    """Why there is no value or no interval, where that is not plain from the counts beside it."""

    def scaled(self, factor: float) -> Estimate:
        """Return the same in another unit, for instance points (100) from shares."""
        low, value, high = (None if v is None else v * factor for v in (self.low, self.value, self.high))
        return Estimate(value=value, low=low, high=high, note=self.note)


def finite(value: Any) -> float | None:
    """Return a number, or None where it is nan or infinite."""
    return float(value) if np.isfinite(value) else None
