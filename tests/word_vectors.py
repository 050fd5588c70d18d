"""An embedder without a model: texts that share words are near. For how an index works, not for how well it finds."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Sequence

import numpy as np


class WordVectors:
    """Bags of hashed words."""

    def __init__(self, name: str = "words", slow_s: float = 0.0) -> None:
        self.name = name
        self.dim = 96
        self.asked: list[str] = []
        self._slow_s = slow_s

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        self.asked.extend(texts)
        time.sleep(self._slow_s)
        out = np.zeros((len(texts), self.dim), dtype=np.float32)
        for row, text in zip(out, texts, strict=True):
            row[0] = 0.01
            for word in re.findall(r"\w+", text.lower()):
                row[int.from_bytes(hashlib.sha256(word.encode()).digest()[:4]) % self.dim] += 1
        return out / np.linalg.norm(out, axis=1, keepdims=True)
