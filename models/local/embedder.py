"""Sentence embeddings on the CPU: MiniLM in onnxruntime, with a cache by content."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Future
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from tracejury.models.local.errors import WeightsError
from tracejury.models.local.onnx import onnx_session
from tracejury.models.local.weights import cache_dir, weights_digest, weights_path
from tracejury.storage import KeyValueStore

Vectors = NDArray[np.float32]

_WINDOW = 512
"""Positions that MiniLM has, two of them for its start and end marks."""
_BATCH = 400
"""Vectors looked up or written in one query."""
_REMEMBERED = 2_000
"""Vectors that stay in memory: 3 MB, and their texts."""


class Embedder(Protocol):
    """Turns texts into vectors."""

    name: str
    """Written into the index manifest: a different name means a different index."""

    @property
    def dim(self) -> int:
        """The number of dimensions."""
        ...

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return float32 vectors (n, dim) of length 1, in the order of `texts`."""
        ...


@cache
def embedder(name: str = "minilm") -> Embedder:
    """Return the embedder `name`; each process has one.

    Raises:
        WeightsError: The weights are not fetched, or no embedder has this name.
    """
    if name != "minilm":
        raise WeightsError(f"no embedder named {name!r}; there is 'minilm'")
    digest = weights_digest(name)
    return MiniLM(weights_path(name), VectorCache(cache_dir() / f"vectors-{digest[:12]}.db"))


class _Model(NamedTuple):
    """The network and its tokenizer."""

    session: Any
    inputs: frozenset[str]
    tokenizer: Any
    start_id: int
    end_id: int


def _load(folder: Path, threads: int | None) -> _Model:
    from tokenizers import Tokenizer

    session = onnx_session(folder / "model.onnx", threads)
    tokenizer: Any = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    inputs = frozenset(i.name for i in session.get_inputs())
    return _Model(session, inputs, tokenizer, tokenizer.token_to_id("[CLS]"), tokenizer.token_to_id("[SEP]"))


class MiniLM:
    """all-MiniLM-L6-v2: mean of the token vectors, scaled to length 1 (Reimers & Gurevych 2019, section 3).

    Each text is run alone. The int8 model scales its activations over a whole batch, so in a batch a text's vector
    would depend on its neighbours, and an index on the order of its sources. A text longer than the model's 512
    positions is embedded window by window and averaged by length, so nothing is cut off.
    """

    dim = 384

    def __init__(self, folder: Path, vectors: VectorCache | None = None, threads: int | None = None) -> None:
        self.name = "minilm"
        self._folder = folder
        self._threads = threads
        self._cache = vectors
        self._model: _Model | None = None
        self._loading = threading.Lock()
        self._lock = threading.Lock()
        self._running: dict[str, Future[Vectors]] = {}

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return float32 vectors (n, 384) of length 1; equal texts give equal vectors, on any order and any batch."""
        vectors = np.zeros((len(texts), self.dim), dtype=np.float32)
        rows: dict[str, list[int]] = {}
        for i, text in enumerate(texts):
            rows.setdefault(text, []).append(i)
        distinct = list(rows)
        for start in range(0, len(distinct), _BATCH):
            part = distinct[start : start + _BATCH]
            cached = self._cache.get(part) if self._cache else {}
            fresh = {text: self._embed_once(text) for text in part if text not in cached}
            # The thread that computed a vector writes it to the cache; threads that waited for it do not.
            if self._cache and (computed := {text: vector for text, (vector, is_ours) in fresh.items() if is_ours}):
                self._cache.add(computed)
            for text, vector in (cached | {text: vector for text, (vector, _) in fresh.items()}).items():
                vectors[rows[text]] = vector
        return vectors

    def _embed_once(self, text: str) -> tuple[Vectors, bool]:
        """Embed `text`, or wait for a thread that already does: the judges of a step end at about the same moment.

        Returns:
            The vector, and whether this thread computed it.
        """
        with self._lock:
            running = self._running.get(text)
            own = self._running.setdefault(text, Future())
        if running is not None:
            return running.result(), False
        try:
            own.set_result(self._run(text))
        except Exception as error:  # noqa: BLE001 - raised below, and in the threads that wait for it
            own.set_exception(error)
        finally:
            with self._lock:
                del self._running[text]
        return own.result(), True

    def _loaded(self) -> _Model:
        """Return the model; the first text that is not in the cache loads it."""
        with self._loading:
            if self._model is None:
                self._model = _load(self._folder, self._threads)
            return self._model

    def _run(self, text: str) -> Vectors:
        model = self._loaded()
        # The tokenizer refuses lone surrogates, which come from files that were read leniently.
        ids = model.tokenizer.encode(text.encode("utf-8", "replace").decode(), add_special_tokens=False).ids
        room = _WINDOW - 2
        windows = [ids[i : i + room] for i in range(0, len(ids), room)] or [[]]
        vector = np.zeros(self.dim, dtype=np.float64)
        for window in windows:
            whole = np.array([[model.start_id, *window, model.end_id]], dtype=np.int64)
            feed = {"input_ids": whole, "attention_mask": np.ones_like(whole), "token_type_ids": np.zeros_like(whole)}
            (tokens, *_) = model.session.run(None, {k: v for k, v in feed.items() if k in model.inputs})
            vector += np.asarray(tokens[0], dtype=np.float64).mean(axis=0) * len(whole[0])
        return (vector / np.linalg.norm(vector)).astype(np.float32)


class VectorCache:
    """Vectors by the SHA-256 of their text, in a SQLite file. Safe between threads and processes.

    The last ones stay in memory: the judges of a step ask for the same texts one after another.
    """

    def __init__(self, path: Path) -> None:
        self._store = KeyValueStore[bytes]("vectors", path=path)
        self._recent: OrderedDict[str, Vectors] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, texts: Sequence[str]) -> dict[str, Vectors]:
        """Return the vectors of those texts that are in the cache."""
        with self._lock:
            recent = {text: self._recent[text] for text in texts if text in self._recent}
        by_hash = {_hash(text): text for text in texts if text not in recent}
        if not by_hash:
            return recent
        values = self._store.get_many("vectors", list(by_hash))
        stored = {by_hash[key]: np.frombuffer(value, dtype=np.float32) for key, value in values.items()}
        self._remember(stored)
        return recent | stored

    def add(self, vectors: dict[str, Vectors]) -> None:
        """Write vectors into the cache."""
        self._store.replace("vectors", {_hash(text): vector.tobytes() for text, vector in vectors.items()})
        self._remember(vectors)

    def _remember(self, vectors: dict[str, Vectors]) -> None:
        with self._lock:
            self._recent.update(vectors)
            while len(self._recent) > _REMEMBERED:
                self._recent.popitem(last=False)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
