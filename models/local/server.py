"""The embedded server: llama.cpp on loopback, in a child process that starts on demand and ends with its owner."""

from __future__ import annotations

import json
import selectors
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from tracejury.models.local.machine import available_bytes, free_cores

CONTEXT = 8192
"""Default tokens of context per slot; a model that was trained on less gets what it was trained on."""
CACHE_MIB = 512
"""Memory for cached prompts of traces that have lost their slot to another trace."""
START_S = 180.0
RESTARTS = 5


# Loopback must not go through a proxy of the environment.
_open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open


class EmbeddedServerError(RuntimeError):
    """The embedded server cannot run. The message says what to do next."""


class EmbeddedServer:
    """Serves a GGUF at an OpenAI-compatible address on loopback, on a port that is free.

    Args:
        path: The GGUF file.
        context: Tokens of context per slot.
        slots: Calls at once; each has a context of its own, with the memory for it.
        threads: None: the number of free cores at the start.

    Use it as a context manager, or call `start` (again after a crash: it restarts) and `stop`.
    """

    def __init__(
        self, path: Path | str, *, context: int | None = None, slots: int = 1, threads: int | None = None
    ) -> None:
        self.path = Path(path)
        self.slots = slots
        self.threads = threads
        self.context = context or CONTEXT
        """Tokens of context per slot; after the start, the server's own figure."""
        self.base_url: str | None = None
        self._process: subprocess.Popen[str] | None = None
        self._log: IO[bytes] | None = None
        self._lock = threading.Lock()
        self._starts = 0

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        """The process's id."""
        return self._process.pid if self._process else None

    def start(self) -> str:
        """Return the base URL of the server; start it unless it runs. Safe between threads.

        Raises:
            EmbeddedServerError: The file is missing or broken, memory is too small, or the server crashed repeatedly.
        """
        with self._lock:
            if self.alive and self.base_url is not None:
                return self.base_url
            if self._starts > RESTARTS:
                raise EmbeddedServerError(
                    f"the embedded server crashed {RESTARTS} times on {self.path}:\n{self._tail()}"
                )
            _check_file(self.path)
            _check_memory(self.path)
            self._starts += 1
            self.base_url = self._spawn()
            return self.base_url

    def stop(self) -> None:
        """Stop the process, if it runs or is about to."""
        starting = self._process
        if starting is not None:
            # `start` has the lock while it waits for the server, and the end of the process ends that wait.
            starting.kill()
        with self._lock:
            process, self._process, self.base_url = self._process, None, None
            if process is not None:
                # llama.cpp has nothing to save, and on SIGTERM it would wait for its slots.
                process.kill()
                process.wait()
                for pipe in (process.stdin, process.stdout):
                    if pipe is not None:
                        pipe.close()
            if self._log is not None:
                self._log.close()
                self._log = None

    def __enter__(self) -> EmbeddedServer:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def count_tokens(self, text: str) -> int:
        """Return the number of tokens of `text` by the model's own tokenizer; starts the server unless it runs."""
        body = json.dumps({"content": text}).encode()
        root = self.start().removesuffix("/v1")
        request = urllib.request.Request(f"{root}/tokenize", body, {"Content-Type": "application/json"})  # noqa: S310
        with _open(request, timeout=30) as reply:
            return len(json.load(reply)["tokens"])

    def _spawn(self) -> str:
        parameters = {
            "path": str(self.path),
            "context": self.context,
            "slots": self.slots,
            "threads": self.threads or free_cores(),
            "cache_mib": CACHE_MIB,
        }
        if self._log is not None:
            self._log.close()
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed by stop
        self._process = process = subprocess.Popen(
            [sys.executable, "-m", "tracejury.models.local.server_child", json.dumps(parameters)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            # Ctrl-C reaches the whole process group, but a run that ends cleanly still needs its server.
            start_new_session=True,
        )
        startup = self._first_line(process)
        if "error" in startup:
            process.wait(10)
            raise EmbeddedServerError(
                f"the embedded server cannot load {self.path}: {startup['error']}\n{self._tail()}\n"
                "If the file is broken, fetch it again (tracejury models fetch NAME)."
            )
        self.context = startup["context"]
        return f"{startup['address']}/v1"

    def _first_line(self, process: subprocess.Popen[str]) -> dict[str, Any]:
        if process.stdout is None:
            raise ValueError("the process has no pipe for its output")
        until = time.monotonic() + START_S
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while time.monotonic() < until:
                if selector.select(timeout=1.0):
                    line = process.stdout.readline()
                    if not line:
                        return {"error": f"its process ended with code {process.wait()}"}
                    if line.startswith("{"):
                        startup: dict[str, Any] = json.loads(line)
                        return startup
        process.kill()
        return {"error": f"it did not listen within {START_S:.0f} s"}

    def _tail(self) -> str:
        if self._log is None:
            return ""
        self._log.seek(0)
        lines = self._log.read().decode("utf-8", "replace").splitlines()
        errors = [line for line in lines if " E " in line or "error" in line.lower()] or lines
        return "\n".join(errors[-5:])


def _check_file(path: Path) -> None:
    if not path.is_file():
        raise EmbeddedServerError(f"{path}: no such file; `tracejury models list` names weights that can be fetched")
    with path.open("rb") as stream:
        if stream.read(4) != b"GGUF":
            raise EmbeddedServerError(f"{path} is not a GGUF file (it does not begin with 'GGUF')")


def _check_memory(path: Path) -> None:
    free = available_bytes()
    needed = int(path.stat().st_size * 1.1) + 200_000_000
    if free is not None and needed > free:
        raise EmbeddedServerError(
            f"{path.name} needs about {needed / 1e9:.1f} GB of memory and {free / 1e9:.1f} GB are free: "
            "take a smaller model or a stronger quantisation, or point the endpoint at a server elsewhere"
        )
