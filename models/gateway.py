"""The gateway: one way for every model call, with its limits, its records and its cache."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import json
import secrets
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from pydantic import BaseModel, ValidationError

from tracejury.models.embedded import EmbeddedServer
from tracejury.models.fences import fence_tag, render
from tracejury.models.guard import check_address
from tracejury.models.keys import KeyMissingError, api_key, redact
from tracejury.models.lanes import Answer, Lane, NoAnswerError, shared_client
from tracejury.models.pricing import cost_usd
from tracejury.models.records import (
    CallFailed,
    CallRecord,
    ChatReply,
    ChatRequest,
    Endpoint,
    FailureReason,
    Message,
)
from tracejury.models.schemas import format_for, parse, problem_of, repair, told
from tracejury.models.store import CallStore
from tracejury.models.tokens import estimate_tokens, least_tokens
from tracejury.models.weights import weights_path

OPENAI = "https://api.openai.com/v1"


class Gateway:
    """Sends chats and embeddings. An async context manager; one for a run.

    Args:
        store: Where calls are written down and replies are cached.
        secret: The run's secret, which fences are keyed on.
        air_gapped: Refuse every address but loopback.
    """

    def __init__(self, store: CallStore, *, secret: bytes, air_gapped: bool = False) -> None:
        self.store = store
        self.air_gapped = air_gapped
        self._secret = secret
        self._lanes: dict[tuple[str | None, ...], Lane] = {}
        self._asked: dict[str, asyncio.Future[CallRecord]] = {}
        self._http: Any = None
        # Ids of calls: a random part a gateway and a number, for asking the system for randomness costs more than that.
        self._ids, self._count = secrets.token_hex(12), itertools.count()
        self._servers: dict[Path, EmbeddedServer] = {}

    async def __aenter__(self) -> Gateway:
        self._http = shared_client(trust_env=not self.air_gapped)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self._http.aclose()
        for server in self._servers.values():
            await asyncio.to_thread(server.stop)

    async def chat(self, request: ChatRequest) -> ChatReply:
        """Return a usable reply; from the response cache where the same was asked before.

        Raises:
            CallFailed: There is none, with the reason and the calls made.
        """
        first = await self._call(request, request.messages, request.purpose)
        if request.schema is None:
            return ChatReply(first.raw or "", None, (first,))
        try:
            return ChatReply(first.raw or "", parse(first.raw or "", request.schema), (first,))
        except ValidationError as error:
            problem = _problem(first, error)
        if first.finish_reason == "length" and first.completion_tokens < request.max_tokens:
            raise CallFailed(FailureReason.CONTEXT, f"the context ended in mid-reply: {problem}", (first,))
        try:
            second = await self._call(
                request, repair(request.messages, first.raw or "", problem), f"repair:{request.purpose}"
            )
        except CallFailed as failed:
            if failed.reason is not FailureReason.CONTEXT:
                raise CallFailed(failed.reason, failed.detail, (first, *failed.calls)) from failed
            # The task itself fitted; only the repair on top of it did not.
            self.store.judge_usable((first.id,), False)
            raise CallFailed(
                FailureReason.UNUSABLE, f"{problem}; no room to repair", (first, *failed.calls)
            ) from failed
        try:
            return ChatReply(second.raw or "", parse(second.raw or "", request.schema), (first, second))
        except ValidationError as error:
            self.store.judge_usable((first.id, second.id), False)
            raise CallFailed(FailureReason.UNUSABLE, _problem(second, error), (first, second)) from None

    async def embed(self, endpoint: Endpoint, texts: list[str]) -> np.ndarray[Any, np.dtype[np.float32]]:
        """Return float32 vectors (n, dim) of `texts` from the endpoint's embedding model, as it gives them.

        Raises:
            CallFailed: There is no reply.
        """
        try:
            vectors = await self._lane(endpoint).embed(texts, endpoint.model)
        except NoAnswerError as error:
            raise CallFailed(error.reason, error.detail) from error
        return np.asarray(vectors, dtype=np.float32)

    def count_tokens(self, endpoint: Endpoint, text: str) -> int:
        """Estimate the tokens of `text`, rather too many than too few; see `estimate_tokens`."""
        return estimate_tokens(text)

    async def _call(self, request: ChatRequest, messages: tuple[Message, ...], purpose: str) -> CallRecord:
        """Answer from the cache, or send and write down. Who asks the same at the same time waits for the first."""
        key = cache_key(request, messages)
        while (asked := self._asked.get(key)) is not None:
            try:
                call = await asyncio.shield(asked)
            except asyncio.CancelledError:
                if not asked.cancelled():
                    raise
                continue  # who asked was cancelled, we were not: ask ourselves
            return call.model_copy(update={"from_cache": True, "cost_usd": 0.0, "purpose": purpose})
        if (call := await self.store.cached(key)) is not None:
            return call.model_copy(update={"purpose": purpose})
        asked = self._asked[key] = asyncio.get_running_loop().create_future()
        try:
            call = await self._send(request, messages, purpose, key)
        except asyncio.CancelledError:
            asked.cancel()
            raise
        except BaseException as error:
            asked.set_exception(error)
            asked.exception()  # it is raised here; nobody else may have waited
            raise
        else:
            asked.set_result(call)
            return call
        finally:
            del self._asked[key]

    async def _send(self, request: ChatRequest, messages: tuple[Message, ...], purpose: str, key: str) -> CallRecord:
        endpoint = request.endpoint
        started = datetime.now(UTC).isoformat(timespec="milliseconds")
        rendered = render(told(endpoint, messages, request.schema), fence_tag(self._secret, request.fence_key))
        prompt = "\n".join(m["content"] for m in rendered)
        least = least_tokens(prompt) if endpoint.context_window is not None else 0
        if endpoint.context_window is not None and least + request.max_tokens > endpoint.context_window:
            raise CallFailed(
                FailureReason.CONTEXT,
                f"a prompt of at least {least} tokens and a reply of {request.max_tokens} do not fit into the "
                f"{endpoint.context_window} tokens of {endpoint.name}",
            )
        tokens = estimate_tokens(prompt) + request.max_tokens if endpoint.tokens_per_minute else 0

        def record(answer: Answer | None, error: str | None, attempts: int) -> CallRecord:
            prompt, cached, completion = (
                (answer.prompt_tokens, answer.cached_tokens, answer.completion_tokens) if answer else (0, 0, 0)
            )
            return CallRecord(
                id=f"{self._ids}{next(self._count):08x}",
                key=key,
                purpose=purpose,
                endpoint=endpoint.name,
                model=endpoint.model,
                started=started,
                latency_s=round(answer.latency_s, 4) if answer else 0.0,
                attempts=attempts,
                raw=redact(answer.text) if answer else None,
                finish_reason=answer.finish_reason if answer else None,
                prompt_tokens=prompt,
                cached_tokens=cached,
                completion_tokens=completion,
                cost_usd=cost_usd(endpoint.price, prompt, cached, completion),
                error=error,
            )

        try:
            lane = self._lane(endpoint)
            answer = await lane.chat(rendered, _fields(request), tokens)
        except NoAnswerError as failed:
            call = record(None, failed.detail, failed.attempts)
            await self.store.put(call)
            raise CallFailed(failed.reason, failed.detail, (call,)) from failed
        cut = f"the server saw {answer.prompt_tokens} tokens of a prompt that has {least} words: it cut it in silence"
        was_cut = 0 < answer.prompt_tokens < 0.9 * least
        call = record(answer, cut if was_cut else answer.error, answer.attempts)
        await self.store.put(call)
        if was_cut:
            self.store.judge_usable((call.id,), False)
            raise CallFailed(FailureReason.CONTEXT, cut, (call,))
        return call

    def _lane(self, endpoint: Endpoint) -> Lane:
        name = (endpoint.kind, endpoint.base_url, endpoint.model, endpoint.api_key_env)
        lane = self._lanes.get(name)
        if lane is None:
            if self.air_gapped and endpoint.kind == "openai":
                check_address(endpoint.base_url or OPENAI)
            try:
                key = api_key(endpoint)
            except KeyMissingError as error:
                raise CallFailed(FailureReason.REFUSED, str(error)) from error

            lane = self._lanes[name] = Lane(endpoint, key, self._http, self._address(endpoint))
        return lane

    def _address(self, endpoint: Endpoint) -> Callable[[], Awaitable[str]]:
        """Return what tells a lane its base URL; for the embedded server it also starts it, again after a crash."""
        if endpoint.kind == "openai":
            base_url = endpoint.base_url or OPENAI

            async def fixed() -> str:
                return base_url

            return fixed

        async def started() -> str:
            path = weights_path(endpoint.model)
            server = self._servers.get(path)
            if server is None:
                server = EmbeddedServer(path, context=endpoint.context_window, slots=endpoint.slots)
                self._servers[path] = server
            if server.alive and server.base_url is not None:
                return server.base_url
            return await asyncio.to_thread(server.start)

        return started


def cache_key(request: ChatRequest, messages: tuple[Message, ...]) -> str:
    """Return the response cache's key: model, messages before fencing, schema, parameters, sample.

    Neither the address nor the fence is in it: the same question to the same model has the same answer tomorrow, on
    another machine, in another run.
    """
    endpoint = request.endpoint
    said = [[m.role, [p if isinstance(p, str) else [p.label, p.text] for p in m.parts]] for m in messages]
    schema = _schema(request.schema) if request.schema else None
    asked = [
        *(endpoint.kind, endpoint.model, endpoint.reply_format, endpoint.params, said, schema),
        *(request.max_tokens, request.temperature, request.sample, request.seed),
    ]
    text = json.dumps(asked, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@lru_cache(maxsize=256)
def _schema(schema: type[BaseModel]) -> str:
    return json.dumps(schema.model_json_schema(), sort_keys=True)


def _fields(request: ChatRequest) -> dict[str, Any]:
    endpoint = request.endpoint
    fields: dict[str, Any] = {"max_tokens": request.max_tokens, "temperature": request.temperature}
    if endpoint.base_url is None and endpoint.kind == "openai":
        fields["max_completion_tokens"] = fields.pop("max_tokens")
    if request.seed is not None:
        fields["seed"] = request.seed
    if (wanted := format_for(endpoint, request.schema)) is not None:
        fields["response_format"] = wanted
    fields |= endpoint.params
    # `temperature: null` in a panel takes the field out, for models that refuse it.
    return {name: value for name, value in fields.items() if value is not None}


def _problem(call: CallRecord, error: ValidationError) -> str:
    problem = call.error or problem_of(error)
    if call.finish_reason == "length":
        problem = f"cut off at {call.completion_tokens} tokens, be shorter: {problem}"
    return problem
