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

    def text(self, spec: str = ".2f", factor: float = 1) -> str:
        """Return value and interval as `0.53 [0.48, 0.58]`; a dash where there is no value.

        Args:
            spec: Format of each number.
            factor: Multiplies each number: 100 for percent.
        """
        if self.value is None:
            return "-"
        text = format(factor * self.value, spec)
        if self.low is None or self.high is None:
            return text
        return f"{text} [{format(factor * self.low, spec)}, {format(factor * self.high, spec)}]"

    def percent(self) -> str:
        """Return a share in percent with its interval, as `30.6 [28.1, 33.0]`."""
        return self.text(".1f", 100)

    def points(self) -> str:
        """Return a difference of shares in percentage points with its interval, as `+9.7 [7.1, 12.2]`."""
        return self.text("+.1f", 100)


def finite(value: Any) -> float | None:
    """Return a number, or None where it is nan or infinite."""
    return float(value) if np.isfinite(value) else None
