"""One limit for several processes: the book of an endpoint's slots and pace, which lends them out in blocks.

Each process keeps a `LeasedLimiter` (tracejury.models.leased) and reports to the book a few times a second: how its
calls ended, what it holds, what it wants. It is told how many slots are its own until the next time, so a call needs no
round trip for its slot. Only where calls must keep a pace they book their moments, those that wait with one trip.

Never more slots are lent than the window holds, and a slot counts as lent until its holder has said that it is free:
the calls in flight everywhere never exceed the endpoint's ceiling. What one process learns (a refusal, a `Retry-After`)
changes the one window, so it counts for all.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import NamedTuple

from tracejury.models.limits import Ended, Limiter

TERM_S = 20.0
"""Who is not heard of for so long has lost his slots; he himself begins no call by then (`LeasedLimiter`)."""
TURN_S = 1.0
"""Slots that cannot be divided evenly go round at this pace, so that nobody waits for ever."""
AGAIN_S = 0.1
"""How often a holder reports, and longer where there are many: the book takes some 500 reports a second at most."""


class LimitBounds(NamedTuple):
    """What the panel allows an endpoint."""

    ceiling: int
    requests_per_minute: float | None
    tokens_per_minute: float | None


class LimitReport(NamedTuple):
    """What a holder says. Its own clock stays at home: times are seconds before the report, so negative."""

    holder: str
    holds: int
    """Slots that it takes for its own."""
    in_flight: int
    waiting: int
    """Calls that wait for a slot."""
    ended: tuple[Ended, ...] = ()
    """Calls that ended since the last report."""
    bookings: tuple[int, ...] = ()
    """Tokens of the calls that have a slot and ask for their moment."""
    charged: int = 0
    """Tokens that ended calls took beyond what was booked for them."""


class LimitGrant(NamedTuple):
    """What a holder is told."""

    slots: int
    """Its own until the next report. Calls in flight beyond them go on; no new one begins."""
    waits: tuple[float, ...] = ()
    """Seconds until each booked call may begin."""
    paced: bool = False
    """Whether calls must book."""
    closed_s: float = 0.0
    """Seconds for which the endpoint wants no call."""
    again_s: float = AGAIN_S
    """When to report again, at the latest."""


@dataclass
class _Lease:
    slots: int
    demand: int
    seen: float


class LeaseBook:
    """The slots and the pace of one endpoint.

    Args:
        bounds: What the panel allows.
        closed_s: Lend nothing for so long: a book that was lost and begun anew first hears who holds what.
    """

    def __init__(self, bounds: LimitBounds, closed_s: float = 0.0) -> None:
        self.limiter = Limiter(*bounds)
        self._leases: dict[str, _Lease] = {}
        self._lends_from = time.monotonic() + closed_s

    @property
    def lent(self) -> int:
        """Slots that are out."""
        return sum(lease.slots for lease in self._leases.values())

    def settle(self, report: LimitReport) -> LimitGrant:
        """Take a report, and say what is the holder's from now on."""
        now = time.monotonic()
        for holder in [h for h, lease in self._leases.items() if now - lease.seen > TERM_S]:
            self.forget(holder)
        limiter = self.limiter
        for ended in sorted(report.ended, key=lambda e: e.left):
            limiter.learn(ended._replace(entered=now + ended.entered, left=now + ended.left))
        waits = tuple(limiter.book(tokens) for tokens in report.bookings)
        if report.charged:
            limiter.charge(report.charged)
        # Until the holder reports again it may begin calls on all that it thinks it holds, whatever it is told now.
        held = max(report.holds, report.in_flight)
        lease = self._leases[report.holder] = _Lease(held, report.in_flight + report.waiting, now)
        slots = min(self._share(report.holder, now), held + max(0, self._free(now)))
        lease.slots = max(held, slots)
        if lease.slots == 0 and lease.demand == 0:
            self.forget(report.holder)
        again_s = max(AGAIN_S, 0.002 * len(self._leases))
        return LimitGrant(slots, waits, limiter.paced, max(0.0, limiter.closed_for()), again_s)

    def forget(self, holder: str) -> None:
        """Take back what a holder has: it is dead, or has nothing."""
        self._leases.pop(holder, None)

    def _free(self, now: float) -> int:
        return 0 if now < self._lends_from else int(self.limiter.window) - self.lent

    def _share(self, holder: str, now: float) -> int:
        """Return a holder's fair part of the window: nobody has more while somebody with less wants more."""
        wanted = {name: lease.demand for name, lease in sorted(self._leases.items()) if lease.demand}
        mine = wanted.get(holder)
        if mine is None:
            return 0
        window, n = int(self.limiter.window), len(wanted)
        if (spare := window - sum(wanted.values())) >= 0:
            # Some to spare, so that the next call need not ask.
            return mine + spare // n
        level, left = 0, window
        for k, demand in enumerate(sorted(wanted.values())):
            level = left // (n - k)
            if demand > level:
                break
            left -= demand
        more = [name for name, demand in wanted.items() if demand > level]
        over = window - sum(min(demand, level) for demand in wanted.values())
        turn = int(now / TURN_S) % len(more)
        first = (more[turn:] + more[:turn])[:over]
        return min(mine, level) + (holder in first)
