"""Failed opinions by reason: how many, one example, and what a user can do."""

from __future__ import annotations

from typing import NamedTuple

from tracejury.models import remedy_for


class FailureCount(NamedTuple):
    """The failed opinions of one reason."""

    opinions: int
    example: str
    """The details of the first one."""
    remedy: str
    """What a user can do about it."""


FailureCounts = dict[str, FailureCount]
"""Reason -> the failed opinions of that reason."""


def count_failure(counts: FailureCounts, reason: str, details: str | None) -> None:
    """Count one failed opinion."""
    earlier = counts.get(reason)
    if earlier is None:
        counts[reason] = FailureCount(1, details or "no details were kept", remedy_for(reason))
    else:
        counts[reason] = earlier._replace(opinions=earlier.opinions + 1)
