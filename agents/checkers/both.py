"""The checker `both`: two checkers must agree."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from tracejury.agents.checkers.contracts import CheckerAsk, CheckerError, Pair, Probabilities
from tracejury.agents.checkers.validation import ValidatedChecker, make_checker

JOINED = " + "
"""Between the identities of the two."""


class BothChecker:
    """The less sure of two checkers, relation by relation; silence takes the rest.

    Args:
        first: A registered checker: `{name: nli, params: {}}`.
        second: Another one. Both ask the same endpoint where they ask one.
    """

    kind = "both"
    summary = "two checkers that must agree: the smaller probability of each relation, silence takes the rest"

    def __init__(self, first: Mapping[str, object], second: Mapping[str, object]) -> None:
        self.checkers = (_make(first), _make(second))
        self.needs_endpoint = any(checker.needs_endpoint for checker in self.checkers)

    @property
    def can_contradict(self) -> bool:
        """Whether both tell contradiction from silence."""
        return all(checker.can_contradict for checker in self.checkers)

    @property
    def identity(self) -> str:
        """The two identities."""
        return JOINED.join(checker.identity for checker in self.checkers)

    async def probabilities(self, pairs: Sequence[Pair], ask: CheckerAsk | None = None) -> list[Probabilities]:
        """Return one `Probabilities` a pair; see `Checker`."""
        answers = await asyncio.gather(*(checker.probabilities(pairs, ask) for checker in self.checkers))
        return [_least(*two) for two in zip(*answers, strict=True)]


def _least(one: Probabilities, other: Probabilities) -> Probabilities:
    supports = min(one.supports, other.supports)
    contradicts = min(one.contradicts, other.contradicts)
    return Probabilities(supports, contradicts, max(0.0, 1 - supports - contradicts))


def _make(spec: Mapping[str, object]) -> ValidatedChecker:
    name, params = spec.get("name"), spec.get("params") or {}
    if not isinstance(name, str) or not isinstance(params, Mapping) or not set(spec) <= {"name", "params"}:
        raise CheckerError(f"checker 'both': {dict(spec)!r} is no checker; write {{name: nli, params: {{}}}}")
    return make_checker(name, params)
