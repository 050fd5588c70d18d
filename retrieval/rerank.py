"""Reranking by a cross-encoder: a model that reads query and passage together. Off unless a panel names one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np


class Reranker(Protocol):
    """Scores (query, passage) pairs; higher is better."""

    def score(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """Score the pairs."""
        ...


def open_reranker(name: str) -> Reranker:
    """Open a cross-encoder.

    Args:
        name: A folder with `model.onnx` and `tokenizer.json`, or the name or folder of a sentence-transformers
            CrossEncoder (needs `pip install sentence-transformers`).
    """
    folder = Path(name).expanduser()
    if (folder / "model.onnx").is_file():
        return OnnxCrossEncoder(folder)
    return SentenceTransformersCrossEncoder(name)


class OnnxCrossEncoder:
    """A cross-encoder in onnxruntime: inputs as BERT has them, one logit a pair."""

    def __init__(self, folder: Path, max_tokens: int = 512) -> None:
        from tokenizers import Tokenizer

        from tracejury.models import onnx_session

        self._session = onnx_session(folder / "model.onnx")
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        # Only the passage gives way: chunks are shorter than this anyhow.
        self._tokenizer.enable_truncation(max_tokens, strategy="only_second")
        self._inputs = {i.name for i in self._session.get_inputs()}

    def score(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """Score pairs one by one: an int8 model's logit would depend on its neighbours in a batch."""
        scores: list[float] = []
        for query, passage in pairs:
            encoded = self._tokenizer.encode(query, passage)
            feed = {
                "input_ids": np.array([encoded.ids], dtype=np.int64),
                "attention_mask": np.array([encoded.attention_mask], dtype=np.int64),
                "token_type_ids": np.array([encoded.type_ids], dtype=np.int64),
            }
            (logits, *_) = self._session.run(None, {k: v for k, v in feed.items() if k in self._inputs})
            scores.append(float(np.asarray(logits).reshape(-1)[-1]))
        return scores


class SentenceTransformersCrossEncoder:
    """Any CrossEncoder that sentence-transformers loads."""

    def __init__(self, name: str) -> None:
        try:
            from sentence_transformers import CrossEncoder
        except ModuleNotFoundError:
            raise ModuleNotFoundError(
                f"reranker {name!r}: not a folder with model.onnx and tokenizer.json, and sentence-transformers is not "
                "installed: `pip install sentence-transformers`, or give the folder of an ONNX cross-encoder"
            ) from None
        self._model: Any = CrossEncoder(name)

    def score(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """Score pairs in one batch."""
        return [float(s) for s in self._model.predict([list(p) for p in pairs], show_progress_bar=False)]
