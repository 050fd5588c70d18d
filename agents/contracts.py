"""What a judge is, and what it may ask. Built-ins and strangers' packages register the same way, by entry point."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

from pydantic import BaseModel

from tracejury.agents.guarded_judge import guard_judge
from tracejury.agents.records import Case, Draft
from tracejury.models import ChatReply, ChatRequest, Endpoint, Message
from tracejury.traces import Contract, Registry

Reply = TypeVar("Reply", bound=BaseModel)


class Ask(Protocol):
    """A judge's one way to a model: bound to its endpoint, its purpose, its limits and its trace's fence."""

    max_tokens: int
    """What a reply may take; reply schemas are cut to it."""
    seed: int
    """For orders that a judge wants to permute."""

    async def __call__(self, messages: Sequence[Message], schema: type[Reply]) -> Reply:
        """Ask, and return the reply as an instance of `schema`. The calls are recorded for the judge.

        Raises:
            CallFailed: No usable reply was had. A judge lets it pass: a failure is not a verdict.
        """
        ...


class Judge(Protocol):
    """Judges one step. Entry point group `tracejury.judges`; the entry is a factory `(**params) -> Judge`.

    A judge sees a case and nothing else: no model, no arm, no other opinion, no gold answer. It can only draft: its
    quotes and derivations are checked by `check_opinions`, which alone decides what grounds its label.
    """

    kind: str
    """The name that it is registered under."""
    summary: str
    """One line for `tracejury panels judges`."""
    needs_endpoint: bool

    async def draft(self, case: Case, ask: Ask | None) -> Draft:
        """Judge the case's step.

        Args:
            case: All that may be seen.
            ask: The way to a model; None for a judge that `needs_endpoint` says has none.

        Raises:
            CallFailed: No usable reply. Any other exception fails the opinion too, as `judge_broke`.
        """
        ...


class Chats(Protocol):
    """What agents need of `tracejury.models.Gateway`."""

    async def chat(self, request: ChatRequest) -> ChatReply:
        """Send a request; see the gateway."""
        ...

    def calls_tools(self, endpoint: Endpoint) -> bool:
        """Tell whether the endpoint calls tools."""
        ...

    def count_tokens(self, endpoint: Endpoint, text: str) -> int:
        """Count the tokens of `text` as the endpoint's model does, or estimate them."""
        ...


class Relevance(Protocol):
    """What agents need of `tracejury.retrieval.relevance(name)`."""

    def score(self, pairs: Sequence[tuple[str, str]]) -> Sequence[float]:
        """Score how much each quote bears on its claim, from (claim, quote) pairs."""
        ...


JUDGE = Contract({"kind": str, "summary": str, "needs_endpoint": bool}, "draft", arguments=2)
judges: Registry[Judge] = Registry("tracejury.judges", "judge", JUDGE, guard_judge)
