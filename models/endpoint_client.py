"""The client of one model at one address, with its limits, its retries and what it has learnt about the endpoint."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import SecretStr

from tracejury.models.adaptations import Adaptations, adapt
from tracejury.models.breaker import Breaker
from tracejury.models.completions import Completion, OtherRequestError
from tracejury.models.failures import AdaptedError, Fault, NoAnswerError, fault_of, refusal_body
from tracejury.models.limits import Limit, Limiter
from tracejury.models.proving import FirstReply
from tracejury.models.records import Endpoint, FailureReason
from tracejury.models.refusals import RefusalCounter, hopeless_of, is_about_endpoint
from tracejury.models.request_body import ChatBody
from tracejury.models.retrying_call import RetryingCall
from tracejury.models.waits import log

if TYPE_CHECKING:
    import openai

    from tracejury.models.chat import DirectChat

LIST_MODELS_S = 5.0


class Answer(NamedTuple):
    """A completion, and how it was had."""

    completion: Completion
    latency_s: float = 0.0
    attempts: int = 1


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
        self.limiter.name = endpoint.name
        self.breaker = Breaker()
        # Covers calls in flight and replies that wait for their commit.
        self.places = asyncio.Semaphore(2 * ceiling)
        self.adaptations = Adaptations()
        """How requests differ from the panel, because the endpoint refused what the panel says."""
        self.refusals = RefusalCounter(endpoint)
        self.first_reply = FirstReply()
        self.replies_mixed_up = 0
        """Responses that were the reply to another request; each was asked for again."""
        self._key = key
        self._http = http
        self._address = address
        self._model: tuple[str, DirectChat] | None = None

    async def chat(
        self,
        body_for: Callable[[Adaptations], ChatBody],
        *,
        tokens: int = 0,
        check: Callable[[], None] = lambda: None,
        endpoint: Endpoint | None = None,
    ) -> Answer:
        """Send a request until there is a reply, attempts or deadline run out, or the endpoint refuses.

        Args:
            body_for: Returns the request's body for what the endpoint takes.
            tokens: The estimated tokens of prompt and reply, for the limit of tokens a minute.
            check: Called right before each request; an exception from it ends the call.
            endpoint: The endpoint with other timeouts and attempts; None: as the client's.

        Raises:
            NoAnswerError: There is no reply; it has the reason.
        """

        async def send() -> Answer:
            return await self._send(body_for)

        def check_all() -> None:
            self.check_hopeless()
            check()

        self.check_hopeless()
        async with self.first_reply.turn() as is_alone:
            call = RetryingCall(
                endpoint or self.endpoint,
                self.limiter,
                self.breaker,
                send,
                tokens=tokens,
                check=check_all,
                observe=self._observe,
                is_alone=is_alone,
            )
            try:
                answer, requests = await call.run()
            except NoAnswerError as failed:
                raise self._with_remedy(failed) from failed
        return answer._replace(attempts=requests)

    def _with_remedy(self, failed: NoAnswerError) -> NoAnswerError:
        """Return the failure with the line of the panel that mends it, where it is about the whole endpoint."""
        if failed.fault is None or failed.reason is not FailureReason.REFUSED or not is_about_endpoint(failed.fault):
            return failed
        hopeless = hopeless_of(self.endpoint, failed.fault)
        return NoAnswerError(failed.reason, f"{failed.detail}. {hopeless.remedy}", failed.attempts, failed.fault)

    async def embed(self, texts: list[str], model: str) -> list[list[float]]:
        """Return one vector per text.

        Raises:
            NoAnswerError: There is no reply; it has the reason.
        """

        async def send() -> list[list[float]]:
            reply = await (await self.client()).embeddings.create(input=texts, model=model)
            return [item.embedding for item in sorted(reply.data, key=lambda item: item.index)]

        tokens = sum(len(text) for text in texts) // 4
        return (await RetryingCall(self.endpoint, self.limiter, self.breaker, send, tokens=tokens).run()).result

    def check_hopeless(self) -> None:
        """Raise where the endpoint has refused call after call.

        Raises:
            NoAnswerError: `refused`, with the reason and the remedy.
        """
        if self.refusals.hopeless is not None:
            raise NoAnswerError(FailureReason.REFUSED, str(self.refusals.hopeless), 0)

    async def list_models(self) -> tuple[str, ...]:
        """Return the names of the models that the server lists; none where it does not answer at once."""
        import openai

        try:
            async with asyncio.timeout(LIST_MODELS_S):
                page = await (await self.client()).models.list()
                return tuple(str(model.id) for model in page.data)
        except (openai.OpenAIError, TimeoutError, ValueError, TypeError, AttributeError):
            return ()

    @property
    def name(self) -> str:
        """Model and address; an unfinished batch of an earlier run is found by it."""
        return f"{self.endpoint.model} at {self.endpoint.base_url or 'OpenAI'}"

    async def client(self) -> openai.AsyncOpenAI:
        """Return the underlying OpenAI client."""
        client: openai.AsyncOpenAI = (await self._chat_model()).root_async_client
        return client

    async def _send(self, body_for: Callable[[Adaptations], ChatBody]) -> Answer:
        """Send one request; a refusal that can be avoided changes the next one."""
        import openai

        model = await self._chat_model()
        adaptations = self.adaptations
        body = body_for(adaptations)
        started = time.monotonic()
        try:
            return Answer(await model.send(body), time.monotonic() - started)
        except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
            self._adapt(adaptations, body, error)
            raise
        except OtherRequestError:
            if not self.replies_mixed_up:
                log.warning(
                    "endpoint %s answered a request with the reply to another one; it is asked again, and what else it "
                    "mixes up may go unnoticed",
                    self.endpoint.name,
                )
            self.replies_mixed_up += 1
            raise

    def _adapt(self, adaptations: Adaptations, body: ChatBody, error: openai.APIStatusError) -> None:
        """Raise `AdaptedError` if the next request can avoid the refusal."""
        fault = fault_of(error)
        if fault is None or fault.reason is not FailureReason.REFUSED:
            return
        adapted = adapt(adaptations, self.endpoint, body.fields, refusal_body(error))
        if adapted is None:
            return
        # Another call in flight may have learnt the same, or something else.
        if self.adaptations is adaptations:
            self.adaptations = adapted
            difference = set(adapted.lines(self.endpoint)) - set(adaptations.lines(self.endpoint))
            log.info(
                "endpoint %s refused a part of the request; from now on: %s", self.endpoint.name, "; ".join(difference)
            )
        raise AdaptedError(fault.detail) from error

    def _observe(self, fault: Fault | None) -> None:
        self.refusals.record(fault)
        is_refused = fault is not None and (fault.at_once or fault.reason is FailureReason.REFUSED)
        if not is_refused:
            self.first_reply.record()

    async def _chat_model(self) -> DirectChat:
        address = await self._address()
        if self._model is None or self._model[0] != address:
            self._model = (address, _chat_model(self.endpoint, address, self._key, self._http))
        return self._model[1]


def _chat_model(endpoint: Endpoint, address: str, key: str | None, http: Any) -> DirectChat:
    from tracejury.models.chat import DirectChat

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


def shared_client(trust_env: bool) -> Any:
    """Return the HTTP client that all endpoints share; without `trust_env` it uses no proxy of the environment."""
    import openai

    # A mount of None is a direct connection: loopback must not go through a proxy of the environment.
    direct = {f"all://{host}": None for host in ("127.0.0.1", "localhost", "[::1]")}
    return openai.DefaultAioHttpClient(trust_env=trust_env, mounts=direct)
