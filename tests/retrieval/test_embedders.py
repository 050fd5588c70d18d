import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from word_vectors import WordVectors

from tracejury.retrieval import Document, Finder, Index, Query, open_embedder
from tracejury.traces import Problem


class Embeddings(BaseHTTPRequestHandler):
    """An OpenAI-compatible embeddings endpoint."""

    asked: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        texts = body["input"] if isinstance(body["input"], list) else [body["input"]]
        Embeddings.asked.extend(texts)
        rows = WordVectors().embed(texts) * 3
        data = [{"object": "embedding", "index": i, "embedding": r.tolist()} for i, r in enumerate(rows)]
        usage = {"prompt_tokens": 1, "total_tokens": 1}
        reply = json.dumps({"object": "list", "data": data, "model": body["model"], "usage": usage}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    def log_message(self, *_: object) -> None:
        pass


class Pages:
    name, license, version = "pages", "test", "1"

    def documents(self) -> Iterator[Document | Problem]:
        for i in range(5):
            yield Document(source="pages", title="", text=f"Word{i} here.", citation="c", license="l", key=str(i))


def test_an_index_on_an_embeddings_endpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACEJURY_CACHE", str(tmp_path / "cache"))
    Embeddings.asked.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Embeddings) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        name = f"http://127.0.0.1:{server.server_port}/v1#words"
        index = Index.open(tmp_path / "index", name)
        index.build(Pages())
        assert Finder(index, k=1, fusion=False).find([Query(text="word3 here")])[0].hits[0].passage.key == "3"
        vectors = open_embedder(name).embed(["a b", "c", "a b"])
        assert np.allclose(np.linalg.norm(vectors, axis=1), 1)
        assert np.array_equal(vectors[0], vectors[2])
        asked = len(Embeddings.asked)
        open_embedder(name).embed(["c", "a b"])
        assert len(Embeddings.asked) == asked, "what is in the cache is not asked again"
        assert Index.open(tmp_path / "index").embedder_name == name, "an index knows its embedder"
        server.shutdown()


def test_what_cannot_be_opened_says_why() -> None:
    with pytest.raises(ValueError, match="#MODEL"):
        open_embedder("http://localhost:8000/v1")
    with pytest.raises((ModuleNotFoundError, OSError), match=r"sentence-transformers|nosuch"):
        open_embedder("st:/nosuch/model").embed(["x"])
