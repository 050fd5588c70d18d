"""The judge_panel: a panel with its judges made, its way to the models and its relevance scorer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tracejury.agents.contracts import Chats, Judge, Relevance, Reply, judges
from tracejury.agents.panel import JudgeSpec, Panel
from tracejury.models import CallFailed, CallRecord, ChatReply, ChatRequest, Endpoint, Message


@dataclass(frozen=True)
class JudgePanel:
    """All that step needs beside the case. Shared by every step of a run; holds no state of a step."""

    panel: Panel
    chats: Chats | None = None
    """The gateway; None: no judge and no resolver of the panel has a model."""
    relevance: Relevance | None = None
    """None: no quote can show that it bears on a step, so only derivations ground."""
    seats: Mapping[str, Judge] = field(default_factory=dict)
    """Judge name on the panel -> judge."""

    @classmethod
    def of(cls, panel: Panel, chats: Chats | None = None, relevance: Relevance | None = None) -> JudgePanel:
        """Make the panel's judges from (kind, params).

        Raises:
            ValueError: A judge or the resolver names an endpoint and there is no gateway.
        """
        judge_of = {spec.name: judges.make(spec.judge, **spec.params) for spec in panel.judges}
        if chats is None and (asking := endpoints_of(panel)):
            raise ValueError(f"panel {panel.name!r} asks {sorted(e.name for e in asking)}: give a gateway")
        return cls(panel, chats, relevance, judge_of)

    def count(self, text: str) -> int:
        """Count tokens for the case budget: the most that any model of the panel makes of `text`."""
        asking = endpoints_of(self.panel)
        if self.chats is None or not asking:
            return -(-len(text) // 4)
        return max(self.chats.count_tokens(endpoint, text) for endpoint in asking)

    def ask(self, endpoint: str, purpose: str, fence_key: str, spec: JudgeSpec | None = None) -> BoundAsk:
        """Return the way to one of the panel's endpoints; `spec` gives a judge's own temperature and sample.

        Raises:
            ValueError: There is no gateway.
        """
        if self.chats is None:
            raise ValueError(f"{purpose} asks endpoint {endpoint!r} and the judge_panel has no gateway")
        max_tokens = self.panel.reply_tokens
        if spec is None and self.panel.resolver is not None:
            max_tokens = self.panel.resolver.max_tokens
        return BoundAsk(
            self.chats,
            self.panel.endpoints[endpoint],
            purpose,
            fence_key,
            max_tokens=max_tokens,
            seed=self.panel.seed,
            temperature=spec.temperature if spec else 0.0,
            sample=spec.sample if spec else 0,
        )


@dataclass
class BoundAsk:
    """An `Ask` that keeps every call it made, so that a failed opinion still shows what was paid for it."""

    chats: Chats
    endpoint: Endpoint
    purpose: str
    fence_key: str
    max_tokens: int
    seed: int = 0
    temperature: float = 0.0
    sample: int = 0
    calls: list[CallRecord] = field(default_factory=list)

    async def __call__(self, messages: Sequence[Message], schema: type[Reply]) -> Reply:
        """Ask; see `Ask`."""
        parsed = (await self.reply(messages, schema)).parsed
        if not isinstance(parsed, schema):
            raise TypeError(f"{self.purpose}: the gateway returned no {schema.__name__}")
        return parsed

    async def reply(self, messages: Sequence[Message], schema: type[Reply], letters: tuple[str, ...] = ()) -> ChatReply:
        """Ask, and return the whole reply; see `CheckerAsk`."""
        request = ChatRequest(
            endpoint=self.endpoint,
            messages=tuple(messages),
            purpose=self.purpose,
            fence_key=self.fence_key,
            schema=schema,
            max_tokens=self.max_tokens,
            temperature=self.temperature,
            sample=self.sample,
            seed=self.seed,
            letters=letters,
        )
        try:
            reply = await self.chats.chat(request)
        except CallFailed as failure:
            self.calls.extend(failure.calls)
            raise
        self.calls.extend(reply.calls)
        return reply


def endpoints_of(panel: Panel) -> tuple[Endpoint, ...]:
    """Return the endpoints that the panel's judges and resolver ask, each once."""
    names = dict.fromkeys(spec.endpoint for spec in panel.judges if spec.endpoint)
    if panel.resolver and panel.resolver.endpoint:
        names[panel.resolver.endpoint] = None
    return tuple(panel.endpoints[name] for name in names)
