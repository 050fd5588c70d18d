"""The client of one model at one address, with its limits and its retries."""

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
    """A completion of an endpoint."""

    text: str
    finish_reason: str | None
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    error: str | None
    """The reply is a refusal or empty."""
    latency_s: float
    attempts: int
    logprobs: object = None
    """`choices[0].logprobs`, as the server reports it."""


class EndpointClient:
    """Sends requests to one endpoint. Endpoints of a panel with the same model at the same address share a client.

    Args:
        endpoint: The first of these endpoints; its limits hold for all.
        key: API key, or None.
        http: The HTTP client that all endpoints share, an `openai.DefaultAioHttpClient`.
        address: Returns the base URL; awaited before every attempt, since the first one starts the embedded server.
        limit: A limit shared with other processes; None: one of this process alone.
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
        # Covers calls in flight and replies that wait for their commit.
        self.places = asyncio.Semaphore(2 * ceiling)
        self._key = key
        self._http = http
        self._address = address
        self._cached_client: tuple[str, ChatOpenAI] | None = None

    async def chat(
        self,
        messages: list[dict[str, str]],
        fields: dict[str, Any],
        tokens: int,
        gate: Callable[[], None] | None = None,
    ) -> Answer:
        """Send `messages` until there is a reply, attempts or deadline run out, or the endpoint refuses.

        Args:
            messages: The messages in the endpoint's form.
            fields: Further fields of the request's body.
            tokens: The estimated tokens of prompt and reply, for the limit of tokens a minute.
            gate: Called right before each attempt; an exception from it ends the call.

        Raises:
            NoAnswerError: There is no reply; it has the reason.
        """

        async def attempt(chat: ChatOpenAI) -> Answer:
            started = time.monotonic()
            try:
                message = await chat.ainvoke(messages, extra_body=fields)
            except (KeyError, IndexError, TypeError) as error:
                # langchain-openai raises these for choices that are missing, null or empty. Such a reply is paid for,
                # so it is repaired like any other unusable reply, not retried.
                latency_s = time.monotonic() - started
                return Answer("", None, 0, 0, 0, f"the response has no reply in it ({error!r})", latency_s, 1)
            return _answer(message, time.monotonic() - started)

        answer, attempts, _seconds = await self._retry(attempt, tokens, gate)
        return answer._replace(attempts=attempts)

    async def embed(self, texts: list[str], model: str) -> list[list[float]]:
        """Return one vector per text.

        Raises:
            NoAnswerError: There is no reply; it has the reason.
        """

        async def attempt(chat: ChatOpenAI) -> list[list[float]]:
            reply = await chat.root_async_client.embeddings.create(input=texts, model=model)
            return [item.embedding for item in sorted(reply.data, key=lambda item: item.index)]

        vectors, _attempts, _seconds = await self._retry(attempt, sum(len(t) for t in texts) // 4)
        return vectors

    async def _retry(
        self, attempt: Callable[[ChatOpenAI], Awaitable[T]], tokens: int, gate: Callable[[], None] | None = None
    ) -> tuple[T, int, float]:
        async def attempt_with_client() -> T:
            return await attempt(await self._client())

        return await RetryingCall(self.endpoint, self.limiter, self.breaker, attempt_with_client, tokens, gate).run()

    @property
    def name(self) -> str:
        """Model and address; an unfinished batch of an earlier run is found by it."""
        return f"{self.endpoint.model} at {self.endpoint.base_url or 'OpenAI'}"

    async def client(self) -> openai.AsyncOpenAI:
        """Return the underlying OpenAI client."""
        client: openai.AsyncOpenAI = (await self._client()).root_async_client
        return client

    async def _client(self) -> ChatOpenAI:
        address = await self._address()
        if self._cached_client is None or self._cached_client[0] != address:
            self._cached_client = (address, _client(self.endpoint, address, self._key, self._http))
        return self._cached_client[1]


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
    metadata = message.response_metadata
    usage = metadata.get("token_usage") or {}
    details = usage.get("prompt_tokens_details") or {}
    refusal = message.additional_kwargs.get("refusal")
    text = message.text
    error = f"refused: {refusal}" if refusal else None if text else "the reply is empty"
    return Answer(
        text,
        metadata.get("finish_reason"),
        usage.get("prompt_tokens") or 0,
        details.get("cached_tokens") or 0,
        usage.get("completion_tokens") or 0,
        error,
        latency_s,
        1,
        metadata.get("logprobs"),
    )


def shared_client(trust_env: bool) -> Any:
    """Return the HTTP client that all endpoints share; without `trust_env` it uses no proxy of the environment."""
    # A mount of None is a direct connection: loopback must not go through a proxy of the environment.
    direct = {f"all://{host}": None for host in ("127.0.0.1", "localhost", "[::1]")}
    return openai.DefaultAioHttpClient(trust_env=trust_env, mounts=direct)
