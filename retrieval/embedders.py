"""Embedders by name: MiniLM, mpnet, encoders of the hub, sentence-transformers, OpenAI-compatible endpoints."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from tracejury.retrieval.hub_encoder import HubEncoder, Pooling, Side, Vectors

if TYPE_CHECKING:
    from tracejury.models import Embedder, Endpoint, VectorCache

_BATCH = 64
_KEY = "TRACEJURY_EMBEDDINGS_KEY"
_HUB = {"medcpt": "hub:ncbi/MedCPT-Article-Encoder,ncbi/MedCPT-Query-Encoder#cls"}


def open_embedder(name: str) -> Embedder:
    """Open an embedder.

    Args:
        name: `minilm`; `mpnet` (all-mpnet-base-v2); an address with the model behind `#`, for instance
            `http://localhost:8000/v1#bge-m3` (its key, if it wants one, from `TRACEJURY_EMBEDDINGS_KEY`);
            `hub:PASSAGES` or `hub:PASSAGES,QUERIES`, one or two encoders of the Hugging Face hub by name or folder,
            with `#mean` or `#cls` behind for the pooling; `medcpt`, short for MedCPT's two; or `st:NAME`, a model or
            folder of sentence-transformers.

    Raises:
        ValueError: An address without a model, or a pooling that there is not.
        WeightsError: `mpnet` is not fetched, or no embedder has this name.
        ModuleNotFoundError: What the model runs in is not installed.
    """
    if name.startswith(("http://", "https://")):
        address, _, model = name.partition("#")
        if not model:
            raise ValueError(f"embedder {name!r}: name the model behind the address: {name}#MODEL")
        return Cached(name, lambda: _Remote(name, address, model))
    if name.startswith("st:"):
        return Cached(name, lambda: _SentenceTransformers(name))
    if name == "mpnet":
        from tracejury.models import weights_path

        folder = str(weights_path(name))
        return Cached(name, lambda: HubEncoder(folder))
    if (spelt_out := _HUB.get(name, name)).startswith("hub:"):
        models, _, pooling = spelt_out.removeprefix("hub:").partition("#")
        passages, _, queries = models.partition(",")
        if pooling and pooling not in {*Pooling}:
            raise ValueError(f"embedder {name!r}: pooling is #{pooling}; write #cls or #mean, or nothing")
        return Cached(name, lambda: HubEncoder(passages, queries or None, Pooling(pooling) if pooling else None))
    from tracejury.models import embedder

    return embedder(name)


def embed_queries(embedder: Embedder, texts: Sequence[str]) -> Vectors:
    """Return vectors of queries: by the query encoder, where the embedder has one of its own."""
    return embedder.embed_queries(texts) if isinstance(embedder, Cached) else embedder.embed(texts)


def identity_of(embedder: Embedder) -> str:
    """Return what the vectors hang on: a model's name, with a hash of its weights where they are at hand."""
    return embedder.identity if isinstance(embedder, Cached) else embedder.name


class Encoder(Protocol):
    """Computes vectors, of any length, without a cache."""

    @property
    def identity(self) -> str:
        """See `identity_of`."""
        ...

    @property
    def is_symmetric(self) -> bool:
        """Whether a text has the same vector as a query and as a passage."""
        ...

    def encode(self, texts: Sequence[str], side: Side) -> Vectors:
        """Return float32 vectors (n, dim)."""
        ...


class Cached:
    """An embedder with a cache by content, opened on first use; vectors have length 1."""

    def __init__(self, name: str, open_encoder: Callable[[], Encoder]) -> None:
        self.name = name
        self._open = open_encoder
        self._opened: Encoder | None = None
        self._caches: dict[str, VectorCache] = {}
        self._lock = threading.Lock()

    @cached_property
    def dim(self) -> int:
        """The number of dimensions; asks the model once."""
        return int(self.embed(["dimensions"]).shape[1])

    @property
    def identity(self) -> str:
        """See `identity_of`."""
        return self._encoder().identity

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return float32 vectors (n, dim) of length 1, in the order of `texts`."""
        return self._embed(texts, "passage")

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Return the same for queries."""
        return self._embed(texts, "passage" if self._encoder().is_symmetric else "query")

    def _embed(self, texts: Sequence[str], side: Side) -> Vectors:
        vectors: dict[str, Vectors] = {}
        distinct = list(dict.fromkeys(texts))
        cache = self._cache(side)
        for start in range(0, len(distinct), _BATCH):
            part = distinct[start : start + _BATCH]
            batch = cache.get(part)
            missing = sorted((text for text in part if text not in batch), key=len)
            if missing:
                rows = self._encoder().encode(missing, side)
                rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
                fresh = dict(zip(missing, rows, strict=True))
                cache.add(fresh)
                batch |= fresh
            vectors |= batch
        return np.stack([vectors[text] for text in texts])

    def _encoder(self) -> Encoder:
        with self._lock:
            if self._opened is None:
                self._opened = self._open()
            return self._opened

    def _cache(self, side: Side) -> VectorCache:
        from tracejury.models import VectorCache, cache_dir

        key = self.identity if side == "passage" else f"{self.identity} {side}"
        with self._lock:
            if side not in self._caches:
                file = f"embeddings-{hashlib.sha256(key.encode()).hexdigest()[:12]}.db"
                self._caches[side] = VectorCache(Path(cache_dir()) / file)
            return self._caches[side]


class _Remote:
    """An OpenAI-compatible embeddings endpoint, through the gateway: its retries, limits and network guard hold."""

    is_symmetric = True

    def __init__(self, identity: str, base_url: str, model: str) -> None:
        import os

        from tracejury.models import Endpoint

        self.identity = identity
        key = _KEY if os.environ.get(_KEY) else None
        self._endpoint: Endpoint = Endpoint(name="embeddings", model=model, base_url=base_url, api_key_env=key)

    def encode(self, texts: Sequence[str], side: Side) -> Vectors:
        # A thread of its own: the caller may be inside a running event loop.
        with ThreadPoolExecutor(1) as aside:
            return aside.submit(asyncio.run, self._ask(list(texts))).result()

    async def _ask(self, texts: list[str]) -> Vectors:
        from tracejury.models import CallStore, Gateway

        async with Gateway(CallStore("sqlite://"), secret=secrets.token_bytes(16)) as gateway:
            return await gateway.embed(self._endpoint, texts)


class _SentenceTransformers:
    is_symmetric = True

    def __init__(self, name: str) -> None:
        try:
            from sentence_transformers import SentenceTransformer
        except ModuleNotFoundError:
            raise ModuleNotFoundError(f"embedder {name}: pip install sentence-transformers") from None
        self.identity = name
        self._model: Any = SentenceTransformer(name.removeprefix("st:"))

    def encode(self, texts: Sequence[str], side: Side) -> Vectors:
        return np.asarray(self._model.encode(list(texts), show_progress_bar=False), dtype=np.float32)
