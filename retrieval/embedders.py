"""Embedders by name: the embedded MiniLM, any sentence-transformers model, any OpenAI-compatible endpoint."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from tracejury.models import Embedder, Endpoint, VectorCache

Vectors = NDArray[np.float32]
_BATCH = 64
_KEY = "TRACEJURY_EMBEDDINGS_KEY"


def open_embedder(name: str) -> Embedder:
    """Open an embedder.

    Args:
        name: `minilm`; an address with the model behind `#`, for instance `http://localhost:8000/v1#bge-m3` (its key,
            if it wants one, from `TRACEJURY_EMBEDDINGS_KEY`); or `st:NAME`, a model or folder of sentence-transformers.

    Raises:
        ValueError: An address without a model.
        ModuleNotFoundError: sentence-transformers is not installed.
    """
    if name.startswith(("http://", "https://")):
        address, _, model = name.partition("#")
        if not model:
            raise ValueError(f"embedder {name!r}: name the model behind the address: {name}#MODEL")
        return Cached(name, lambda: _Remote(address, model), _cache(name))
    if name.startswith("st:"):
        return Cached(name, lambda: _SentenceTransformers(name.removeprefix("st:")), _cache(name))
    from tracejury.models import embedder

    return embedder(name)


class Cached:
    """An embedder with a cache by content, made on first use; vectors have length 1."""

    def __init__(self, name: str, make: Callable[[], Callable[[Sequence[str]], Vectors]], cache: VectorCache) -> None:
        self.name = name
        self._make = make
        self._function: Callable[[Sequence[str]], Vectors] | None = None
        self._cache = cache
        self._lock = threading.Lock()

    @cached_property
    def dim(self) -> int:
        """The number of dimensions; asks the model once."""
        return int(self.embed(["dimensions"]).shape[1])

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return float32 vectors (n, dim) of length 1, in the order of `texts`."""
        vectors: dict[str, Vectors] = {}
        distinct = list(dict.fromkeys(texts))
        for start in range(0, len(distinct), _BATCH):
            part = distinct[start : start + _BATCH]
            batch = self._cache.get(part)
            missing = [text for text in part if text not in batch]
            if missing:
                rows = self._model()(missing)
                rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
                fresh = dict(zip(missing, rows, strict=True))
                self._cache.add(fresh)
                batch |= fresh
            vectors |= batch
        return np.stack([vectors[text] for text in texts])

    def _model(self) -> Callable[[Sequence[str]], Vectors]:
        with self._lock:
            if self._function is None:
                self._function = self._make()
            return self._function


class _Remote:
    """An OpenAI-compatible embeddings endpoint, through the gateway: its retries, limits and network guard hold."""

    def __init__(self, base_url: str, model: str) -> None:
        import os

        from tracejury.models import Endpoint

        key = _KEY if os.environ.get(_KEY) else None
        self._endpoint: Endpoint = Endpoint(name="embeddings", model=model, base_url=base_url, api_key_env=key)

    def __call__(self, texts: Sequence[str]) -> Vectors:
        # A thread of its own: the caller may be inside a running event loop.
        with ThreadPoolExecutor(1) as aside:
            return aside.submit(asyncio.run, self._ask(list(texts))).result()

    async def _ask(self, texts: list[str]) -> Vectors:
        from tracejury.models import CallStore, Gateway

        async with Gateway(CallStore("sqlite://"), secret=secrets.token_bytes(16)) as gateway:
            return await gateway.embed(self._endpoint, texts)


class _SentenceTransformers:
    def __init__(self, name: str) -> None:
        try:
            from sentence_transformers import SentenceTransformer
        except ModuleNotFoundError:
            raise ModuleNotFoundError(f"embedder st:{name}: pip install sentence-transformers") from None
        self._model: Any = SentenceTransformer(name)

    def __call__(self, texts: Sequence[str]) -> Vectors:
        return np.asarray(self._model.encode(list(texts), show_progress_bar=False), dtype=np.float32)


def _cache(name: str) -> VectorCache:
    from tracejury.models import VectorCache, cache_dir

    return VectorCache(Path(cache_dir()) / f"embeddings-{hashlib.sha256(name.encode()).hexdigest()[:12]}.db")
