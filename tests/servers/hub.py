"""A stand-in of the Hugging Face hub on loopback: the files of one repository, with the hub's headers and errors.

    with Hub({"model.gguf": b"GGUF..."}) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)

`state` of the hub: `open`, `gated`, `absent`; `says_sha256` is what it claims of every file, None: the truth.
"""

from __future__ import annotations

import hashlib
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

REPOSITORY = "someone/Judge-GGUF"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub:
    """Serves `REPOSITORY`, and counts what is asked."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files
        self.state = "open"
        self.says_sha256: str | None = None
        self.breaks_after: int | None = None
        """Bytes after which the next download ends."""
        self.requests: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Hub:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def _handler(hub: Hub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self._answer(with_body=False)

        def do_GET(self) -> None:
            self._answer(with_body=True)

        def log_message(self, *_: object) -> None:
            pass

        def _answer(self, *, with_body: bool) -> None:
            span = self.headers.get("Range", "")
            hub.requests.append(f"{self.command} {self.path} {span}".strip())
            match = re.fullmatch(rf"/{REPOSITORY}/resolve/([^/]+)/(.+)", self.path)
            if match is None or hub.state == "absent":
                return self._refuse(404, "RepoNotFound")
            if hub.state == "gated":
                return self._refuse(403, "GatedRepo")
            body = hub.files.get(match[2])
            if body is None:
                return self._refuse(404, "EntryNotFound")
            start = int(span.removeprefix("bytes=").partition("-")[0] or 0)
            digest = hub.says_sha256 or hashlib.sha256(body).hexdigest()
            self.send_response(206 if start else 200)
            self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("ETag", f'"{digest}"')
            self.send_header("Accept-Ranges", "bytes")
            self.send_header("Content-Length", str(len(body) - start))
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
            self.end_headers()
            if with_body:
                stop, hub.breaks_after = hub.breaks_after, None
                self.wfile.write(body[start:stop])
                self.close_connection = stop is not None
            return None

        def _refuse(self, status: int, code: str) -> None:
            self.send_response(status)
            self.send_header("X-Error-Code", code)
            self.send_header("X-Error-Message", code)
            self.send_header("Content-Length", "0")
            self.end_headers()

    return Handler
