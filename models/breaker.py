"""The circuit breaker: while an endpoint is down its calls wait, and one call at a time probes whether it is back."""

from __future__ import annotations

import asyncio
import time


class Breaker:
    """Opens after `THRESHOLD` failures in a row that span at least `QUIET_S` seconds; one success closes it.

    Both conditions are needed: a few prompts that a server always fails on are not an outage, even when they are all
    that is left.

    While the breaker is open all calls wait except one probe at a time, the first after `FIRST_S`, the next ones at
    growing intervals. A run over a dead endpoint costs a probe now and then and goes on by itself when it is back.
    """

    THRESHOLD = 8
    QUIET_S = 3.0
    FIRST_S = 0.5
    MAX_S = 30.0

    def __init__(self) -> None:
        self.opened: float | None = None
        """When the breaker opened (monotonic seconds); None: it is closed."""
        self._in_a_row = 0
        self._quiet_since = 0.0
        self._pause = self.FIRST_S
        self._next = 0.0
        self._probing = False
        self._closed = asyncio.Event()
        self._closed.set()

    async def wait_for_turn(self, timeout_s: float) -> bool:
        """Wait until a call may be sent; return whether it is a probe.

        Raises:
            TimeoutError: The endpoint stayed down for `timeout_s`.
        """
        until = time.monotonic() + timeout_s
        while self.opened is not None:
            now = time.monotonic()
            if not self._probing and now >= self._next:
                self._probing = True
                return True
            if now >= until:
                raise TimeoutError
            # The end of a running probe changes `_next`, so this looks again soon; its success ends the wait at once.
            wait = min(max(self._next - now, 0.05), until - now, 1.0)
            try:
                await asyncio.wait_for(self._closed.wait(), wait)
            except TimeoutError:
                continue
        return False

    def record(self, down: bool, probe: bool) -> None:
        """Record how a call ended."""
        if probe:
            self._probing = False
        if not down:
            self._in_a_row = 0
            self._pause = self.FIRST_S
            self.opened = None
            self._closed.set()
            return
        now = time.monotonic()
        if self._in_a_row == 0:
            self._quiet_since = now
        self._in_a_row += 1
        long_enough = now - self._quiet_since >= self.QUIET_S
        if self.opened is None and long_enough and self._in_a_row >= self.THRESHOLD:
            self.opened = now
            self._closed.clear()
            self._next = now + self._pause
        elif probe:
            self._pause = min(2 * self._pause, self.MAX_S)
            self._next = now + self._pause

    def abandon(self) -> None:
        """Record that a probe was cancelled before it had a result."""
        self._probing = False
