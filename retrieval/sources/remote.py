"""Fetching a corpus from an address: its size and date first, then the file, from where an earlier try was cut off."""

from __future__ import annotations

import hashlib
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from tracejury.models import cache_dir
from tracejury.retrieval.sources.web import ServiceError

_PIECE = 1 << 20


class RemoteFile(NamedTuple):
    """What a server says of a file."""

    bytes: int | None
    date: str
    is_resumable: bool


def is_address(path: str) -> bool:
    """Tell whether a path is an http(s) address."""
    return path.startswith(("http://", "https://"))


def look_at(address: str) -> RemoteFile:
    """Ask for a file's size and date, and for nothing of its content.

    Raises:
        ServiceError: The server cannot be reached, or refuses.
    """
    with _opened(address, method="HEAD") as reply:
        size = reply.headers.get("Content-Length", "")
        resumable = reply.headers.get("Accept-Ranges", "") == "bytes"
        return RemoteFile(int(size) if size.isdigit() else None, reply.headers.get("Last-Modified", ""), resumable)


def is_here(address: str) -> bool:
    """Tell whether the file, as the server has it now, is in the cache whole.

    Raises:
        ServiceError: The server cannot be reached, or refuses.
    """
    return _cached(address, look_at(address)).is_file()


def local_copy(address: str, report: Callable[[int, int | None], None] = lambda megabytes, of: None) -> Path:
    """Return a file's copy in the cache; fetch it first, or the part that an earlier try did not get.

    Args:
        address: The http(s) address.
        report: Called with the megabytes that are here, and in all where the server says so.

    Raises:
        ServiceError: The server cannot be reached, or refuses; what is here already stays for the next try.
    """
    remote = look_at(address)
    target = _cached(address, remote)
    if target.is_file():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(target.name + ".part")
    bytes_done = partial.stat().st_size if remote.is_resumable and partial.is_file() else 0
    if remote.bytes is None or bytes_done < remote.bytes:
        headers = {"Range": f"bytes={bytes_done}-"} if bytes_done else {}
        with _opened(address, headers=headers) as reply, partial.open("ab" if reply.status == 206 else "wb") as file:
            while piece := reply.read(_PIECE):
                file.write(piece)
                report(file.tell() >> 20, None if remote.bytes is None else remote.bytes >> 20)
    if remote.bytes is not None and partial.stat().st_size != remote.bytes:
        raise ServiceError(f"{address}: {partial.stat().st_size} of {remote.bytes} bytes came; the next try goes on")
    partial.replace(target)
    return target


def _cached(address: str, remote: RemoteFile) -> Path:
    # A file that has changed since has another name here, so that no copy is put together of two files.
    state = hashlib.sha256(f"{address} {remote.date} {remote.bytes}".encode()).hexdigest()[:12]
    return cache_dir() / "corpora" / f"{state}-{Path(urlsplit(address).path).name or 'file'}"


def _opened(address: str, method: str = "GET", headers: dict[str, str] | None = None):  # type: ignore[no-untyped-def]
    request = urllib.request.Request(  # noqa: S310 - callers check the scheme
        address, method=method, headers={"User-Agent": "tracejury", **(headers or {})}
    )
    try:
        return urllib.request.urlopen(request, timeout=60)  # noqa: S310
    except urllib.error.HTTPError as refused:
        raise ServiceError(f"{address} answered {refused.code} {refused.reason}") from refused
    except (urllib.error.URLError, TimeoutError, ConnectionError) as away:
        raise ServiceError(f"{address} cannot be reached: {away}") from away
