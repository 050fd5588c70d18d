"""Checkers without a model, for tests that are about what happens before and after the check."""

from __future__ import annotations

from collections.abc import Sequence

from tracejury.agents import Relation
from tracejury.agents.checkers import (
    CheckerAsk,
    CheckerCalibration,
    LoadedChecker,
    Pair,
    Probabilities,
    ValidatedChecker,
)


class FixedChecker:
    """Answers every pair alike."""

    kind = "fixed"
    summary = "for tests"
    needs_endpoint = False
    can_contradict = True
    identity = "fixed@1"

    def __init__(self, answer: Probabilities) -> None:
        self.answer = answer
        self.pairs: list[Pair] = []

    async def probabilities(self, pairs: Sequence[Pair], ask: CheckerAsk | None) -> list[Probabilities]:
        self.pairs += pairs
        return [self.answer] * len(pairs)


class SharedWords(FixedChecker):
    """Finds support in shared words, and contradiction where they come with a denial that the claim has not."""

    identity = "shared-words@1"

    def __init__(self) -> None:
        super().__init__(Probabilities(0.0, 0.0, 1.0))

    async def probabilities(self, pairs: Sequence[Pair], ask: CheckerAsk | None) -> list[Probabilities]:
        self.pairs += pairs
        return [_by_words(pair) for pair in pairs]


def calibrated(checker: FixedChecker, threshold: float = 0.4) -> LoadedChecker:
    """Return a checker whose citations count from `threshold` on."""
    calibration = CheckerCalibration(
        checker=checker.kind,
        identity=checker.identity,
        can_contradict=True,
        scale=1.0,
        offsets={},
        thresholds={Relation.SUPPORTS: (threshold,), Relation.CONTRADICTS: (threshold,)},
        alpha=0.05,
        n=0,
        groups=0,
        evidence={},
        fitted_from="a test",
    )
    return LoadedChecker(ValidatedChecker(checker, checker.kind, "tests"), calibration)


def everything_counts() -> LoadedChecker:
    """Return a checker for which every statement shows whatever it is cited for."""
    return calibrated(FixedChecker(Probabilities(0.5, 0.5, 0.0)))


def _by_words(pair: Pair) -> Probabilities:
    claim, evidence = (_words(text) for text in (pair.claim, pair.evidence))
    shared = len(claim & evidence) / len(claim)
    denied = bool({"no", "not"} & evidence) and not {"no", "not"} & claim
    return Probabilities(0.0, shared, 1 - shared) if denied else Probabilities(shared, 0.0, 1 - shared)


def _words(text: str) -> set[str]:
    return set(text.lower().replace(".", "").replace(",", "").split())
