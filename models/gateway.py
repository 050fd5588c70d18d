"""The gateway: the one path of every model call, with limits, records and cache."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import replace
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ValidationError

from tracejury.models.adaptations import Adaptations
from tracejury.models.batches import Batches, BatchProgress
from tracejury.models.budget import Budget
from tracejury.models.cachekey import cache_key
from tracejury.models.call_records import (
    blank_record,
    filled_record,
    hinted,
    is_spent_on_thinking,
    problem_in,
    tool_names,
    unusable,
)
from tracejury.models.endpoint_client import EndpointClient, shared_client
from tracejury.models.failures import NoAnswerError
from tracejury.models.fences import Fence, LookAlikes, fence_tag, look_alikes
from tracejury.models.guard import check_address
from tracejury.models.keys import KeyMissingError, api_key
from tracejury.models.limits import Limit
from tracejury.models.local.servers import EmbeddedServers
from tracejury.models.parsing import parse_reply, repair
from tracejury.models.pricing import is_free, price_of
from tracejury.models.probing import ProbeCache, ProbeResult, probe_request, probing_endpoint
from tracejury.models.records import CallFailed, CallRecord, ChatReply, ChatRequest, Endpoint, FailureReason, Message
from tracejury.models.refusals import Hopeless, hopeless_of, is_final
from tracejury.models.request_body import ChatBody, chat_body
from tracejury.models.shared_calls import SharedCalls
from tracejury.models.special_tokens import TokenizerError, special_tokens
from tracejury.models.store import CallSink, CallStore
from tracejury.models.tokens import estimate_tokens, least_tokens
from tracejury.models.tool_calls import read_tool_calls

ClientKey = tuple[str | None, ...]
"""Kind, address, model and key of an endpoint: endpoints with the same ones share a client."""
THINKING_TOKENS = 4096
"""Added to a reply's limit after a reply that thinking used up; four times as many after the next such reply."""
MOST_THINKING_TOKENS = 16_384


class Gateway:
    """Sends chats and embeddings. It is an async context manager; a run has one.

    Args:
        store: Records calls and caches replies.
        secret: The run's secret, the key of all fence tags.
        air_gapped: Refuse every address but loopback.
        budget: The cap on the run's spending; None: no cap.
        batch: Send questions to OpenAI-compatible endpoints in batches, which come back within a day, and report the
            progress here. It needs many steps in flight, since a step waits for its batch. None: send one by one.
        limits: Returns the limit of an OpenAI-compatible endpoint that is shared with other processes.
        fresh: Use no cached reply from before this gateway.
        adaptations: What another gateway learnt about the endpoints, its `adaptations`.
    """

    def __init__(
        self,
        store: CallSink,
        *,
        secret: bytes,
        air_gapped: bool = False,
        budget: Budget | None = None,
        batch: BatchProgress | None = None,
        limits: Callable[[Endpoint], Limit] | None = None,
        fresh: bool = False,
        adaptations: Mapping[ClientKey, Adaptations] | None = None,
    ) -> None:
        self.store = store
        self.air_gapped = air_gapped
        self.budget = budget or Budget()
        self.batch = batch
        self._limits = limits
        self._secret = secret
        self._clients: dict[ClientKey, EndpointClient] = {}
        self._known_adaptations = dict(adaptations or {})
        self._batches: dict[str, Batches] = {}
        self._servers = EmbeddedServers()
        self._look_alikes: dict[ClientKey, LookAlikes] = {}
        self._shared_calls = SharedCalls(store, fresh=fresh)
        self._http: Any = None
        # Ids of calls are a random part per gateway and a number: fresh randomness for each call costs more.
        self._ids, self._count = secrets.token_hex(12), itertools.count()

    async def __aenter__(self) -> Gateway:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        for batches in self._batches.values():
            await batches.close()
        if self._http is not None:
            await self._http.aclose()
        await self._servers.stop()

    async def chat(self, request: ChatRequest) -> ChatReply:
        """Return a usable reply, from the response cache if the same request was answered before.

        Raises:
            CallFailed: There is none; it has the reason and the calls.
        """
        first = await self._call(request, request.messages, request.purpose)
        if request.tools and (tool_calls := read_tool_calls(first.raw or "", tool_names(request))):
            return ChatReply(first.raw or "", None, (first,), tool_calls)
        if request.schema is None:
            return ChatReply(first.raw or "", None, (first,))
        try:
            return ChatReply(first.raw or "", parse_reply(first.raw or "", request.schema), (first,))
        except ValidationError as error:
            problem = problem_in(first, error)
        is_short = 0 < first.completion_tokens < request.max_tokens and not first.usage_estimated
        if first.finish_reason == "length" and is_short and not is_spent_on_thinking(first):
            await self.store.mark_unusable((first.id,))
            raise CallFailed(FailureReason.CONTEXT, f"the context ended in mid-reply: {problem}", (first,))
        second = await self._repair(request, first, problem)
        try:
            return ChatReply(
                second.raw or "", parse_reply(second.raw or "", request.schema, is_last=True), (first, second)
            )
        except ValidationError as error:
            # Not earlier: a first reply with a usable repair stays in the cache, so that a resumed run finds both.
            await self.store.mark_unusable((first.id, second.id))
            reason = FailureReason.CUT_OFF if second.finish_reason == "length" else FailureReason.UNUSABLE
            raise CallFailed(reason, hinted(second, problem_in(second, error)), (first, second)) from None

    async def embed(self, endpoint: Endpoint, texts: list[str]) -> NDArray[np.float32]:
        """Return float32 vectors (n, dim) of `texts` from the endpoint's embedding model, unchanged.

        Raises:
            CallFailed: There is no reply.
        """
        try:
            vectors = await self._client(endpoint).embed(texts, endpoint.model)
        except NoAnswerError as error:
            raise CallFailed(error.reason, error.detail) from error
        return np.asarray(vectors, dtype=np.float32)

    def count_tokens(self, endpoint: Endpoint, text: str) -> int:
        """Estimate the tokens of `text`, rather too many than too few; see `estimate_tokens`."""
        return estimate_tokens(text)

    def calls_tools(self, endpoint: Endpoint) -> bool:
        """Tell whether an endpoint calls tools: its panel says so, and it has not refused them."""
        return endpoint.tools and "tools" not in self._client(endpoint).adaptations.left_out

    def paused(self) -> dict[str, float]:
        """Return the endpoints that are down, each with the start of its outage (monotonic seconds)."""
        clients = self._clients.values()
        return {c.endpoint.name: at for c in clients if (at := c.breaker.opened) is not None}

    async def probe(self, endpoint: Endpoint, schema: type[BaseModel], cache: ProbeCache | None = None) -> ProbeResult:
        """Ask an endpoint once, with a judge's schema and few tokens, and adapt to what it refuses.

        Args:
            endpoint: The endpoint.
            schema: The schema of a reply.
            cache: Results of the last day are taken from here, and new ones are added; None: ask in any case.
        """
        try:
            client = self._client(endpoint)
        except CallFailed as failed:
            return ProbeResult(endpoint, problem=failed.detail, remedy="")
        if cache is not None and (adaptations := cache.get(endpoint)) is not None:
            client.adaptations = adaptations
            return ProbeResult(endpoint, adaptations, from_cache=True)
        request = probe_request(endpoint, schema)
        blank = blank_record(f"{self._ids}{next(self._count):08x}", "probe", request.purpose, request)

        def body_for(adaptations: Adaptations) -> ChatBody:
            return chat_body(request, request.messages, Fence("probe"), adaptations, request.max_tokens)

        body = body_for(client.adaptations)
        try:
            answer = await client.chat(
                body_for,
                check=lambda: self._check_sending(endpoint),
                endpoint=probing_endpoint(endpoint),
            )
        except NoAnswerError as failed:
            failure = blank.model_copy(update={"attempts": failed.attempts, "error": failed.detail})
            await self.store.record(failure, body.messages)
            if failed.fault is None or not is_final(failed.fault):
                return ProbeResult(endpoint, client.adaptations, problem=failed.detail)
            models = await client.list_models() if failed.fault.trait and failed.fault.trait.kind == "model" else ()
            hopeless = hopeless_of(endpoint, failed.fault, models)
            return ProbeResult(endpoint, client.adaptations, problem=hopeless.reason, remedy=hopeless.remedy)
        call = filled_record(blank, request, answer, body.prompt)
        self.budget.add(call)
        await self.store.record(call, body.messages)
        if is_spent_on_thinking(call):
            self._more_thinking(endpoint)
        result = ProbeResult(endpoint, client.adaptations, latency_s=answer.latency_s)
        if cache is not None:
            cache.add(result)
        return result

    @property
    def hopeless(self) -> tuple[Hopeless, ...]:
        """The endpoints that refuse every call, with the reason and the remedy."""
        return tuple(hopeless for c in self._clients.values() if (hopeless := c.refusals.hopeless) is not None)

    @property
    def adaptations(self) -> dict[ClientKey, Adaptations]:
        """What this gateway knows about endpoints, for gateways of other processes."""
        return self._known_adaptations | {name: client.adaptations for name, client in self._clients.items()}

    def adaptation_lines(self) -> dict[str, tuple[str, ...]]:
        """Return endpoint name -> how its requests differ from the panel, because the endpoint refused that."""
        clients = self._clients.values()
        return {c.endpoint.name: lines for c in clients if (lines := c.adaptations.lines(c.endpoint))}

    async def _repair(self, request: ChatRequest, first: CallRecord, problem: str) -> CallRecord:
        """Ask a second time: with more room where thinking used it up, else with the problem of the first reply."""
        messages, purpose = request.messages, f"repair:{request.purpose}"
        if is_spent_on_thinking(first):
            request = replace(request, max_tokens=request.max_tokens + self._more_thinking(request.endpoint))
        else:
            messages = repair(messages, first.raw or "", problem)
        try:
            return await self._call(request, messages, purpose)
        except CallFailed as failed:
            calls = (first, *failed.calls)
            if failed.reason is not FailureReason.CONTEXT:
                raise CallFailed(failed.reason, failed.detail, calls) from failed
            # The task itself fits; only the repair on top of it does not.
            await self.store.mark_unusable((first.id,))
            raise CallFailed(FailureReason.UNUSABLE, f"{problem}; no room for a repair", calls) from failed

    def _more_thinking(self, endpoint: Endpoint) -> int:
        """Give all later replies of an endpoint more tokens, for the model's thinking; return their number."""
        client = self._client(endpoint)
        tokens = THINKING_TOKENS
        if client.adaptations.thinking_tokens:
            tokens = min(4 * client.adaptations.thinking_tokens, MOST_THINKING_TOKENS)
        client.adaptations = client.adaptations.model_copy(update={"thinking_tokens": tokens})
        return tokens

    async def _call(self, request: ChatRequest, messages: tuple[Message, ...], purpose: str) -> CallRecord:
        """Answer from the cache, or send and record."""
        key = cache_key(request, messages)
        return await self._shared_calls.call(key, purpose, lambda: self._send(request, messages, purpose, key))

    async def _send(self, request: ChatRequest, messages: tuple[Message, ...], purpose: str, key: str) -> CallRecord:
        client = self._client(request.endpoint)
        # The questions of a batch wait together. Any other call takes a place before it queues for a slot and keeps it
        # until its record is committed: `kill -9` costs at most two calls per slot, however slow the disk.
        batches = self._batches_of(client)
        async with nullcontext() if batches else client.places:
            return await self._answered(client, batches, request, messages, purpose, key)

    async def _answered(
        self,
        client: EndpointClient,
        batches: Batches | None,
        request: ChatRequest,
        messages: tuple[Message, ...],
        purpose: str,
        key: str,
    ) -> CallRecord:
        endpoint = request.endpoint
        fence = self._fence(request)
        # The request of a repair with more room has that room in its own limit already.
        is_enlarged = purpose.startswith("repair:") and messages is request.messages

        def body_for(adaptations: Adaptations) -> ChatBody:
            if adaptations is known_adaptations:
                return body
            return new_body(adaptations)

        def new_body(adaptations: Adaptations) -> ChatBody:
            thinking = 0 if is_enlarged else adaptations.thinking_tokens
            return chat_body(request, messages, fence, adaptations, request.max_tokens + thinking)

        known_adaptations = client.adaptations
        body = new_body(known_adaptations)
        prompt = body.prompt
        least = self._check_room(request, prompt)
        tokens = estimate_tokens(prompt) + request.max_tokens if endpoint.tokens_per_minute else 0
        blank = blank_record(f"{self._ids}{next(self._count):08x}", key, purpose, request)
        try:
            # The cap is checked when a slot is free, not when the call queues for one, so that it is never exceeded by
            # more than the calls in flight.
            if batches:
                self._check_sending(endpoint)
                answer = await batches.chat(key, body)
            else:
                answer = await client.chat(body_for, tokens=tokens, check=lambda: self._check_sending(endpoint))
        except NoAnswerError as failed:
            if batches:
                batches.mark_recorded(key)
            call = blank.model_copy(update={"attempts": failed.attempts, "error": failed.detail})
            await self.store.record(call, body_for(client.adaptations).messages)
            raise CallFailed(failed.reason, failed.detail, (call,)) from failed
        call = filled_record(blank, request, answer, prompt)
        if tokens:
            client.limiter.charge(call.prompt_tokens + call.completion_tokens - tokens)
        problem = unusable(answer, call, least)
        if problem:
            call = call.model_copy(update={"error": problem.detail})
        self.budget.add(call)
        await self.store.record(call, body_for(client.adaptations).messages)
        if batches:
            batches.mark_recorded(key)
        if problem:
            await self.store.mark_unusable((call.id,))
            raise CallFailed(*problem, (call,))
        return call

    def _fence(self, request: ChatRequest) -> Fence:
        """Return the fence of a request's trace for its model."""
        endpoint = request.endpoint
        name = (endpoint.kind, endpoint.model, endpoint.tokenizer)
        if name not in self._look_alikes:
            try:
                self._look_alikes[name] = look_alikes(special_tokens(endpoint))
            except TokenizerError as unreadable:
                raise CallFailed(FailureReason.REFUSED, str(unreadable)) from unreadable
        return Fence(fence_tag(self._secret, request.fence_key), self._look_alikes[name])

    def _batches_of(self, client: EndpointClient) -> Batches | None:
        if self.batch is None or client.endpoint.kind == "embedded":
            return None
        if not isinstance(self.store, CallStore):
            raise ValueError(
                "batches need a call store in this process: it holds the unfinished batches of earlier runs"
            )
        if client.name not in self._batches:
            self._batches[client.name] = Batches(client, self.store, self.batch)
        return self._batches[client.name]

    def _check_sending(self, endpoint: Endpoint) -> None:
        if failure := self.store.write_failure:
            # A reply that cannot be recorded would be paid for nothing.
            raise failure
        self.budget.check(None if is_free(endpoint) else price_of(endpoint), endpoint.name)

    def _check_room(self, request: ChatRequest, prompt: str) -> int:
        """Refuse a prompt that cannot fit; return the least number of its tokens, or 0 if no window is known."""
        window = request.endpoint.context_window
        if window is None:
            return 0
        least = least_tokens(prompt)
        if least + request.max_tokens > window:
            detail = f"a prompt of {least} tokens or more and a reply of {request.max_tokens} do not fit into {window}"
            raise CallFailed(FailureReason.CONTEXT, f"{detail} (endpoint {request.endpoint.name!r})")
        return least

    def _client(self, endpoint: Endpoint) -> EndpointClient:
        name = (endpoint.kind, endpoint.base_url, endpoint.model, endpoint.api_key_env)
        client = self._clients.get(name)
        if client is None:
            if self.air_gapped and endpoint.kind == "openai":
                check_address(endpoint.address)
            try:
                key = api_key(endpoint)
            except KeyMissingError as error:
                raise CallFailed(FailureReason.REFUSED, str(error)) from error

            async def address() -> str:
                return await self._servers.address(endpoint) if endpoint.kind == "embedded" else endpoint.address

            if self._http is None:
                self._http = shared_client(trust_env=not self.air_gapped)
            limit = self._limits(endpoint) if self._limits and endpoint.kind == "openai" else None
            client = self._clients[name] = EndpointClient(endpoint, key, self._http, address, limit)
            client.adaptations = self._known_adaptations.get(name, client.adaptations)
        return client
