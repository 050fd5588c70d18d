"""The embedded server with the real small model: at most four calls."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Literal

import pytest
from conftest import absent
from pydantic import BaseModel

from tracejury.models import (
    CallFailed,
    CallStore,
    ChatRequest,
    EmbeddedServer,
    EmbeddedServerError,
    Endpoint,
    FailureReason,
    Gateway,
    Message,
    estimate_tokens,
    is_fetched,
    weights_path,
)


class Label(BaseModel):
    """A reply that even this model gives."""

    label: Literal["supported", "error"]


@pytest.fixture(scope="module")
def gguf() -> Path:
    pytest.importorskip("xllamacpp")
    if not is_fetched("smollm2-135m"):
        absent("weights", "run `tracejury models fetch smollm2-135m`")
    return weights_path("smollm2-135m")


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.llm
def test_endpoints_with_the_same_weights_share_a_server_that_survives_its_crash(gguf: Path) -> None:
    rules = "You check one step of a medical chain of thought. " * 8
    first = Endpoint(name="one", kind="embedded", model="smollm2-135m")
    second = Endpoint(name="two", kind="embedded", model=str(gguf), context_window=8192)

    def about(endpoint: Endpoint, text: str, **fields: Any) -> ChatRequest:
        messages = (Message(role="system", parts=(rules,)), Message(role="user", parts=(text,)))
        return ChatRequest(endpoint, messages, "judge:x", "t_1", **{"schema": Label, "max_tokens": 24} | fields)

    async def main() -> None:
        async with Gateway(CallStore("sqlite://"), secret=b"s") as gateway:
            cold = await gateway.chat(about(first, "Fever is a raised temperature. Label it."))
            warm = await gateway.chat(about(second, "Aspirin is an antibiotic. Label it."))
            assert cold.parsed.label in ("supported", "error")
            assert warm.calls[0].cached_tokens > 50 > cold.calls[0].cached_tokens
            (server,) = gateway._servers.by_path.values()
            text = "Potassium 5.9 mmol/L, so give calcium gluconate 10 mL of 10 %."
            assert 0.8 < estimate_tokens(text) / server.count_tokens(text) < 1.5
            # Too long for the context: refused by the server before it computes anything.
            with pytest.raises(CallFailed) as failed:
                await gateway.chat(about(first, "word " * 9000))
            assert failed.value.reason is FailureReason.CONTEXT
            assert server.pid is not None
            os.kill(server.pid, signal.SIGKILL)
            again = await gateway.chat(about(first, "The liver makes bile. Label it."))
            assert again.parsed.label in ("supported", "error")
        assert not server.alive

    asyncio.run(main())


def test_it_dies_with_its_owner_after_kill_9(gguf: Path) -> None:
    code = (
        "import sys, time; from tracejury.models import EmbeddedServer\n"
        "server = EmbeddedServer(sys.argv[1]); server.start(); print(server.pid, flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(gguf)], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        pid = int(owner.stdout.readline())
        assert is_running(pid)
        owner.kill()
    until = time.monotonic() + 10
    while is_running(pid) and time.monotonic() < until:
        time.sleep(0.05)
    assert not is_running(pid)


def test_files_that_cannot_be_served_are_told(gguf: Path, tmp_path: Path) -> None:
    with pytest.raises(EmbeddedServerError, match="no such file"):
        EmbeddedServer(tmp_path / "none.gguf").start()
    (tmp_path / "text.gguf").write_text("hello")
    with pytest.raises(EmbeddedServerError, match="is not a GGUF file"):
        EmbeddedServer(tmp_path / "text.gguf").start()
    with (tmp_path / "huge.gguf").open("wb") as huge:
        huge.write(b"GGUF")
        huge.truncate(10**13)  # sparse: takes no space
    with pytest.raises(EmbeddedServerError, match="GB are free"):
        EmbeddedServer(tmp_path / "huge.gguf").start()
    with gguf.open("rb") as whole:
        (tmp_path / "half.gguf").write_bytes(whole.read(3_000_000))
    with pytest.raises(EmbeddedServerError, match="corrupted or incomplete"):
        EmbeddedServer(tmp_path / "half.gguf").start()
