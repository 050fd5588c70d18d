"""Encoders of the Hugging Face hub for passages and queries, by name or from a folder, through transformers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
Side = Literal["query", "passage"]


class Pooling(StrEnum):
    """How the vectors of a text's tokens become one."""

    CLS = "cls"
    """The first token's."""
    MEAN = "mean"
    """The mean of all."""


_BATCH = 16
_PROMPTS: dict[Side, tuple[str, ...]] = {"query": ("query",), "passage": ("passage", "document")}


class HubEncoder:
    """A passage encoder, and a query encoder where the model has one of its own.

    Pooling and instructions come from the files that sentence-transformers writes beside a model; a model without them
    is pooled by its first token. A text longer than the model reads is encoded window by window and averaged by
    length, so nothing is cut off.

    Args:
        passages: A name of the hub, or the path of a folder that `save_pretrained` wrote.
        queries: The same for queries; None: the encoder of the passages.
        pooling: None: as the model says.

    Raises:
        ModuleNotFoundError: transformers or torch is not installed.
    """

    def __init__(self, passages: str, queries: str | None = None, pooling: Pooling | None = None) -> None:
        try:
            # Imported here: torch takes seconds, and the default embedder does without it.
            import transformers  # noqa: F401
        except ModuleNotFoundError as missing:
            raise ModuleNotFoundError(
                f"{missing}; the embedder {passages!r} needs: pip install 'tracejury[hub]'"
            ) from None
        self._passages = _Encoder(passages, pooling)
        self._queries = _Encoder(queries, pooling) if queries else self._passages

    @cached_property
    def identity(self) -> str:
        """Both models' names, weights and pooling; vectors of two identities cannot be compared."""
        models = dict.fromkeys((self._passages, self._queries))
        return " + ".join(f"{Path(model.name).name}@{model.digest}#{model.pooling}" for model in models)

    @property
    def is_symmetric(self) -> bool:
        """Whether a text has the same vector as a query and as a passage."""
        return self._passages is self._queries and self._passages.prompt("query") == self._passages.prompt("passage")

    def encode(self, texts: Sequence[str], side: Side) -> Vectors:
        """Return float32 vectors (n, dim), not scaled."""
        model = self._queries if side == "query" else self._passages
        return np.concatenate([model.encode(texts[i : i + _BATCH], side) for i in range(0, len(texts), _BATCH)])


class _Encoder:
    def __init__(self, name: str, pooling: Pooling | None) -> None:
        import torch
        from transformers import AutoModel, AutoTokenizer

        from tracejury.models import free_cores

        self.name = name
        is_mean = self._setting("1_Pooling/config.json", "pooling_mode_mean_tokens")
        self.pooling = pooling or (Pooling.MEAN if is_mean else Pooling.CLS)
        self._tokenizer: Any = AutoTokenizer.from_pretrained(name)
        self._model: Any = AutoModel.from_pretrained(name, dtype=torch.float32).eval()
        stated = self._setting("sentence_bert_config.json", "max_seq_length")
        most = min(self._tokenizer.model_max_length, getattr(self._model.config, "max_position_embeddings", 512))
        self._window = min(stated or 512, most)
        # More threads than idle cores would wait for each other at every layer.
        torch.set_num_threads(free_cores())

    @cached_property
    def digest(self) -> str:
        """A hash of the weights as they were loaded."""
        digest = hashlib.sha256()
        for name, tensor in self._model.state_dict().items():
            digest.update(name.encode() + tensor.numpy().tobytes())
        return digest.hexdigest()[:16]

    def prompt(self, side: Side) -> str:
        """Return what the model wants before a text."""
        prompts = self._setting("config_sentence_transformers.json", "prompts") or {}
        return next((prompts[name] for name in _PROMPTS[side] if prompts.get(name)), "")

    def encode(self, texts: Sequence[str], side: Side) -> Vectors:
        import torch

        windows = self._tokenizer(
            [self.prompt(side) + text for text in texts],
            truncation=True,
            max_length=self._window,
            return_overflowing_tokens=True,
            padding=True,
            return_tensors="pt",
        )
        owners = windows.pop("overflow_to_sample_mapping").numpy()
        mask = windows["attention_mask"].unsqueeze(-1).float()
        with torch.inference_mode():
            tokens = self._model(**windows).last_hidden_state
            pooled = tokens[:, 0] if self.pooling is Pooling.CLS else (tokens * mask).sum(1) / mask.sum(1)
        lengths = mask.sum(1).numpy()
        vectors = np.zeros((len(texts), pooled.shape[1]), dtype=np.float32)
        np.add.at(vectors, owners, pooled.numpy() * lengths)
        return vectors

    def _setting(self, file: str, key: str) -> Any:
        from transformers.utils import cached_file

        path = cached_file(self.name, file, _raise_exceptions_for_missing_entries=False)
        return json.loads(Path(path).read_text("utf-8")).get(key) if path else None
