"""Documents are read in a process of their own: a file that takes too much memory or time costs only itself."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tracejury.retrieval.sources.reading import UnreadableError

MEMORY_MB = 400
FILE_S = 120.0
"""Seconds that one file may take."""


class ReadingProcess:
    """Reads one file after another; a process that had to end is replaced for the next file. A context manager."""

    def __init__(self, memory_mb: int = MEMORY_MB, file_s: float = FILE_S) -> None:
        self._memory_mb, self._file_s = memory_mb, file_s
        self._process: subprocess.Popen[str] | None = None

    def read(self, path: Path) -> Iterator[tuple[str, str]]:
        """Yield (place, text) of a document, as the functions of `reading` do.

        Raises:
            UnreadableError: The file is broken, or reading it took too much memory or time.
        """
        process = self._running()
        if process.stdin is None or process.stdout is None:
            raise ValueError("the process has no pipes")
        overdue = threading.Event()

        def end() -> None:
            overdue.set()
            process.kill()

        timer = threading.Timer(self._file_s, end)
        timer.start()
        is_idle = False
        try:
            with contextlib.suppress(BrokenPipeError):
                process.stdin.write(json.dumps(str(path.absolute())) + "\n")
                process.stdin.flush()
            for line in process.stdout:
                message: dict[str, Any] = json.loads(line)
                is_idle = "end" in message or "reason" in message
                if "end" in message:
                    return
                if "reason" in message:
                    raise UnreadableError(message["reason"], message["hint"])
                yield message["place"], message["text"]
        finally:
            timer.cancel()
            if not is_idle:
                # It died, or nobody wants the rest of the file: what it would still say is not of the next one.
                self.close()
        limit = f"{self._file_s:.2g} s" if overdue.is_set() else f"{self._memory_mb} MB of memory"
        raise UnreadableError(f"reading it took more than {limit}", "split it, or save it as text")

    def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with contextlib.suppress(BrokenPipeError):
                        pipe.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None or self._process.poll() is not None:
            self.close()
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tracejury.retrieval.sources.reading_child", str(self._memory_mb)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
        return self._process
