"""The calls of a stage that failed: how many by reason, with an example of each, which says what to mend."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from tracejury.models import CallFailed


class CallFailures:
    """Counts failed calls, and keeps the first message of each reason."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.examples: dict[str, str] = {}

    def add(self, failure: CallFailed) -> None:
        """Count a failed call."""
        self.counts[failure.reason.value] += 1
        self.examples.setdefault(failure.reason.value, " ".join(failure.detail.split())[:300])


def failure_summary(manifest: Mapping[str, Any]) -> str:
    """Return the failed calls of an incomplete stage as the end of a sentence."""
    counts: dict[str, int] = manifest["failed_calls"]
    examples: dict[str, str] = manifest["failure_examples"]
    return "; ".join(f"{count} {reason} (such as: {examples[reason]})" for reason, count in counts.items())
