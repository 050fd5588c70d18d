"""Requests that begin and never end hold no connection for long, and never the last one."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

REQUEST_S = 10.0
"""Seconds that a connection may take for a whole request."""
MOST_HALF_OPEN = 200
"""Connections without a whole request; the oldest is closed for the next one."""


class TimedProtocol(H11Protocol):  # type: ignore[misc] # uvicorn types it as Any
    """Closes connections that send no whole request in time."""

    _half_open: dict[TimedProtocol, asyncio.TimerHandle] = {}  # noqa: RUF012 - shared by all connections, oldest first

    def connection_made(self, transport: Any) -> None:
        """Start the time of the first request."""
        super().connection_made(transport)
        self._await_request()
        if len(self._half_open) > MOST_HALF_OPEN:
            next(iter(self._half_open)).transport.close()

    def data_received(self, data: bytes) -> None:
        """Stop the time once the request is whole."""
        super().data_received(data)
        if self._is_answering():
            self._forget()

    def on_response_complete(self) -> None:
        """Start the time of the next request on this connection."""
        super().on_response_complete()
        # A client may have sent its next request already.
        if not self.transport.is_closing() and not self._is_answering():
            self._await_request()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._forget()
        super().connection_lost(exc)

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.more_body and not self.cycle.response_complete

    def _await_request(self) -> None:
        self._forget()
        self._half_open[self] = self.loop.call_later(REQUEST_S, self.transport.close)

    def _forget(self) -> None:
        if timer := self._half_open.pop(self, None):
            timer.cancel()
