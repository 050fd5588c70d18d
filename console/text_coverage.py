"""How much of the traces' text was judged, as printed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tracejury.traces import TextCoverage


def print_coverage(by_arm: Mapping[str, TextCoverage]) -> None:
    """Print a line an arm; nothing for arms of which the ledger did not keep it."""
    from tracejury.console.screen import out

    for arm, coverage in by_arm.items():
        if coverage.judged_share is not None:
            out.print(f"  {arm}: {coverage.sentence()}", soft_wrap=True)
