"""The circuit breaker: while an endpoint is down its calls wait, and one at a time tries whether it is back."""

from __future__ import annotations

import asyncio
import time


class Breaker:
    """Opens when `THRESHOLD` calls in a row, over `QUIET_S` and more, found the endpoint down; one success closes it.

    Both, since a few prompts that a server always chokes on are not an outage, even when they are all that is left.

    While it is open everybody waits but one prober at a time, first after `FIRST_S`, then at growing intervals. A run
    over a dead endpoint so costs a probe now and then, and goes on by itself, instead of failing every step.
    """

    THRESHOLD = 8
    QUIET_S = 3.0
    FIRST_S = 0.5
    MAX_S = 30.0

    def __init__(self) -> None:
        self.opened: float | None = None
        """When it opened (monotonic); None: closed."""
        self._in_a_row = 0
        self._quiet_since = 0.0
        self._pause = self.FIRST_S
        self._next = 0.0
        self._probing = False
        self._closed = asyncio.Event()
        self._closed.set()

    async def passage(self, patience_s: float) -> bool:
        """Return when a call may be made, whether it is a probe.

        Raises:
            TimeoutError: The endpoint stayed down for `patience_s`.
        """
        until = time.monotonic() + patience_s
        while self.opened is not None:
            now = time.monotonic()
            if not self._probing and now >= self._next:
                self._probing = True
                return True
            if now >= until:
                raise TimeoutError
            # A running probe's end changes `_next`, so look again soon; its success ends the wait at once.
            wait = min(max(self._next - now, 0.05), until - now, 1.0)
            try:
                await asyncio.wait_for(self._closed.wait(), wait)
            except TimeoutError:
                continue
        return False

    def note(self, down: bool, probe: bool) -> None:
        """Learn from how a call ended."""
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
        long = now - self._quiet_since >= self.QUIET_S
        if self.opened is None and long and self._in_a_row >= self.THRESHOLD:
            self.opened = now
            self._closed.clear()
            self._next = now + self._pause
        elif probe:
            self._pause = min(2 * self._pause, self.MAX_S)
            self._next = now + self._pause

    def abandon(self) -> None:
        """A probe ended without telling anything (it was cancelled)."""
        self._probing = False
