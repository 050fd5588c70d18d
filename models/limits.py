"""How many calls an endpoint gets at once and a minute: the limits of the panel, and those learnt from refusals."""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from collections import deque
from typing import NamedTuple, Protocol

from tracejury.models.waits import report_wait


class Limit(Protocol):
    """The limit in front of an endpoint: this process's own `Limiter`, or a share leased from several processes'."""

    name: str
    """The name of the endpoint, for reports of waits."""

    @property
    def has_room(self) -> bool:
        """Whether a call would get a slot at once."""
        ...

    async def enter(self, tokens: int) -> float:
        """Wait for a slot, then for the pace; return the time of entry, for `leave`."""
        ...

    def leave(
        self, entered: float, succeeded: bool, overloaded: bool = False, retry_after: float | None = None
    ) -> None:
        """Return the slot, and learn from how the call ended."""
        ...

    def charge(self, tokens: int) -> None:
        """Charge `tokens` more (or fewer) than were passed to `enter`."""
        ...


class Ended(NamedTuple):
    """How a call ended; times are monotonic seconds."""

    entered: float
    left: float
    succeeded: bool
    overloaded: bool = False
    retry_after: float | None = None


class Slots(ABC):
    """Slots for calls, first come first served. Their number is the current value of `room`."""

    def __init__(self) -> None:
        self.name = ""
        self.in_flight = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._open_at = 0.0

    @property
    @abstractmethod
    def room(self) -> int:
        """How many calls may be in flight now."""

    @property
    def has_room(self) -> bool:
        """Whether a call would get a slot at once."""
        return self.in_flight < self.room and not self._waiting

    def closed_for(self) -> float:
        """Return the seconds until the endpoint may be asked again; 0 or less: now."""
        return self._open_at - time.monotonic()

    async def _slot(self) -> None:
        """Wait for a slot."""
        if self.has_room:
            self.in_flight += 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self._give_back()
            raise

    async def _opening(self, wait: float) -> None:
        """Sleep for `wait` seconds, and longer where a `Retry-After` closes the endpoint meanwhile."""
        while wait > 0:
            report_wait(self.name, "it keeps the pace that the endpoint takes, or its Retry-After", wait)
            await asyncio.sleep(wait)
            wait = self.closed_for()

    def _give_back(self) -> None:
        self.in_flight -= 1
        self._let_in()

    def _let_in(self) -> None:
        while self._waiting and self.in_flight < self.room:
            turn = self._waiting.popleft()
            if not turn.done():
                self.in_flight += 1
                turn.set_result(None)


class Limiter(Slots):
    """Slots and pace of one endpoint, first come first served.

    Two limits are learnt from refusals (429, 503) alone:

    - *Calls at once.* The window of calls in flight starts at its ceiling; a refusal multiplies it by `DECREASE`, a
      full window of successes opens it by one (additive increase, multiplicative decrease).
    - *Calls a second.* An endpoint that refuses serves as much as it can: the rate of successes at that moment is its
      limit. The pace is set a little below that rate and grows with every success until the next refusal.

    Refusals of calls that were in flight together belong to the same overload and count once. A `Retry-After` closes
    the endpoint for all calls until then: calls sent meanwhile would only be refused.
    """

    DECREASE = 0.7
    BELOW = 0.98
    """The pace after a refusal, as a share of the rate of successes."""
    GROWTH_SUCCESSES = 60
    """Successes after which the pace has grown by `GROWTH`; it grows as a parabola, slowly at first."""
    GROWTH = 0.1
    TRIAL_SUCCESSES = 10
    """Successes after a cut before another refusal may lower the pace again, unless refusals are many."""
    RATE_SUCCESSES = 64
    """The rate is measured over this many successes, as far as they lie within `RATE_WINDOW_S`."""
    RATE_WINDOW_S = 60.0

    def __init__(self, ceiling: int, requests_per_minute: float | None, tokens_per_minute: float | None) -> None:
        super().__init__()
        self.ceiling = max(1, ceiling)
        self.window = float(self.ceiling)
        self._cut_at = 0.0
        self._requests = Pace(requests_per_minute / 60) if requests_per_minute else None
        self._tokens = Pace(tokens_per_minute / 60) if tokens_per_minute else None
        self._learnt: Pace | None = None
        self._learnt_rate = 0.0
        self._since_cut = 0
        self._refused: deque[bool] = deque(maxlen=32)
        self._successes: deque[float] = deque(maxlen=self.RATE_SUCCESSES)

    @property
    def per_second(self) -> float | None:
        """The learnt pace; None: the endpoint has refused nothing yet."""
        return self._learnt.per_second if self._learnt else None

    @property
    def room(self) -> int:
        """How many calls may be in flight now."""
        return int(self.window)

    async def enter(self, tokens: int) -> float:
        """Wait for a slot, then for the pace; return the time of entry, for `leave`.

        Args:
            tokens: The estimated tokens of the call, for the limit of tokens a minute.
        """
        await self._slot()
        try:
            await self._opening(max(self.book(tokens), self.closed_for()))
        except asyncio.CancelledError:
            self._give_back()
            raise
        return time.monotonic()

    def leave(
        self, entered: float, succeeded: bool, overloaded: bool = False, retry_after: float | None = None
    ) -> None:
        """Return the slot, and learn from how the call ended."""
        self.learn(Ended(entered, time.monotonic(), succeeded, overloaded, retry_after))
        self._give_back()

    def learn(self, ended: Ended) -> None:
        """Learn from how a call ended."""
        self._refused.append(ended.overloaded)
        if ended.overloaded:
            if ended.entered >= self._cut_at:
                self._cut(ended.left)
            if ended.retry_after is not None:
                self._open_at = max(self._open_at, ended.left + ended.retry_after)
        elif ended.succeeded:
            self.window = min(float(self.ceiling), self.window + 1 / self.window)
            self._successes.append(ended.left)
            self._since_cut += 1
            if self._learnt is not None:
                growth = self.GROWTH * (self._since_cut / self.GROWTH_SUCCESSES) ** 2
                self._learnt.per_second = self._learnt_rate * (1 + growth)

    def charge(self, tokens: int) -> None:
        """Charge `tokens` more (or fewer) than were passed to `enter`."""
        if self._tokens is not None:
            self._tokens.take(tokens)

    def _cut(self, now: float) -> None:
        self.window = max(1.0, self.window * self.DECREASE)
        self._cut_at = now
        recent = [at for at in self._successes if now - at <= self.RATE_WINDOW_S]
        # Without successes there is no rate: that is an outage or an empty account, which the pauses of retries handle.
        if len(recent) < 5 or self._since_cut == 0:
            return
        # A rare refusal, or one right after a cut, says something about its prompt or its moment, not about the rate.
        share = sum(self._refused) / len(self._refused)
        if share < 1 / 3 and (self._learnt is None or self._since_cut < self.TRIAL_SUCCESSES):
            return
        rate = (len(recent) - 1) / max(0.001, now - recent[0])
        if self._learnt is not None:
            # The rate lags behind a limit that has just risen, so one refusal never cuts it by much.
            rate = min(max(rate, self.DECREASE * self._learnt.per_second), self._learnt.per_second)
        self._learnt_rate = self.BELOW * rate
        self._since_cut = 0
        if self._learnt is None:
            self._learnt = Pace(self._learnt_rate, depth=1.0)
        self._learnt.per_second = self._learnt_rate

    @property
    def paced(self) -> bool:
        """Whether calls must keep a pace, configured or learnt."""
        return any(pace is not None for pace in (self._requests, self._tokens, self._learnt))

    def book(self, tokens: int) -> float:
        """Reserve a call's share of the pace; return the seconds until it may begin."""
        waits = [pace.take(1) for pace in (self._requests, self._learnt) if pace is not None]
        if self._tokens is not None:
            waits.append(self._tokens.take(tokens))
        return max(waits, default=0.0)


class Pace:
    """A token bucket. Its level may go below zero; the call that took it there waits until the debt is paid.

    Args:
        per_second: How fast it fills; may be changed.
        depth: The capacity; by default that of six seconds, so that no minute exceeds its limit by much.
    """

    def __init__(self, per_second: float, depth: float | None = None) -> None:
        self.per_second = per_second
        self._depth = max(1.0, 6 * per_second) if depth is None else depth
        self._level = self._depth
        self._at = time.monotonic()

    def take(self, amount: float) -> float:
        """Take `amount` and return the seconds to wait until that is allowed."""
        now = time.monotonic()
        self._level = min(self._depth, self._level + (now - self._at) * self.per_second) - amount
        self._at = now
        return max(0.0, -self._level / self.per_second)
