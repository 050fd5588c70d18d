"""How many calls an endpoint gets at once and a minute: what the panel allows, and what it is found to bear."""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from collections import deque
from typing import NamedTuple, Protocol


class Limit(Protocol):
    """What stands between a call and its endpoint: this process's own `Limiter`, or one leased from several's."""

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
        """Give the slot back, and learn from how the call ended."""
        ...

    def charge(self, tokens: int) -> None:
        """Charge `tokens` more (or fewer) than `enter` was told."""
        ...


class Ended(NamedTuple):
    """How a call ended; times are monotonic seconds."""

    entered: float
    left: float
    succeeded: bool
    overloaded: bool = False
    retry_after: float | None = None


class Slots(ABC):
    """Slots for calls, first come first served. How many there are is what `room` says at the moment."""

    def __init__(self) -> None:
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
        """Sleep for `wait` seconds, and for as long as somebody is told to wait meanwhile."""
        while wait > 0:
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

    Two limits are found without being told, from refusals (429, 503) alone:

    - *At once.* The window of calls in flight starts at its ceiling; a refusal cuts it to `DECREASE` of what it was, a
      full window of successes opens it by one (additive increase, multiplicative decrease).
    - *A second.* While an endpoint refuses, it serves as much as it is willing to: the rate of successes at that moment
      is its limit. The pace is set a little below, and creeps up with every success until the next refusal.

    Refusals of calls that were on their way together tell of the same overload and count once. A `Retry-After` closes
    the endpoint for everybody until then: sending others meanwhile only collects refusals.
    """

    DECREASE = 0.7
    BELOW = 0.98
    """The pace after a refusal, as a share of the rate of successes."""
    CREEP = 60
    """Successes after which the pace is up by `CREEP_BY`; the way there is a parabola, careful at first."""
    CREEP_BY = 0.1
    PATIENCE = 10
    """Successes that a new pace is given before another refusal may lower it, unless refusals are many."""
    SEEN = 64
    """Successes that the rate is measured over, as far as they lie within `SEEN_S`."""
    SEEN_S = 60.0

    def __init__(self, ceiling: int, requests_per_minute: float | None, tokens_per_minute: float | None) -> None:
        super().__init__()
        self.ceiling = max(1, ceiling)
        self.window = float(self.ceiling)
        self._cut_at = 0.0
        self._requests = Pace(requests_per_minute / 60) if requests_per_minute else None
        self._tokens = Pace(tokens_per_minute / 60) if tokens_per_minute else None
        self._found: Pace | None = None
        self._found_rate = 0.0
        self._since_cut = 0
        self._refused: deque[bool] = deque(maxlen=32)
        self._successes: deque[float] = deque(maxlen=self.SEEN)

    @property
    def per_second(self) -> float | None:
        """The pace that was found; None: the endpoint has refused nothing yet."""
        return self._found.per_second if self._found else None

    @property
    def room(self) -> int:
        """How many calls may be in flight now."""
        return int(self.window)

    async def enter(self, tokens: int) -> float:
        """Wait for a slot, then for the pace; return the time of entry, for `leave`.

        Args:
            tokens: What the call will take of the tokens a minute, estimated.
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
        """Give the slot back, and learn from how the call ended."""
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
            if self._found is not None:
                self._found.per_second = self._found_rate * (1 + self.CREEP_BY * (self._since_cut / self.CREEP) ** 2)

    def charge(self, tokens: int) -> None:
        """Charge `tokens` more (or fewer) than `enter` was told."""
        if self._tokens is not None:
            self._tokens.take(tokens)

    def _cut(self, now: float) -> None:
        self.window = max(1.0, self.window * self.DECREASE)
        self._cut_at = now
        recent = [at for at in self._successes if now - at <= self.SEEN_S]
        # Who serves nobody shows no rate: that is an outage or an empty account, a matter for the pauses of retries.
        if len(recent) < 5 or self._since_cut == 0:
            return
        # A refusal now and then, or again right after going slower, has to do with its prompt or its moment.
        share = sum(self._refused) / len(self._refused)
        if share < 1 / 3 and (self._found is None or self._since_cut < self.PATIENCE):
            return
        rate = (len(recent) - 1) / max(0.001, now - recent[0])
        if self._found is not None:
            # The rate lags behind a limit that has just risen, and it is never good to fall far at one refusal.
            rate = min(max(rate, self.DECREASE * self._found.per_second), self._found.per_second)
        self._found_rate = self.BELOW * rate
        self._since_cut = 0
        if self._found is None:
            self._found = Pace(self._found_rate, depth=1.0)
        self._found.per_second = self._found_rate

    @property
    def paced(self) -> bool:
        """Whether calls must keep a pace, configured or found."""
        return any(pace is not None for pace in (self._requests, self._tokens, self._found))

    def book(self, tokens: int) -> float:
        """Take a call's part of the pace, and return the seconds until it may begin."""
        waits = [pace.take(1) for pace in (self._requests, self._found) if pace is not None]
        if self._tokens is not None:
            waits.append(self._tokens.take(tokens))
        return max(waits, default=0.0)


class Pace:
    """A token bucket. Its level may go below zero: who takes then waits until the debt is paid.

    Args:
        per_second: How fast it fills; may be changed.
        depth: What it holds; six seconds' worth where nothing is said, so that no minute passes its limit by much.
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
