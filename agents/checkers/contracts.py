"""What a checker is. Built-ins and strangers' packages register the same way, by entry point."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from tracejury.agents.contracts import Ask, Reply
from tracejury.agents.evidence_records import Relation
from tracejury.models import ChatReply, Message
from tracejury.traces import Contract, Plugin, Registry

MOST_SENTENCES = 3
"""Sentences that are read together for one claim, at most."""


class CheckerError(ValueError):
    """A checker cannot be used: its parameters, its labels, its answer or its calibration. The message says why."""


class Pair(NamedTuple):
    """A claim, and the sentences of evidence that are read together as one text."""

    claim: str
    sentences: tuple[str, ...]
    """One to three, in the order in which they are read."""

    @property
    def evidence(self) -> str:
        """The sentences as one text."""
        return " ".join(self.sentences)


class Probabilities(NamedTuple):
    """How the evidence stands to the claim. They sum to 1."""

    supports: float
    contradicts: float
    silent: float

    def of(self, relation: Relation) -> float:
        """Return the probability of one relation."""
        return float(getattr(self, relation.value))


SILENCE = Probabilities(0.0, 0.0, 1.0)


class CheckerAsk(Ask, Protocol):
    """A checker's way to a model: an `Ask` that can also return the whole reply."""

    async def reply(self, messages: Sequence[Message], schema: type[Reply], letters: tuple[str, ...] = ()) -> ChatReply:
        """Ask, and return the reply with its calls.

        Args:
            messages: What to ask.
            schema: What the reply must fit.
            letters: One-letter values whose log-probabilities are asked for; `calls[-1].letter_logprobs` has them.

        Raises:
            CallFailed: There is no usable reply.
        """
        ...


class Checker(Protocol):
    """Reads evidence against claims. Entry point group `tracejury.checkers`; the entry is a factory `(**params)`."""

    kind: str
    """The name that it is registered under."""
    summary: str
    """One line for people who choose a checker."""
    needs_endpoint: bool
    """A panel must name the endpoint that it asks."""

    @property
    def can_contradict(self) -> bool:
        """Whether it tells contradiction from silence; a model with two classes does not."""
        ...

    @property
    def identity(self) -> str:
        """The model and its weights, `NAME@DIGEST`: a calibration holds for these and for no others."""
        ...

    async def probabilities(self, pairs: Sequence[Pair], ask: CheckerAsk | None) -> list[Probabilities]:
        """Return one `Probabilities` a pair, in order.

        Args:
            pairs: All pairs of one step, or a part of them.
            ask: The way to a model; None for a checker without an endpoint.

        Raises:
            CallFailed: The model gave no usable reply.
        """
        ...


def _as_it_is(checker: Checker, plugin: Plugin) -> Checker:
    # `make_checker` puts every checker, ours and a stranger's, behind `ValidatedChecker`.
    return checker


CHECKER = Contract({"kind": str, "summary": str, "needs_endpoint": bool}, "probabilities", arguments=2)
checkers: Registry[Checker] = Registry("tracejury.checkers", "checker", CHECKER, _as_it_is)
"""The checkers installed: `checkers.entries()` lists them."""
