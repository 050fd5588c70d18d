"""The checker `hub`: any sequence classifier of the Hugging Face hub, by name or from a folder."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from tracejury.agents.checkers.contracts import SILENCE, CheckerAsk, CheckerError, Pair, Probabilities
from tracejury.agents.checkers.hub_labels import read_labels
from tracejury.agents.checkers.nli import weights_digest
from tracejury.agents.evidence_records import Relation
from tracejury.storage import run_in_thread

_WEIGHTS = ("*.safetensors", "*.bin")


class HubChecker:
    """Natural language inference or fact checking by a sequence classifier, through transformers.

    Args:
        model: A name of the hub, or the path of a folder that `save_pretrained` wrote.
        labels: What the outputs are, in their order (`supports`, `contradicts`, `silent`), where the config does not
            say it; one output is `[supports]`.
        order: What the model reads first.
        revision: Branch, tag or commit of the hub.
        batch: Pairs that are read at once.

    Raises:
        CheckerError: There is no such model, or its outputs cannot be told apart.
        ModuleNotFoundError: transformers or torch is not installed.
    """

    kind = "hub"
    summary = "any entailment or fact-checking classifier of the Hugging Face hub, by name or from a folder"
    needs_endpoint = False

    def __init__(
        self,
        model: str,
        labels: Sequence[str] | None = None,
        order: Literal["evidence_first", "claim_first"] = "evidence_first",
        revision: str | None = None,
        batch: int = 16,
    ) -> None:
        try:
            # Imported here: torch takes seconds, and most panels do without it.
            from transformers import AutoConfig
        except ModuleNotFoundError as missing:
            raise ModuleNotFoundError(f"{missing}; checker 'hub' needs: pip install 'tracejury[hub]'") from None
        if order not in ("evidence_first", "claim_first"):
            raise CheckerError(f"checker 'hub': order is {order!r}; write evidence_first or claim_first")
        self.model, self.order, self.revision, self.batch = model, order, revision, batch
        try:
            self._config = AutoConfig.from_pretrained(model, revision=revision)
        except (OSError, ValueError) as error:
            raise CheckerError(f"checker 'hub': model {model!r} cannot be read: {error}") from None
        self.relations = read_labels({int(i): str(name) for i, name in self._config.id2label.items()}, labels)
        self._lock = threading.Lock()

    @property
    def can_contradict(self) -> bool:
        """Whether the model has an output for contradiction."""
        return Relation.CONTRADICTS in self.relations

    @cached_property
    def identity(self) -> str:
        """The model's name and its commit, or the digest of a folder's weights."""
        folder = Path(self.model)
        if folder.is_dir():
            files = sorted({file for pattern in _WEIGHTS for file in folder.glob(pattern)})
            digest = hashlib.sha256("".join(map(weights_digest, files)).encode()).hexdigest()[:16]
            return f"{folder.resolve().name}@{digest}"
        commit = getattr(self._config, "_commit_hash", None)
        return f"{self.model}@{commit}" if commit else self.model

    async def probabilities(self, pairs: Sequence[Pair], ask: CheckerAsk | None = None) -> list[Probabilities]:
        """Return one `Probabilities` a pair; see `Checker`. A pair that is longer than the model reads is silent."""
        return await run_in_thread(self._probabilities, pairs)

    def _probabilities(self, pairs: Sequence[Pair]) -> list[Probabilities]:
        with self._lock:
            return [
                answer
                for start in range(0, len(pairs), self.batch)
                for answer in self._read(pairs[start : start + self.batch])
            ]

    def _read(self, pairs: Sequence[Pair]) -> list[Probabilities]:
        import torch

        tokenizer, model = self._loaded
        texts = [(p.evidence, p.claim) if self.order == "evidence_first" else (p.claim, p.evidence) for p in pairs]
        whole = [len(ids) <= self._longest for ids in tokenizer([*texts], truncation=False, verbose=False)["input_ids"]]
        readable = [text for text, fits in zip(texts, whole, strict=True) if fits]
        if not readable:
            return [SILENCE] * len(pairs)
        with torch.inference_mode():
            logits = model(**tokenizer(readable, padding=True, return_tensors="pt")).logits.double()
        if len(self.relations) == 1:
            supports = torch.sigmoid(logits[:, :1])
            rows = torch.cat((supports, 1 - supports), dim=1).tolist()
            relations: tuple[Relation, ...] = (Relation.SUPPORTS, Relation.SILENT)
        else:
            rows, relations = torch.softmax(logits, dim=1).tolist(), self.relations
        answers = iter(dict(zip(relations, row, strict=True)) for row in rows)
        return [_in_order(next(answers)) if fits else SILENCE for fits in whole]

    @cached_property
    def _loaded(self) -> tuple[Any, Any]:
        from transformers import AutoModelForSequenceClassification, AutoTokenizer

        # Code of a model's author is never run: transformers' default, and nothing here turns it on.
        model = AutoModelForSequenceClassification.from_pretrained(self.model, revision=self.revision)
        return AutoTokenizer.from_pretrained(self.model, revision=self.revision), model.eval()

    @cached_property
    def _longest(self) -> int:
        """Tokens of a pair that the model reads."""
        positions = getattr(self._config, "max_position_embeddings", None) or 10**9
        if "roberta" in self._config.model_type:
            # RoBERTa's positions start behind the padding token's.
            positions -= (self._config.pad_token_id or 0) + 1
        return int(min(self._loaded[0].model_max_length, positions))


def _in_order(p: dict[Relation, float]) -> Probabilities:
    return Probabilities(*(p.get(relation, 0.0) for relation in Relation))
