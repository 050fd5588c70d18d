"""How fast a run that is going on gets ahead, and when it will be done."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

from tracejury.console.progress import clock
from tracejury.console.viewer.ledger_view import LedgerView
from tracejury.ledger import Run, RunProgress

_QUIET_S = 120.0
"""Without a step for this long, the page says since when."""


class Pace(NamedTuple):
    """The pace of a live run, in words."""

    eta: str
    """`about 0:12:40 left`; empty: unknown."""
    quiet: str
    """Since when nothing was written; empty: something was just now."""


def pace_of(view: LedgerView, run: Run, progress: RunProgress) -> Pace:
    """Return the pace by the traces that were written to last."""
    times = [datetime.fromisoformat(time) for time in view.traces.recent_commits(run)]
    if not times:
        return Pace("", "")
    silent_s = (datetime.now(UTC) - times[0]).total_seconds()
    left = max((run.traces_total or 0) - progress.closed, 0)
    span_s = (times[0] - times[-1]).total_seconds()
    eta = ""
    if left and len(times) > 1 and span_s > 0:
        eta = f"about {clock(left * span_s / (len(times) - 1))} left"
    quiet = f"no step for {clock(silent_s)}: the same command goes on with it" if silent_s > _QUIET_S else ""
    return Pace("" if quiet else eta, quiet)
