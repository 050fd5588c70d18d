"""A whole run that is cancelled, or times out, gives control back within a second, wherever it waits."""

from __future__ import annotations

import asyncio
import socket
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest
from local_panel import GOOD, write_panel, write_traces
from servers.model_server import ModelServer

from tracejury.agents import load_panel
from tracejury.graphs import adjudicate

STEPS = [["The cough has lasted three days.", "A cough of three days is acute."]]
PATIENT = {"timeout_s": 300.0, "deadline_s": 600.0, "max_attempts": 1000}
# Where the run waits -> the server's behaviour, the endpoint's fields.
SERVERS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "a reply": ({"mode": "hang"}, {}),
    "the probe": ({"mode": "hang"}, {}),
    "a Retry-After": ({"mode": "429-after", "retry_after_s": 200.0}, {}),
    "an outage": ({"down": True}, {}),
    "the pace": ({}, {"requests_per_minute": 1.0}),
    "the references": ({}, {}),
    "the ledger": ({}, {}),
}


@contextmanager
def silent_server() -> Iterator[str]:
    """An address that takes connections and never answers."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the ledger's write lock, as another program might."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.close()


async def run_until_it_waits(folder: Path, url: str, place: str, timeout_s: float | None) -> float:
    """Start a run, end it while it waits, and return the seconds that this took."""
    _, fields = SERVERS[place]
    sources = {"retrieval": {"sources": ["open-medicine"]}} if place == "the references" else {}
    panel = load_panel(str(write_panel(folder, url, endpoint=PATIENT | fields, **sources)))
    opened = asyncio.Event()
    keeper = locked(folder / "l.db") if place == "the ledger" else nullcontext()
    with silent_server() as silent:
        task = asyncio.create_task(
            adjudicate(
                write_traces(folder, STEPS),
                panel,
                store=f"sqlite:///{folder}/l.db",
                index=silent if place == "the references" else None,  # type: ignore[arg-type]
                probe=place == "the probe",
                opened=lambda run, resumed: opened.set(),
            )
        )
        if place != "the references":
            await asyncio.wait({task, asyncio.create_task(opened.wait())}, return_when="FIRST_COMPLETED")
        with keeper:
            await asyncio.sleep(1.0)
            assert not task.done(), task
            started = time.monotonic()
            if timeout_s is None:
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
            else:
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(timeout_s):
                        await task
            return time.monotonic() - started - (timeout_s or 0)


@pytest.mark.parametrize(
    ("place", "timeout_s"),
    [*((place, None) for place in SERVERS), ("a reply", 0.2), ("the references", 0.2), ("the ledger", 0.2)],
)
def test_a_run_ends_within_a_second_wherever_it_waits(tmp_path: Path, place: str, timeout_s: float | None) -> None:
    behaviour, _ = SERVERS[place]
    with ModelServer(reply=GOOD, **behaviour) as server:
        started = time.monotonic()
        took = asyncio.run(run_until_it_waits(tmp_path, server.url, place, timeout_s))
        assert took < 1.0
        assert time.monotonic() - started < 60, "the loop closes without waiting for a thread"
