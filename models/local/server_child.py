"""The embedded server's process: `python -m tracejury.models.local.server_child '{"path": ...}'`.

It is a process of its own, so that a crash inside llama.cpp costs one call and not the run. It prints one line of JSON
when it listens, and ends when its standard input does: that pipe closes with its owner, however the owner died.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import urllib.request
from typing import Any


def main() -> None:
    """Serve until the owner ends."""
    parameters: dict[str, Any] = json.loads(sys.argv[1])
    threading.Thread(target=_watch_owner, daemon=True).start()
    try:
        import xllamacpp
    except ImportError as error:
        _say({"error": f"xllamacpp cannot be imported ({error}): pip install 'tracejury[local]'"})
        return
    params = xllamacpp.CommonParams()
    params.model.path = parameters["path"]
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.n_parallel = parameters["slots"]
    params.n_ctx = parameters["context"] * parameters["slots"]
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = parameters["threads"]
    params.cache_ram_mib = parameters["cache_mib"]
    params.ctx_shift = False  # a full context ends the reply; it never drops the prompt's beginning
    params.ui = False
    try:
        server = xllamacpp.Server(params)
    except RuntimeError as error:
        _say({"error": str(error)})
        return
    address = server.listening_address
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"{address}/props", timeout=30) as reply:
        props = json.load(reply)
    _say({"address": address, "context": props["default_generation_settings"]["n_ctx"]})
    threading.Event().wait()


def _watch_owner() -> None:
    while os.read(0, 1024):
        pass
    os._exit(0)


def _say(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
