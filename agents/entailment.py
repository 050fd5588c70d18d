"""The verifier's model: (claim, evidence) -> how likely supported, contradicted, not enough. Runs on a CPU, offline."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tracejury.models import onnx_session

WEIGHTS = Path(__file__).with_name("weights") / "verifier.onnx"
CHECKER_WEIGHTS = WEIGHTS.with_name("nli.onnx")
"""The judge's weights and the checker's (docs/verifier-card.md, docs/checker-card.md)."""

_BATCH_TOKENS = 4096


class Entailed(NamedTuple):
    """Probabilities that sum to one."""

    supported: float
    contradicted: float
    not_enough: float


class Entailment:
    """A cross-encoder in int8 ONNX that carries its labels and its vocabulary (docs/verifier-card.md, checker-card.md).

    Raises:
        FileNotFoundError: The weights are not there.
    """

    def __init__(self, path: Path = WEIGHTS, threads: int | None = None) -> None:
        # Imported here: the tokenizer library takes a tenth of a second.
        from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

        self._session = onnx_session(path, threads)
        facts = self._session.get_modelmeta().custom_metadata_map
        self._order = [facts["labels"].split().index(name) for name in Entailed._fields]
        vocabulary = {token: i for i, token in enumerate(facts["vocabulary"].split("\n"))}
        tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))  # noqa: S106 - a token of text
        tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        tokenizer.post_processor = processors.TemplateProcessing(
            single="[CLS] $A [SEP]",
            pair="[CLS] $A [SEP] $B:1 [SEP]:1",
            special_tokens=[(token, vocabulary[token]) for token in ("[CLS]", "[SEP]")],
        )
        self.longest = int(facts["longest"])
        self._tokenizer = tokenizer
        self._lock = threading.Lock()

    def score(self, pairs: Sequence[tuple[str, str]]) -> list[Entailed]:
        """Score (claim, evidence) pairs; what is longer than the model reads is cut at the end of the evidence."""
        if not pairs:
            return []
        encoded = self._tokenizer.encode_batch(_encodable(pairs))
        ids = [e.ids[: self.longest] for e in encoded]
        kinds = [e.type_ids[: self.longest] for e in encoded]
        logits = np.zeros((len(pairs), 3), np.float32)
        for batch in _batches([len(i) for i in ids]):
            logits[batch] = self._run([ids[i] for i in batch], [kinds[i] for i in batch])
        likely = np.exp(logits - logits.max(axis=1, keepdims=True))
        likely /= likely.sum(axis=1, keepdims=True)
        return [Entailed(*map(float, row)) for row in likely[:, self._order]]

    def fits(self, pairs: Sequence[tuple[str, str]]) -> list[bool]:
        """Return for each (claim, evidence) pair whether the model reads it whole."""
        return [len(encoded.ids) <= self.longest for encoded in self._tokenizer.encode_batch(_encodable(pairs))]

    def _run(self, ids: Sequence[Sequence[int]], kinds: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        width = max(map(len, ids))
        token, kind, mask = (np.zeros((len(ids), width), np.int64) for _ in range(3))
        for row, (one, two) in enumerate(zip(ids, kinds, strict=True)):
            token[row, : len(one)], kind[row, : len(two)], mask[row, : len(one)] = one, two, 1
        with self._lock:
            (logits,) = self._session.run(
                ["logits"], {"input_ids": token, "attention_mask": mask, "token_type_ids": kind}
            )
        typed_logits: NDArray[np.float32] = logits
        return typed_logits


def _encodable(pairs: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the pairs without halves of surrogate pairs, which the tokenizer refuses."""

    def whole(text: str) -> str:
        return text.encode("utf-8", "replace").decode()

    return [(whole(claim), whole(evidence)) for claim, evidence in pairs]


def _batches(lengths: Sequence[int]) -> list[list[int]]:
    """Cut indices into batches of like length: padding is work that nobody needs."""
    out: list[list[int]] = []
    for i in sorted(range(len(lengths)), key=lengths.__getitem__):
        if out and (len(out[-1]) + 1) * lengths[i] <= _BATCH_TOKENS:
            out[-1].append(i)
        else:
            out.append([i])
    return out


@lru_cache(maxsize=1)
def entailment() -> Entailment:
    """Return the one model of this process."""
    return Entailment()
