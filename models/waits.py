"""Waits of more than a few seconds are reported with their reason, in the log of this folder."""

from __future__ import annotations

import logging
import time

SHORT_S = 5.0
"""Waits up to this long are not reported."""
REPEAT_S = 30.0
"""The same wait of the same endpoint is reported again after this long."""

log = logging.getLogger("tracejury.models")
_reported: dict[tuple[str, str], float] = {}


def report_wait(endpoint: str, reason: str, seconds: float) -> None:
    """Log a wait that is about to begin.

    Args:
        endpoint: The name of the endpoint.
        reason: Why the call waits, as the end of a sentence.
        seconds: The longest time that it will wait.
    """
    if seconds <= SHORT_S:
        return
    key, now = (endpoint, reason[:40]), time.monotonic()
    if now - _reported.get(key, -REPEAT_S) < REPEAT_S:
        return
    _reported[key] = now
    log.warning("endpoint %s: waiting up to %.0f s: %s", endpoint, seconds, reason)
