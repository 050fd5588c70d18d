"""A lane: the way to one model at one address, with its client, its limits and its retries."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, TypeVar

import openai
from langchain_core.messages import AIMessage
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from tracejury.models.breaker import Breaker
from tracejury.models.chat import DirectChat
from tracejury.models.limits import Limit, Limiter
from tracejury.models.records import Endpoint
from tracejury.models.retrying_call import RetryingCall

T = TypeVar("T")


class Answer(NamedTuple):
    """What came back."""

    text: str
    finish_reason: str | None
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    error: str | None
    """A refusal in words, or an empty reply; the text is what it is all the same."""
    latency_s: float
    attempts: int
    logprobs: object = None
    """`choices[0].logprobs`, as the server reports it."""


class EndpointClient:
    """Sends to one endpoint. Several endpoints of a panel that name the same model at the same address share one.

    Args:
        endpoint: The first of those; its limits hold for all.
        key: API key, or None.
        http: The client that all lanes share, an `openai.DefaultAioHttpClient`.
        address: Returns the base URL; awaited before every attempt, for the embedded server starts at the first.
        limit: Shared with other processes; None: this process's own.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        key: str | None,
        http: Any,
        address: Callable[[], Awaitable[str]],
        limit: Limit | None = None,
    ) -> None:
        self.endpoint = endpoint
        ceiling = endpoint.slots if endpoint.kind == "embedded" else endpoint.max_concurrency
        self.limiter = limit or Limiter(ceiling, endpoint.requests_per_minute, endpoint.tokens_per_minute)
        self.breaker = Breaker()
        # For calls under way and replies that wait for their commit, together.
        self.places = asyncio.Semaphore(2 * ceiling)
        self._key = key
        self._http = http
        self._address = address
        self._made: tuple[str, ChatOpenAI] | None = None

    async def chat(
        self,
        messages: list[dict[str, str]],
        fields: dict[str, Any],
        tokens: int,
        gate: Callable[[], None] | None = None,
    ) -> Answer:
        """Send `messages` until there is a reply, attempts or deadline run out, or the endpoint refuses.

        Args:
            messages: As the endpoint takes them.
            fields: Further fields of the request's body.
            tokens: Estimated tokens of prompt and reply, for the limit of tokens a minute.
            gate: Called right before each attempt, when its turn has come; what it raises ends the call.

        Raises:
            NoAnswerError: With the reason.
        """

        async def attempt(chat: ChatOpenAI) -> Answer:
            started = time.monotonic()
            try:
                message = await chat.ainvoke(messages, extra_body=fields)
            except (KeyError, IndexError, TypeError) as error:
                # langchain-openai raises these for choices that are missing, null or empty. That is a reply, paid for,
                # and no use: for its sender to repair, not for us to retry.
                latency_s = time.monotonic() - started
                return Answer("", None, 0, 0, 0, f"the response has no reply in it ({error!r})", latency_s, 1)
            return _answer(message, time.monotonic() - started)

        answer, attempts, _seconds = await self._retry(attempt, tokens, gate)
        return answer._replace(attempts=attempts)

    async def embed(self, texts: list[str], model: str) -> list[list[float]]:
        """Return one vector a text.

        Raises:
            NoAnswerError: With the reason.
        """

        async def attempt(chat: ChatOpenAI) -> list[list[float]]:
            reply = await chat.root_async_client.embeddings.create(input=texts, model=model)
            return [item.embedding for item in sorted(reply.data, key=lambda item: item.index)]

        vectors, _attempts, _seconds = await self._retry(attempt, sum(len(t) for t in texts) // 4)
        return vectors

    async def _retry(
        self, attempt: Callable[[ChatOpenAI], Awaitable[T]], tokens: int, gate: Callable[[], None] | None = None
    ) -> tuple[T, int, float]:
        async def made() -> T:
            return await attempt(await self._client())

        return await RetryingCall(self.endpoint, self.limiter, self.breaker, made, tokens, gate).run()

    @property
    def name(self) -> str:
        """Model and address: what a batch left behind is found again by."""
        return f"{self.endpoint.model} at {self.endpoint.base_url or 'OpenAI'}"

    async def client(self) -> openai.AsyncOpenAI:
        """Return the OpenAI client below."""
        below: openai.AsyncOpenAI = (await self._client()).root_async_client
        return below

    async def _client(self) -> ChatOpenAI:
        address = await self._address()
        if self._made is None or self._made[0] != address:
            self._made = (address, _client(self.endpoint, address, self._key, self._http))
        return self._made[1]


def _client(endpoint: Endpoint, address: str, key: str | None, http: Any) -> ChatOpenAI:
    return DirectChat(
        model=endpoint.model,
        base_url=address,
        api_key=SecretStr(key or "none"),
        max_retries=0,
        timeout=endpoint.timeout_s,
        http_async_client=http,
        disable_streaming=True,
        cache=False,
    )


def _answer(message: AIMessage, latency_s: float) -> Answer:
    told = message.response_metadata
    usage = told.get("token_usage") or {}
    details = usage.get("prompt_tokens_details") or {}
    refusal = message.additional_kwargs.get("refusal")
    text = message.text
    error = f"refused: {refusal}" if refusal else None if text else "the reply is empty"
    return Answer(
        text,
        told.get("finish_reason"),
        usage.get("prompt_tokens") or 0,
        details.get("cached_tokens") or 0,
        usage.get("completion_tokens") or 0,
        error,
        latency_s,
        1,
        told.get("logprobs"),
    )


def shared_client(trust_env: bool) -> Any:
    """Return the HTTP client that all lanes share; without `trust_env` no proxy of the environment is used."""
    # A mount of None is a direct connection: a proxy of the environment has no business with loopback.
    direct = {f"all://{host}": None for host in ("127.0.0.1", "localhost", "[::1]")}
    return openai.DefaultAioHttpClient(trust_env=trust_env, mounts=direct)
