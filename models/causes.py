"""The cause of a broken connection, below the wrappers of the HTTP clients: name resolution, TLS, refusal, reset."""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple


class Trouble(StrEnum):
    """What is wrong on the way to an endpoint."""

    NAME = "name"
    """The host's name cannot be resolved."""
    TLS = "tls"
    """The certificate, or the TLS handshake, is refused."""
    NOBODY = "nobody"
    """Nothing listens at the address."""
    TIMEOUT = "timeout"
    """There is no answer in time."""
    BROKEN = "broken"
    """The connection broke, or cannot be opened for another reason."""


class ConnectionTrouble(NamedTuple):
    """Why there is no connection."""

    kind: Trouble
    detail: str


def connection_trouble(error: BaseException) -> ConnectionTrouble:
    """Return the deepest cause of a connection error that says what is wrong."""
    chain = list(_chain(error))
    for cause in reversed(chain):
        text = " ".join(str(cause).split())[:300]
        if isinstance(cause, ssl.SSLError) or "certificate" in text.lower():
            return ConnectionTrouble(Trouble.TLS, f"TLS fails: {text}")
        if isinstance(cause, socket.gaierror) or "DNS" in type(cause).__name__:
            return ConnectionTrouble(Trouble.NAME, f"the host name cannot be resolved: {text}")
        if isinstance(cause, ConnectionRefusedError) or getattr(cause, "errno", None) == errno.ECONNREFUSED:
            return ConnectionTrouble(Trouble.NOBODY, f"nothing listens at the address: {text}")
    if any(isinstance(cause, TimeoutError) or "Timeout" in type(cause).__name__ for cause in chain):
        return ConnectionTrouble(Trouble.TIMEOUT, "no answer in time")
    causes = [text for cause in chain if (text := " ".join(str(cause).split())[:300])]
    detail = causes[-1] if causes else type(chain[-1]).__name__
    return ConnectionTrouble(Trouble.BROKEN, f"the connection broke: {detail}")


def _chain(error: BaseException) -> Iterator[BaseException]:
    current: BaseException | None = error
    for _ in range(20):
        if current is None:
            return
        yield current
        current = current.__cause__ or current.__context__
