"""A resolved panel: its judges made, its way to the models, its checker and its relevance scorer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from tracejury.agents.checkers import MOST_SENTENCES, LoadedChecker, load_checker, refuse_same_weights
from tracejury.agents.combining import Combination, load_combination
from tracejury.agents.contracts import Chats, Judge, Relevance, Reply, judges
from tracejury.agents.panel import JudgeSpec, Panel
from tracejury.agents.records import Seat
from tracejury.agents.replies import most_findings
from tracejury.models import CallFailed, CallRecord, ChatReply, ChatRequest, Endpoint, Message


@dataclass(frozen=True)
class JudgePanel:
    """All that judging a step needs beside the case. Shared by every step of a run; holds no state of a step."""

    panel: Panel
    chats: Chats | None = None
    """The gateway; None: no judge and no resolver of the panel has a model."""
    relevance: Relevance | None = None
    """A cheap first filter for sentences; None: every statement goes to the checker."""
    judges: Mapping[str, Judge] = field(default_factory=dict)
    """Judge name on the panel -> judge."""
    checker: LoadedChecker | None = None
    """None: no citation counts, so only derivations ground."""
    combination: Combination | None = None
    """How votes are combined; None: one judge, one vote."""

    @classmethod
    def of(cls, panel: Panel, chats: Chats | None = None, relevance: Relevance | None = None) -> JudgePanel:
        """Make the panel's judges from (kind, params), and its checker.

        Raises:
            ValueError: Some part of the panel names an endpoint and there is no gateway; or the checker cannot be made.
        """
        judge_of = {spec.name: judges.make(spec.judge, **spec.params) for spec in panel.judges}
        if chats is None and (asking := endpoints_of(panel)):
            raise ValueError(f"panel {panel.name!r} asks {sorted(e.name for e in asking)}: give a gateway")
        return cls(panel, chats, relevance, judge_of, checker_of(panel), combination_of(panel))

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
            raise ValueError(f"{purpose} asks endpoint {endpoint!r} and the panel has no gateway")
        max_tokens = self.panel.reply_tokens
        if spec is None and self.panel.resolver is not None:
            max_tokens = max(max_tokens, self.panel.resolver.max_tokens)
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

    def ask_checker(self, fence_key: str) -> BoundAsk | None:
        """Return the way to the checker's model; None where the checker asks none."""
        spec = self.panel.checker
        return self.ask(spec.endpoint, "checker", fence_key) if spec and spec.endpoint else None

    def ask_claims(self, fence_key: str) -> BoundAsk | None:
        """Return the way to the model that cuts steps into claims; None where a rule cuts."""
        endpoint = self.panel.claims.endpoint
        return self.ask(endpoint, "claims", fence_key) if endpoint else None


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

    @property
    def calls_tools(self) -> bool:
        """Whether the endpoint calls tools."""
        return self.chats.calls_tools(self.endpoint)

    async def reply(
        self,
        messages: Sequence[Message],
        schema: type[BaseModel],
        letters: tuple[str, ...] = (),
        tools: tuple[dict[str, Any], ...] = (),
        may_call_tools: bool = True,
    ) -> ChatReply:
        """Ask, and return the whole reply; see `CheckerAsk` and `ChatRequest`."""
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
            tools=tools,
            may_call_tools=may_call_tools,
        )
        try:
            reply = await self.chats.chat(request)
        except CallFailed as failure:
            self.calls.extend(failure.calls)
            raise
        self.calls.extend(reply.calls)
        return reply


def endpoints_of(panel: Panel) -> tuple[Endpoint, ...]:
    """Return the endpoints that the panel asks, each once."""
    names = [name for spec in panel.judges for name in (spec.endpoint, spec.stand_in)]
    names += [part.endpoint for part in (panel.claims, panel.checker, panel.resolver) if part is not None]
    return tuple(panel.endpoints[name] for name in dict.fromkeys(name for name in names if name))


def replaceable_endpoints(panel: Panel) -> frozenset[str]:
    """Return the names of the endpoints that only judges with a stand-in ask: without them a run goes on."""
    others = [part.endpoint for part in (panel.claims, panel.checker, panel.resolver) if part is not None]
    others += [name for judge in panel.judges for name in (judge.stand_in, None if judge.stand_in else judge.endpoint)]
    return frozenset(judge.endpoint for judge in panel.judges if judge.endpoint).difference(filter(None, others))


def checker_of(panel: Panel) -> LoadedChecker | None:
    """Make the panel's checker, with its calibration.

    Raises:
        CheckerError: It cannot be made, its calibration is another checker's, or it has the weights of a judge that
            votes or challenges; the message says what to do.
    """
    spec = panel.checker
    if spec is None:
        return None
    checker = load_checker(spec, panel.endpoints.get(spec.endpoint or ""))
    models = {f"judge {j.name}": panel.endpoints[j.endpoint].model for j in panel.judges if j.endpoint and _counts(j)}
    refuse_same_weights(checker.identity, models, allowed=spec.allow_same_weights)
    return checker


def combination_of(panel: Panel) -> Combination | None:
    """Read how the panel's votes are combined; None: one judge, one vote.

    Raises:
        ValueError: The file of weights is none, is about other judges, or shows no gain.
    """
    voting = frozenset(spec.name for spec in panel.judges if spec.seat is Seat.VOTE)
    return load_combination(panel.weights, voting) if panel.weights else None


def _counts(judge: JudgeSpec) -> bool:
    return judge.seat is not Seat.LISTED


def most_citations(panel: Panel) -> int:
    """Return how many sentences one judge of the panel, or its resolver, may cite for a claim at most."""
    counting = [j for j in panel.judges if _counts(j)]
    if any(j.endpoint is None for j in counting):
        return MOST_SENTENCES
    resolver = panel.resolver.max_tokens if panel.resolver and panel.resolver.endpoint else 0
    return most_findings(max(panel.reply_tokens, resolver))
