"""A Chroma server of the tests' own, on loopback, its files in a folder of the caller's."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def chroma(folder: Path, wait_s: float = 20.0) -> Iterator[tuple[str, int]]:
    """Start `chroma run`; give its address and its process id."""
    command = shutil.which("chroma", path=str(Path(sys.executable).parent))
    assert command, "chromadb brings its server"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    asked = [command, "run", "--path", str(folder), "--host", "127.0.0.1", "--port", str(port)]
    with subprocess.Popen(asked, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        for _ in range(round(wait_s / 0.2)):
            time.sleep(0.2)
            with socket.socket() as knock:
                if knock.connect_ex(("127.0.0.1", port)) == 0:
                    break
        try:
            yield f"http://127.0.0.1:{port}", process.pid
        finally:
            process.terminate()
