"""Connections that send no whole request: others are answered all the while, and the half-open ones are closed."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
import urllib.request
from collections.abc import Iterator

import pytest
import uvicorn
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from tracejury.console.viewer import half_open


async def page(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["path"] == "/slow":
        await asyncio.sleep(0.4)
    await PlainTextResponse("a page")(scope, receive, send)


@pytest.fixture
def port() -> Iterator[int]:
    server = uvicorn.Server(uvicorn.Config(page, log_level="error", lifespan="off", http=half_open.TimedProtocol))
    listening = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    yield int(listening.getsockname()[1])
    server.should_exit = True
    thread.join(10)


WHOLE = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
HALF = b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\n\r\nab"


def begun(port: int, sent: bytes = HALF) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port))
    connection.sendall(sent)
    return connection


def is_open(connection: socket.socket) -> bool:
    connection.settimeout(0.01)
    try:
        # The page may have come; the end of the connection comes after it.
        while connection.recv(1000):
            pass
    except TimeoutError:
        return True
    except ConnectionError:
        pass
    return False


def page_of(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as reply:
        return str(reply.read().decode())


def test_too_many_half_open_connections_cost_the_oldest(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(half_open, "MOST_HALF_OPEN", 5)
    connections = [begun(port) for _ in range(20)]
    assert page_of(port) == "a page"
    open_now = [is_open(connection) for connection in connections]
    assert sum(open_now) <= 5
    assert open_now[-1]
    assert not open_now[0]


@pytest.mark.parametrize("sent", [b"", HALF, HALF[:20], WHOLE + HALF[:20]], ids=["nothing", "body", "head", "second"])
def test_a_request_that_never_ends_is_closed(port: int, sent: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(half_open, "REQUEST_S", 0.2)
    connection = begun(port, sent)
    assert page_of(port) == "a page"
    until = time.monotonic() + 4  # uvicorn's own limit for idle connections is 5 s
    while is_open(connection):
        assert time.monotonic() < until
        time.sleep(0.05)


def test_an_answer_that_takes_longer_than_a_request_may_is_whole(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(half_open, "REQUEST_S", 0.1)
    connection = begun(port, WHOLE.replace(b"GET /", b"GET /slow") * 2)
    connection.settimeout(5)
    received = b""
    while received.count(b"a page") < 2:
        part = connection.recv(1000)
        assert part, received
        received += part
