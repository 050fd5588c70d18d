"""The checker `llm` on a model that this machine serves itself: its answers to pairs, kept on disk."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.grounding.checkers import cached_checker
from tracejury.agents import BoundAsk
from tracejury.agents.checkers import LoadedChecker, Pair, Probabilities
from tracejury.models import CallStore, Endpoint, Gateway

NAME = "checker"
CONTEXT = 2048


def served(gguf: Path) -> Endpoint:
    """Return the endpoint of a model file."""
    return Endpoint(
        name=NAME,
        kind="embedded",
        model=str(gguf),
        prefix_cache=True,
        max_concurrency=1,
        timeout_s=600,
        deadline_s=1800,
        context_window=CONTEXT,
    )


async def read_with_model(
    checker: LoadedChecker, endpoint: Endpoint, pairs: Sequence[Pair], work: Path
) -> list[Probabilities]:
    """Return the checker's raw answers, one call a pair: the checker must be uncalibrated.

    A pair that is longer than the model's context is silent, as for every checker.
    """
    store = CallStore(f"sqlite:///{work / 'calls.db'}")
    try:
        async with Gateway(store, secret=b"benchmark") as gateway:
            answers = []
            for pair in pairs:
                ask = BoundAsk(gateway, endpoint, "checker", "benchmark", max_tokens=32)
                answers += await checker.check([pair], ask)
            return answers
    finally:
        store.close()


def model_checker(gguf: Path, work: Path) -> tuple[LoadedChecker, Endpoint]:
    """Return the checker `llm` on a model file, uncalibrated, and its endpoint."""
    endpoint = served(gguf)
    return cached_checker("llm", work, endpoint), endpoint
