"""Records of the gateway: endpoints, messages, requests, replies and call records."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, JsonValue, field_validator

from tracejury.models.secrets_in_text import is_environment_name, secret_in_query, secret_settings
from tracejury.traces import Record

OPENAI = "https://api.openai.com/v1"
"""The address of an endpoint that names none."""


class Price(Record):
    """US dollars for a million tokens."""

    prompt: float = 0.0
    cached: float | None = None
    """For prompt tokens from the server's cache; None: the same as `prompt`."""
    completion: float = 0.0


class Endpoint(Record):
    """One model at one OpenAI-compatible address, or in the embedded server. Keys come from the environment only."""

    # A refused value may be a key, and messages must not repeat it.
    model_config = ConfigDict(hide_input_in_errors=True)

    name: str
    kind: Literal["openai", "embedded"] = "openai"
    model: str
    """The model's name at the address; for `embedded` a name of `tracejury models list`, `best-fetched`, a file of the
    Hugging Face hub (`REPOSITORY:FILE.gguf`) or the path of a GGUF."""
    base_url: str | None = None
    api_key_env: str | None = None
    """The environment variable that holds the key; None: the server needs none."""
    prefix_cache: bool = False
    """The server reuses the prompt's prefix, so a step's first judge runs alone and a trace's steps start in order."""
    max_concurrency: int = 32
    """The start and the ceiling of the adaptive concurrency."""
    requests_per_minute: float | None = None
    tokens_per_minute: float | None = None
    timeout_s: float = 120.0
    """For one attempt."""
    deadline_s: float = 600.0
    """For all attempts of one call together."""
    max_attempts: int = 6
    context_window: int | None = None
    """Tokens; None: not checked beforehand."""
    reply_format: Literal["json_schema", "json_object", "text"] = "json_schema"
    tools: bool = False
    """The server calls tools. Judges with `search` look references up by a tool then, else by a field of the reply."""
    tokenizer: str | None = None
    """The served model's tokenizer, whose special tokens fences break in all data: a GGUF file, a `tokenizer.json` or
    the folder of one. None: `model`, where that is a file or a folder on this machine."""
    slots: int = 1
    """Embedded only: calls at once; each has a context of its own, with the memory for it."""
    hedge_after_s: float | None = None
    """Send a second request when the first has no reply after this long, and use the first reply; None: never.
    The other one costs money too where the server does not notice the closed connection."""
    price: Price = Price()
    """Not given: that of the list genai-prices for the model at this address, and 0 where it has none."""
    params: dict[str, JsonValue] = Field(default_factory=dict)
    """Further fields of the request body, passed unchanged (`top_p`, `reasoning_effort`, ...)."""

    @property
    def address(self) -> str:
        """The base URL; that of the embedded server is known only once it runs."""
        return self.base_url or OPENAI

    @field_validator("base_url")
    @classmethod
    def _no_password(cls, url: str | None) -> str | None:
        # A panel is written into the ledger, and messages show the address.
        if url and "@" in urlsplit(url).netloc:
            raise ValueError(
                "the address contains a user or a password: name an environment variable as api_key_env instead"
            )
        if url and (name := secret_in_query(url)):
            raise ValueError(
                f"the address has a key in its parameter {name!r}: name an environment variable as api_key_env instead"
            )
        return url

    @field_validator("api_key_env")
    @classmethod
    def _names_a_variable(cls, name: str | None) -> str | None:
        if name is not None and not is_environment_name(name):
            # The value is not repeated: it may be the key itself.
            raise ValueError("it is no name of an environment variable; put the key into one, and give its name here")
        return name

    @field_validator("params")
    @classmethod
    def _no_secret(cls, params: dict[str, JsonValue]) -> dict[str, JsonValue]:
        if secret := next(secret_settings(params), None):
            raise ValueError(f"{secret} holds a key: name an environment variable as api_key_env instead")
        return params


class Data(Record):
    """Text that is data, never an instruction: it is neutralised and fenced when the message is rendered."""

    label: str
    """Its name in the fence: `question`, `step`, `passage p_12ab`, ..."""
    text: str


class ToolCall(Record):
    """A model's call of a tool."""

    id: str
    name: str
    arguments: str
    """JSON, as the model wrote it."""


class Message(Record):
    """A chat message of literal parts (our own words) and data parts (foreign text)."""

    role: Literal["system", "user", "assistant", "tool"]
    parts: tuple[str | Data, ...]
    tool_calls: tuple[ToolCall, ...] = ()
    """Of an assistant's message: the calls that `tool` messages answer."""
    tool_call_id: str = ""
    """Of a `tool` message: the call that it answers."""


class FailureReason(StrEnum):
    """Why a call has no usable reply. It is never a label."""

    REFUSED = "refused"
    """The endpoint refuses for good (400, 401, 403, 404), or the model declines to answer."""
    UNAVAILABLE = "unavailable"
    """429, 5xx, timeouts and broken connections until attempts or deadline ran out."""
    OTHER_REQUEST = "reply_of_another_request"
    """The server answered with the reply to another request at every attempt."""
    UNUSABLE = "unusable"
    """Neither the reply nor its one repair validates."""
    FILTERED = "filtered"
    """The provider's content filter withheld the reply, or refused the prompt."""
    CUT_OFF = "cut_off"
    """The reply ended at its limit of tokens, and so did the second one with more room."""
    CONTEXT = "context"
    """The case does not fit into the model's context, even in its shortest form."""
    BUDGET = "budget"
    """The run's budget is used up."""
    BLOCKED = "blocked"
    """The network guard (`--air-gapped`) refused the address."""
    JUDGE_BROKE = "judge_broke"
    """A judge's own code raised."""
    NOT_RECORDED = "not_recorded"
    """The files of a judge `recorded` have no opinion on the step."""
    UNANSWERED = "unanswered"
    """The run is offline, and no answer to the request has been imported yet."""


class CallRecord(Record):
    """One call that was sent (or answered from the cache), recorded before its reply is parsed."""

    id: str
    key: str
    """The response cache's key: model, messages before fencing, parameters, sample."""
    purpose: str
    """For instance `judge:facts`, `resolver`, `repair:judge:facts`."""
    endpoint: str
    model: str
    started: str
    """ISO 8601, UTC."""
    latency_s: float
    attempts: int
    from_cache: bool = False
    raw: str | None = None
    """The text of the reply before parsing; None: there is no reply."""
    finish_reason: str | None = None
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float = 0.0
    error: str | None = None
    usage_estimated: bool = False
    """The server reported no credible usage, so the tokens are estimates; not stored with the call."""
    letter_logprobs: tuple[tuple[float, ...], ...] | None = None
    """For each token of the reply that is one of the request's `letters`, the log-probability of each of these; None:
    none were asked for, or the server reports none."""


@dataclass(frozen=True)
class ChatRequest:
    """One question to one endpoint."""

    endpoint: Endpoint
    messages: tuple[Message, ...]
    purpose: str
    fence_key: str
    """The key of the fence tag, a trace id: the same for all steps, judges and retries of a trace."""
    schema: type[BaseModel] | None = None
    max_tokens: int = 512
    temperature: float = 0.0
    sample: int = 0
    seed: int | None = None
    letters: tuple[str, ...] = ()
    """One-letter values of the reply whose log-probabilities are asked for; see `CallRecord.letter_logprobs`."""
    tools: tuple[dict[str, Any], ...] = ()
    """Functions that the model may call instead of answering, in OpenAI's form."""
    may_call_tools: bool = True
    """False: the tools are named, since the messages have calls of them, and must not be called any more."""


@dataclass(frozen=True)
class ChatReply:
    """A usable reply, and the calls for it (a second one is the repair)."""

    text: str
    parsed: Any
    """An instance of the request's schema; None: the request had no schema, or the model calls tools."""
    calls: tuple[CallRecord, ...]
    tool_calls: tuple[ToolCall, ...] = ()
    """The tools that the model calls instead of answering."""


class CallFailed(Exception):
    """A call has no usable reply. It carries the reason, and the calls that were made."""

    def __init__(self, reason: FailureReason, detail: str, calls: tuple[CallRecord, ...] = ()) -> None:
        super().__init__(f"{reason.value}: {detail}")
        self.reason = reason
        self.detail = detail
        self.calls = calls
