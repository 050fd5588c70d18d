"""What a model server can be told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

MODES = (
    *("ok", "401", "404", "400", "context", "429", "429-after", "500", "503", "hang", "reset", "cut", "garbled"),
    *("prose", "label", "empty", "no-choices", "big", "length", "refusal", "filtered", "echo-key", "tell-key"),
    *("drip", "swapped"),
)


@dataclass
class Behaviour:
    """What the server does. All of it can be changed while it runs."""

    mode: str = "ok"
    """One of `MODES` (`drip`: a byte a second; `swapped`: what the request before this one gets), or `shape:NAME`
    (tests/servers/shapes.py)."""
    refuses: list[str] = field(default_factory=list)
    """What requests are refused for (tests/servers/providers.py)."""
    refusal: dict[str, Any] = field(default_factory=dict)
    """`status` and `body` of the answer to requests with the field `field` (None: to all) and, if given, the value
    `value` in it."""
    script: list[str] = field(default_factory=list)
    match: dict[str, str | list[str]] = field(default_factory=dict)
    reply: dict[str, Any] = field(default_factory=dict)
    """Property name -> value of good replies; also `text` for requests without a schema."""
    reply_for: dict[str, dict[str, Any]] = field(default_factory=dict)
    """A word of the prompt -> values beside or instead of those of `reply`; the first word that stands there counts."""
    tool_queries: list[str] = field(default_factory=list)
    """Where a request has tools: what is searched for, one call a turn, before the answer."""
    repeats_ids: bool = False
    """The id of a reply is made from the request's header `X-Request-Id`, as vLLM does."""
    searches_for_ever: bool = False
    """Every reply to a request with tools calls the first one, whatever `tool_choice` says."""
    logprobs: Any = None
    """`choices[0].logprobs` of good replies to requests that ask for them."""
    thinks_tokens: int = 0
    """A reply with a smaller limit of tokens is used up by thinking."""
    bad_share: float = 0.0
    """The share of calls, drawn with `seed`, that get one of `bad_modes`."""
    bad_modes: list[str] = field(default_factory=list)
    seed: int = 0
    latency_s: float = 0.0
    slow_s: float = 0.0
    slow_every: int = 0
    """Every so many calls one takes `slow_s` instead (a straggler)."""
    retry_after_s: float = 0.2
    per_second: float | None = None
    """The hidden limit, a token bucket; beyond it 429."""
    burst: int = 1
    at_once: int | None = None
    """The hidden limit of calls in flight; beyond it 429."""
    tell_retry_after: bool = False
    """Whether a refusal by the hidden limit says how long to wait."""
    down: bool = False
    """Every call gets 503."""
    paused: bool = False
    """Calls come in and wait until this is false again."""
    batch_s: float = 0.2
    """How long a batch takes."""
