"""An OpenAI-compatible server on loopback that answers as it is told to, faults included, and counts.

By hand, in tests/: `python -m servers.model_server --port 8099 '{"latency_s": 0.2}'`. In tests: the fixture
`model_server`, or

    with ModelServer(latency_s=0.2, script=["429", "ok"]) as server:
        endpoint = Endpoint(name="local", model="m", base_url=server.url)
        ...
        assert server.counts()["calls"] == 2

What a call gets is decided by, in this order: the hidden limit; `script` (one mode a call, then gone); `match` (the
first key that stands in the prompt: a mode, or a list of modes, one for each attempt at the same prompt, the last for
all further ones); `mode`. It knows no model: a good reply is built from the schema that the request asks for, `reply`
says which values it puts there.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path
from typing import Any


class ModelServer:
    """Owns the server's process."""

    def __init__(self, **behaviour: Any) -> None:
        self._behaviour = behaviour
        self._process: subprocess.Popen[str] | None = None
        self.url = ""

    def __enter__(self) -> ModelServer:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "servers.model_server", json.dumps(self._behaviour)],
            cwd=Path(__file__).resolve().parents[1],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def set(self, **behaviour: Any) -> None:
        """Change behaviour; what is not named stays."""
        self._ask("/control", behaviour)

    def reset(self, **behaviour: Any) -> None:
        """Go back to the plain behaviour plus what is named here, and count from zero."""
        self._ask("/reset", behaviour)

    def counts(self) -> dict[str, Any]:
        """Return calls, modes answered, prompts seen (hash -> calls), the most in flight at once, seconds since reset.

        `paid` is prompt -> replies with a body that a provider would charge for; `last_fields` is the body of the last
        chat request without its messages.
        """
        return self._ask("/counts", None)

    def _ask(self, path: str, body: Any) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url.removesuffix("/v1") + path, data)
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30) as reply:
            return json.load(reply)


async def serve(behaviour: dict[str, Any], port: int) -> None:
    """Serve until the process ends."""
    from aiohttp import web

    from servers.handlers import Handlers
    from servers.state import State

    runner = web.AppRunner(Handlers(State(behaviour)).application(), access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port, backlog=4096)
    await site.start()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}/v1", flush=True)
    await asyncio.Event().wait()


def main() -> None:
    """Serve; when started by `ModelServer`, end with its owner."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("behaviour", nargs="?", default="{}", help="JSON of Behaviour's fields")
    parser.add_argument("--port", type=int, default=0, help="0: any that is free")
    arguments = parser.parse_args()
    if not sys.stdin.isatty() and arguments.port == 0:

        def watch() -> None:
            while sys.stdin.buffer.raw.read(64):  # type: ignore[attr-defined]
                pass
            os._exit(0)

        threading.Thread(target=watch, daemon=True).start()
    asyncio.run(serve(json.loads(arguments.behaviour), arguments.port))


if __name__ == "__main__":
    main()
