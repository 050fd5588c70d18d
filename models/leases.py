"""One limit for several processes: the lease book of an endpoint lends its slots and its pace out in blocks.

Each process has a `LeasedLimiter` (tracejury.models.leased) that reports to the book a few times a second: how its
calls ended, the slots that it has, the slots that it needs. The reply says how many slots it may use until the next
report, so a call needs no round trip for its slot. Only where calls must keep a pace do they reserve a start time, all
waiting calls in one trip.

The book never lends more slots than the window has, and a slot counts as lent until its holder reports it free: the
calls in flight in all processes never exceed the endpoint's ceiling. A refusal or a `Retry-After` that one process
reports changes the one window, so it counts for all.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import NamedTuple

from tracejury.models.limits import Ended, Limiter

TERM_S = 20.0
"""A holder that has not reported for this long loses its slots; by then it begins no call either (`LeasedLimiter`)."""
TURN_S = 1.0
"""Slots that cannot be divided evenly rotate at this interval, so that no holder waits for ever."""
AGAIN_S = 0.1
"""How often a holder reports; longer where there are many, since the book takes about 500 reports a second."""


class LimitBounds(NamedTuple):
    """The limits of an endpoint in the panel."""

    ceiling: int
    requests_per_minute: float | None
    tokens_per_minute: float | None


class LimitReport(NamedTuple):
    """A report of a holder. Clocks differ between machines, so times are seconds before the report (negative)."""

    holder: str
    holds: int
    """Slots that it may use at the moment."""
    in_flight: int
    waiting: int
    """Calls that wait for a slot."""
    ended: tuple[Ended, ...] = ()
    """Calls that ended since the last report."""
    bookings: tuple[int, ...] = ()
    """Tokens of the calls that have a slot and ask for a start time."""
    charged: int = 0
    """Tokens that ended calls took beyond their reservations."""


class LimitGrant(NamedTuple):
    """The reply to a holder's report."""

    slots: int
    """Slots that it may use until the next report. Calls in flight beyond them go on; no new one begins."""
    waits: tuple[float, ...] = ()
    """Seconds until each booked call may begin."""
    paced: bool = False
    """Whether calls must reserve a start time."""
    closed_s: float = 0.0
    """Seconds for which the endpoint takes no call."""
    again_s: float = AGAIN_S
    """Seconds until the next report, at the latest."""


@dataclass
class _Lease:
    slots: int
    demand: int
    reported_at: float


class LeaseBook:
    """The slots and the pace of one endpoint.

    Args:
        bounds: The limits in the panel.
        closed_s: Seconds in which nothing is lent: a restarted book first collects the reports of all holders.
    """

    def __init__(self, bounds: LimitBounds, closed_s: float = 0.0) -> None:
        self.limiter = Limiter(*bounds)
        self._leases: dict[str, _Lease] = {}
        self._lends_from = time.monotonic() + closed_s

    @property
    def lent(self) -> int:
        """Slots that are lent."""
        return sum(lease.slots for lease in self._leases.values())

    def settle(self, report: LimitReport) -> LimitGrant:
        """Take a report and return what its holder may use from now on."""
        now = time.monotonic()
        for holder in [h for h, lease in self._leases.items() if now - lease.reported_at > TERM_S]:
            self.forget(holder)
        limiter = self.limiter
        for ended in sorted(report.ended, key=lambda e: e.left):
            limiter.learn(ended._replace(entered=now + ended.entered, left=now + ended.left))
        waits = tuple(limiter.book(tokens) for tokens in report.bookings)
        if report.charged:
            limiter.charge(report.charged)
        # Until it receives this reply the holder may begin calls on all the slots of its report.
        slots_in_use = max(report.holds, report.in_flight)
        lease = self._leases[report.holder] = _Lease(slots_in_use, report.in_flight + report.waiting, now)
        slots = min(self._share(report.holder, now), slots_in_use + max(0, self._free(now)))
        lease.slots = max(slots_in_use, slots)
        if lease.slots == 0 and lease.demand == 0:
            self.forget(report.holder)
        again_s = max(AGAIN_S, 0.002 * len(self._leases))
        return LimitGrant(slots, waits, limiter.paced, max(0.0, limiter.closed_for()), again_s)

    def forget(self, holder: str) -> None:
        """Take back the slots of a holder that is dead or has none."""
        self._leases.pop(holder, None)

    def _free(self, now: float) -> int:
        return 0 if now < self._lends_from else int(self.limiter.window) - self.lent

    def _share(self, holder: str, now: float) -> int:
        """Return a holder's max-min fair share of the window."""
        demands = {name: lease.demand for name, lease in sorted(self._leases.items()) if lease.demand}
        mine = demands.get(holder)
        if mine is None:
            return 0
        window, n = int(self.limiter.window), len(demands)
        if (spare := window - sum(demands.values())) >= 0:
            # Spare slots are handed out too, so that the next call need not ask.
            return mine + spare // n
        level, left = 0, window
        for k, demand in enumerate(sorted(demands.values())):
            level = left // (n - k)
            if demand > level:
                break
            left -= demand
        more = [name for name, demand in demands.items() if demand > level]
        over = window - sum(min(demand, level) for demand in demands.values())
        turn = int(now / TURN_S) % len(more)
        first = (more[turn:] + more[:turn])[:over]
        return min(mine, level) + (holder in first)
