"""How many calls an endpoint gets at once and a minute: adaptive concurrency, request and token rates."""

from __future__ import annotations

import asyncio
import time
from collections import deque


class Limiter:
    """Slots of one endpoint: additive increase, multiplicative decrease, first come first served.

    The window starts at its ceiling. An overload (429, 503) cuts it to `DECREASE` of what it was, once for all the
    calls that were in flight together, since they tell of the same overload; each full window of successes opens it by
    one. A `Retry-After` closes the endpoint for everybody until then: to send others meanwhile only collects refusals.
    """

    DECREASE = 0.7

    def __init__(self, ceiling: int, requests_per_minute: float | None, tokens_per_minute: float | None) -> None:
        self.ceiling = max(1, ceiling)
        self.window = float(self.ceiling)
        self.in_flight = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._open_at = 0.0
        self._cut_at = 0.0
        self._rates = [
            (pace, by_tokens)
            for per_minute, by_tokens in ((requests_per_minute, False), (tokens_per_minute, True))
            if per_minute
            for pace in [Pace(per_minute / 60)]
        ]

    async def enter(self, tokens: int) -> float:
        """Wait for a slot, then for the rates; return the time of entry, for `leave`.

        Args:
            tokens: What the call will take of the tokens a minute, estimated.
        """
        if self.in_flight >= int(self.window) or self._waiting:
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            try:
                await turn
            except asyncio.CancelledError:
                if turn.done() and not turn.cancelled():
                    self._give_back()
                raise
        else:
            self.in_flight += 1
        try:
            while (wait := self._open_at - time.monotonic()) > 0:  # noqa: ASYNC110 - a moment, not an event
                await asyncio.sleep(wait)
            for pace, by_tokens in self._rates:
                if (wait := pace.take(tokens if by_tokens else 1)) > 0:
                    await asyncio.sleep(wait)
        except asyncio.CancelledError:
            self._give_back()
            raise
        return time.monotonic()

    def leave(self, entered: float, overloaded: bool = False, retry_after: float | None = None) -> None:
        """Give the slot back, and learn from how the call ended."""
        now = time.monotonic()
        if overloaded:
            if entered >= self._cut_at:
                self.window = max(1.0, self.window * self.DECREASE)
                self._cut_at = now
            if retry_after is not None:
                self._open_at = max(self._open_at, now + retry_after)
        else:
            self.window = min(float(self.ceiling), self.window + 1 / self.window)
        self._give_back()

    def correct(self, tokens: int) -> None:
        """Charge `tokens` more (or fewer) than `enter` was told."""
        for pace, by_tokens in self._rates:
            if by_tokens:
                pace.take(tokens)

    def _give_back(self) -> None:
        self.in_flight -= 1
        while self._waiting and self.in_flight < int(self.window):
            turn = self._waiting.popleft()
            if not turn.done():
                self.in_flight += 1
                turn.set_result(None)


class Pace:
    """A token bucket that holds six seconds of its rate (at least one call), so that no minute passes its limit."""

    def __init__(self, per_second: float) -> None:
        self.per_second = per_second
        self._depth = max(1.0, 6 * per_second)
        self._level = self._depth
        self._at = time.monotonic()

    def take(self, amount: float) -> float:
        """Take `amount` and return the seconds to wait until that is allowed. The level may go below zero."""
        now = time.monotonic()
        self._level = min(self._depth, self._level + (now - self._at) * self.per_second) - amount
        self._at = now
        return max(0.0, -self._level / self.per_second)
