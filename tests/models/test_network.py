"""Keys stay secret, and an air-gapped run reaches nothing but this machine."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tracejury.models import (
    BlockedError,
    CallFailed,
    CallStore,
    Endpoint,
    FailureReason,
    Gateway,
    close_network,
    open_network,
)

KEY = "sk-planted-0123456789abcdefghijkl"


def failing(store: CallStore, request: Any, **fields: Any) -> CallFailed:
    async def main() -> None:
        async with Gateway(store, secret=b"s", **fields) as gateway:
            await gateway.chat(request)

    with pytest.raises(CallFailed) as failed:
        asyncio.run(main())
    return failed.value


def test_a_planted_key_is_found_nowhere(
    asking: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The server echoes the key in an error; neither the failure, nor the store, nor a debug log has it."""
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("PLANTED_KEY", KEY)
    asking.server.set(mode="echo-key")
    asking.endpoint = asking.endpoint.model_copy(update={"api_key_env": "PLANTED_KEY"})
    store = CallStore(f"sqlite:///{tmp_path}/calls.db")
    failed = failing(store, asking.about("x"))
    assert "[key]" in failed.detail
    store.close()
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    for text in (str(failed), repr(failed.calls), stored.decode("utf-8", "replace"), caplog.text):
        assert KEY not in text


def test_a_key_comes_from_a_file_that_only_its_owner_can_read(
    asking: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = tmp_path / "keys"
    keys.write_text(f"# mine\nexport FILED_KEY='{KEY}'\n")
    monkeypatch.setenv("TRACEJURY_KEYS", str(keys))
    asking.server.set(mode="echo-key")
    asking.endpoint = asking.endpoint.model_copy(update={"api_key_env": "FILED_KEY"})
    store = CallStore("sqlite://")
    keys.chmod(0o644)
    assert f"chmod 600 {keys}" in failing(store, asking.about("x")).detail
    keys.chmod(0o600)
    assert "Bearer [key]" in failing(store, asking.about("x")).detail
    store.close()


def test_a_word_in_place_of_a_key_is_left_in_the_replies(asking: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers without keys are given `x` or `EMPTY`; taking those out of a reply would change what a judge said."""
    monkeypatch.setenv("NO_KEY", "o")
    asking.server.set(reply={"finding": "no oedema", "label": "error"})
    asking.endpoint = asking.endpoint.model_copy(update={"api_key_env": "NO_KEY"})
    store = CallStore("sqlite://")

    async def main() -> str:
        async with Gateway(store, secret=b"s") as gateway:
            return str((await gateway.chat(asking.about("x"))).parsed.finding)

    assert asyncio.run(main()) == "no oedema"
    store.close()


def test_an_address_with_a_password_is_refused() -> None:
    """A panel is written into the ledger as it is."""
    with pytest.raises(ValueError, match="api_key_env"):
        Endpoint(name="a", model="m", base_url="https://me:secret@example.org/v1")


@pytest.mark.parametrize(
    "url", ["https://api.example.org/v1", "http://10.0.0.8:8000/v1", "http://[2001:db8::1]/v1", None]
)
def test_air_gapped_refuses_other_machines(asking: Any, url: str | None) -> None:
    store = CallStore("sqlite://")
    asking.endpoint = asking.endpoint.model_copy(update={"base_url": url})
    failed = failing(store, asking.about("x"), air_gapped=True)
    assert failed.reason is FailureReason.BLOCKED
    assert store.calls() == []
    store.close()


@pytest.fixture
def closed_network() -> Iterator[None]:
    close_network()
    yield
    open_network()


def test_a_closed_network_lets_loopback_through_and_nothing_else(asking: Any, closed_network: None) -> None:
    for host in ("192.0.2.1", "2001:db8::1"):
        with (
            pytest.raises(BlockedError),
            socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as sock,
        ):
            sock.sendto(b"x", (host, 9))
    with pytest.raises(BlockedError):
        socket.create_connection(("192.0.2.1", 80), timeout=1)
    with pytest.raises(BlockedError):
        socket.getaddrinfo("example.org", 443)
    with pytest.raises(OSError, match="air-gapped"):
        urllib.request.urlopen("http://example.org/", timeout=1)
    store = CallStore("sqlite://")

    async def main() -> str:
        async with Gateway(store, secret=b"s", air_gapped=True) as gateway:
            return str((await gateway.chat(asking.about("x"))).parsed.label)

    assert asyncio.run(main()) == "supported"
    store.close()


def test_proxies_of_the_environment_never_see_loopback(asking: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    store = CallStore("sqlite://")

    async def main() -> str:
        async with Gateway(store, secret=b"s") as gateway:
            return str((await gateway.chat(asking.about("x"))).parsed.label)

    assert asyncio.run(main()) == "supported"
    store.close()


def test_nothing_is_traced_unless_the_user_turns_it_on() -> None:
    from langchain_core.callbacks import AsyncCallbackManager

    assert not {"LANGSMITH_TRACING", "LANGCHAIN_TRACING_V2"} & set(os.environ)
    assert AsyncCallbackManager.configure().handlers == []
