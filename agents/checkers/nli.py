"""The checker `nli`: the small entailment model that ships with the package, on a CPU, offline."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, cached_property
from pathlib import Path

from tracejury.agents.checkers.contracts import SILENCE, CheckerAsk, CheckerError, Pair, Probabilities
from tracejury.agents.entailment import CHECKER_WEIGHTS, Entailment
from tracejury.storage import cached_file_digest, run_in_thread


class NliChecker:
    """Entailment by a cross-encoder in int8 ONNX.

    The sentences of a pair are joined and read as one text. A pair that is longer than the model reads is silent: a
    part of the evidence decides nothing.

    Args:
        weights: The path of an ONNX file with the metadata of docs/checker-card.md; None: the file that ships.
    """

    kind = "nli"
    english_only = True
    summary = "a small entailment model on the CPU, offline"
    needs_endpoint = False
    can_contradict = True

    def __init__(self, weights: str | None = None) -> None:
        self.weights = CHECKER_WEIGHTS if weights is None else Path(weights)
        if not self.weights.is_file():
            raise CheckerError(f"checker 'nli': there is no file {self.weights}; give the path of an ONNX model")

    @cached_property
    def identity(self) -> str:
        """The file's name and the start of its SHA-256."""
        return f"{self.weights.name}@{weights_digest(self.weights)}"

    @cached_property
    def _model(self) -> Entailment:
        return _loaded(self.weights)

    async def probabilities(self, pairs: Sequence[Pair], ask: CheckerAsk | None = None) -> list[Probabilities]:
        """Return one `Probabilities` a pair; see `Checker`."""
        return await run_in_thread(self._probabilities, pairs)

    def _probabilities(self, pairs: Sequence[Pair]) -> list[Probabilities]:
        texts = [(pair.claim, pair.evidence) for pair in pairs]
        whole = self._model.fits(texts)
        # One at a time: weights of one's own may quantise activations over a batch, so that a pair's probabilities
        # depend on its neighbours (by up to .08 with the judge's file); and a batch is no faster on a CPU.
        return [
            Probabilities(*self._model.score([text])[0]) if fits else SILENCE
            for text, fits in zip(texts, whole, strict=True)
        ]


@cache
def _loaded(path: Path) -> Entailment:
    """Return the one model of this process for `path`."""
    return Entailment(path)


def weights_digest(path: Path) -> str:
    """Return the first 16 digits of a file's SHA-256."""
    return cached_file_digest(path)[:16]
