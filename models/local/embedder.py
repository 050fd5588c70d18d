"""Sentence embeddings on the CPU: MiniLM in onnxruntime, with a cache by content."""

from __future__ import annotations

import hashlib
import sqlite3
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tracejury.models.local.onnx import onnx_session
from tracejury.models.local.weights import CATALOGUE, WeightsError, cache_dir, weights_path

Vectors = NDArray[np.float32]

_WINDOW = 512
"""Positions that MiniLM has, two of them for its start and end marks."""
_BATCH = 400
"""Vectors looked up or written in one go (SQLite allows 999 parameters in its oldest versions)."""


class Embedder(Protocol):
    """Turns texts into vectors."""

    name: str
    """Goes into the index manifest; another name or version means another index."""

    @property
    def dim(self) -> int:
        """The number of dimensions."""
        ...

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return float32 vectors (n, dim) of length 1, in the order of `texts`."""
        ...


@cache
def embedder(name: str = "minilm") -> Embedder:
    """Return the embedder `name`, one a process.

    Raises:
        WeightsError: Its weights are not fetched, or there is no embedder of this name.
    """
    if name != "minilm":
        raise WeightsError(f"no embedder named {name!r}; there is 'minilm'")
    return MiniLM(
        weights_path(name), VectorCache(cache_dir() / f"embeddings-{CATALOGUE[name].files[0].sha256[:12]}.db")
    )


class MiniLM:
    """all-MiniLM-L6-v2: mean of the token vectors, brought to length 1 (Reimers & Gurevych 2019, section 3).

    Every text goes through the model alone. The int8 model scales its activations over whatever shares a batch, so in
    a batch a text's vector would depend on its neighbours, and an index on the order of its sources. A text longer than
    the model's 512 positions is embedded window by window and averaged by length, so nothing is cut off.
    """

    dim = 384

    def __init__(self, folder: Path, vectors: VectorCache | None = None, threads: int | None = None) -> None:
        from tokenizers import Tokenizer

        self.name = "minilm"
        self._session = onnx_session(folder / "model.onnx", threads)
        self._inputs = {i.name for i in self._session.get_inputs()}
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._cls, self._sep = (self._tokenizer.token_to_id(t) for t in ("[CLS]", "[SEP]"))
        self._cache = vectors
        self._lock = threading.Lock()
        self._running: dict[str, Future[Vectors]] = {}

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return float32 vectors (n, 384) of length 1; equal texts give equal vectors, on any order and any batch."""
        found = np.zeros((len(texts), self.dim), dtype=np.float32)
        where: dict[str, list[int]] = {}
        for i, text in enumerate(texts):
            where.setdefault(text, []).append(i)
        wanted = list(where)
        for start in range(0, len(wanted), _BATCH):
            part = wanted[start : start + _BATCH]
            known = self._cache.get(part) if self._cache else {}
            fresh = {text: self._once(text) for text in part if text not in known}
            # Who waited for another thread's vector leaves the writing to it.
            if self._cache and (ours := {text: vector for text, (vector, made) in fresh.items() if made}):
                self._cache.put(ours)
            for text, vector in (known | {text: vector for text, (vector, _) in fresh.items()}).items():
                found[where[text]] = vector
        return found

    def _once(self, text: str) -> tuple[Vectors, bool]:
        """Embed `text`, or wait for the thread that is at it: a step's judges are done at about the same moment.

        Returns:
            The vector, and whether it was made here.
        """
        with self._lock:
            at_it = self._running.get(text)
            mine = self._running.setdefault(text, Future())
        if at_it is not None:
            return at_it.result(), False
        try:
            mine.set_result(self._run(text))
        except Exception as error:  # noqa: BLE001 - for those who wait for it; raised here below too
            mine.set_exception(error)
        finally:
            with self._lock:
                del self._running[text]
        return mine.result(), True

    def _run(self, text: str) -> Vectors:
        # Lone surrogates, from files that were read leniently, are not text to the tokenizer.
        ids = self._tokenizer.encode(text.encode("utf-8", "replace").decode(), add_special_tokens=False).ids
        room = _WINDOW - 2
        windows = [ids[i : i + room] for i in range(0, len(ids), room)] or [[]]
        vector = np.zeros(self.dim, dtype=np.float64)
        for window in windows:
            whole = np.array([[self._cls, *window, self._sep]], dtype=np.int64)
            feed = {"input_ids": whole, "attention_mask": np.ones_like(whole), "token_type_ids": np.zeros_like(whole)}
            (tokens, *_) = self._session.run(None, {k: v for k, v in feed.items() if k in self._inputs})
            vector += np.asarray(tokens[0], dtype=np.float64).mean(axis=0) * len(whole[0])
        return (vector / np.linalg.norm(vector)).astype(np.float32)


class VectorCache:
    """Vectors by the SHA-256 of their text, in a SQLite file of their own. Safe between threads and processes."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(path, timeout=60, check_same_thread=False, isolation_level=None)
        self._lock = threading.Lock()
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL"):
            self._connection.execute(f"PRAGMA {pragma}")
        self._connection.execute("CREATE TABLE IF NOT EXISTS vector (text BLOB PRIMARY KEY, value BLOB) WITHOUT ROWID")

    def get(self, texts: Sequence[str]) -> dict[str, Vectors]:
        """Return the vectors that are known."""
        by_hash = {_hash(text): text for text in texts}
        marks = ",".join("?" * len(by_hash))
        query = f"SELECT text, value FROM vector WHERE text IN ({marks})"  # noqa: S608 - question marks only
        with self._lock:
            rows: list[tuple[bytes, bytes]] = self._connection.execute(query, tuple(by_hash)).fetchall()
        return {by_hash[key]: np.frombuffer(value, dtype=np.float32) for key, value in rows}

    def put(self, vectors: dict[str, Vectors]) -> None:
        """Keep vectors."""
        rows: list[tuple[bytes, Any]] = [(_hash(text), vector.tobytes()) for text, vector in vectors.items()]
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany("INSERT OR REPLACE INTO vector VALUES (?, ?)", rows)
            self._connection.execute("COMMIT")


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
