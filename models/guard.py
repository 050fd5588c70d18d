"""The network guard: with `--air-gapped` models and sources reach nothing but this machine."""

from __future__ import annotations

import ipaddress
import socket
import sys
from typing import Any
from urllib.parse import urlsplit

from tracejury.models.records import CallFailed, FailureReason

_closed = False
_hooked = False


class BlockedError(OSError):
    """The network guard refused an address."""


def check_address(url: str) -> None:
    """Refuse `url` unless its host is this machine.

    Raises:
        CallFailed: `blocked`, with the host.
    """
    host = urlsplit(url).hostname or ""
    if not is_loopback(host):
        raise CallFailed(FailureReason.BLOCKED, f"--air-gapped: {host or url!r} is not this machine")


def is_loopback(host: str) -> bool:
    """Whether `host` is a loopback address, or `localhost`. No other name is looked up: that leaks it."""
    if host.lower().rstrip(".") in ("localhost", "localhost.localdomain", "ip6-localhost"):
        return True
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)


def is_loopback_url(url: str) -> bool:
    """Whether `url` leads to this machine."""
    return is_loopback(urlsplit(url).hostname or "")


def close_network() -> None:
    """Refuse, for the rest of this process, to connect or send to anything but loopback and to look up other names.

    It watches Python's audit events, so it covers every library that uses Python's sockets, but not native
    code with sockets of its own; for that, run in a network namespace (docs/security.md).
    """
    global _closed, _hooked
    _closed = True
    if not _hooked:
        sys.addaudithook(_watch)
        _hooked = True


def open_network() -> None:
    """Undo `close_network` (for tests)."""
    global _closed
    _closed = False


def _watch(event: str, args: tuple[Any, ...]) -> None:
    if not _closed or not event.startswith("socket."):
        return
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        sock, address = args[0], args[1]
        if address is None or sock.family not in (socket.AF_INET, socket.AF_INET6):
            return
        host = address[0]
    elif event == "socket.getaddrinfo" or event in ("socket.gethostbyname", "socket.gethostbyaddr"):
        host = args[0]
    else:
        return
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    # None and the empty string mean this machine (listening sockets).
    if host and host != "0.0.0.0" and not is_loopback(str(host)):  # noqa: S104
        raise BlockedError(f"--air-gapped: {host!r} is not this machine")
