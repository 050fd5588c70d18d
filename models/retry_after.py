"""The `Retry-After` of a refusal, in its several spellings."""

from __future__ import annotations

import email.utils
import math
import re
import time
from collections.abc import Mapping

LONGEST_S = 1e9
"""What a server that says `inf` asks for; the deadline of a call bounds it."""
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h)")
_UNIT_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that a server asks to wait; None: it says nothing that can be read."""
    for name, scale in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        seconds = _seconds(headers.get(name, "").strip(), scale)
        if seconds is not None:
            return seconds
    return None


def _seconds(value: str, scale: float) -> float | None:
    try:
        number = float(value)
    except ValueError:
        match = _DURATION.fullmatch(value)
        return float(match[1]) * _UNIT_S[match[2]] if match else _until(value)
    return None if math.isnan(number) or number < 0 else min(number * scale, LONGEST_S)


def _until(value: str) -> float | None:
    """Return the seconds until an HTTP date; None: it is none, or no possible one."""
    try:
        when = email.utils.parsedate_to_datetime(value).timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    return min(max(0.0, when - time.time()), LONGEST_S)
