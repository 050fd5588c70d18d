"""The attempts of one call: slot, pace, circuit breaker, timeout, hedge, retries."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Generic, NamedTuple, TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, wait_random_exponential

from tracejury.models.breaker import Breaker
from tracejury.models.failures import Fault, NoAnswerError, fault_of
from tracejury.models.limits import Limit
from tracejury.models.records import Endpoint, FailureReason
from tracejury.models.waits import report_wait

Result = TypeVar("Result")

# Full jitter: calls that failed together come back at different moments.
_backoff = wait_random_exponential(multiplier=1.0, max=60.0)


class Sent(NamedTuple, Generic[Result]):
    """The result of a call."""

    result: Result
    requests: int
    """Requests that were sent for it."""


class RetryingCall(Generic[Result]):
    """Sends a request until there is a result, attempts or deadline run out, or the endpoint refuses for good.

    The deadline counts attempts, pauses and outages. It does not count the wait for a slot or for the pace: with one
    slot and a thousand steps to go, that wait says nothing about the endpoint.

    Args:
        endpoint: The endpoint, with its timeouts and its number of attempts.
        limiter: Its slots and its pace.
        breaker: Its circuit breaker.
        send: Sends one request.
        tokens: The estimated tokens of the call, for the limit of tokens a minute.
        check: Called right before each request; an exception from it ends the call.
        observe: Called with the fault of each request, or with None for a result.
        is_alone: No other call is sent meanwhile, so its result says nothing about the rate that the endpoint takes.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        limiter: Limit,
        breaker: Breaker,
        send: Callable[[], Awaitable[Result]],
        *,
        tokens: int = 0,
        check: Callable[[], None] = lambda: None,
        observe: Callable[[Fault | None], None] = lambda fault: None,
        is_alone: bool = False,
    ) -> None:
        self.endpoint = endpoint
        self.limiter = limiter
        self.breaker = breaker
        self._send_once = send
        self._tokens = tokens
        self._check = check
        self._observe = observe
        self._is_alone = is_alone
        self._spent = 0.0
        self._attempts = 0
        self._requests = 0
        self._last: Fault | None = None

    async def run(self) -> Sent[Result]:
        """Return the result.

        Raises:
            NoAnswerError: There is none; it has the reason.
            CancelledError: The call was cancelled; it ends at once, wherever it waits.
        """
        retrying = AsyncRetrying(
            retry=retry_if_exception(self._is_transient),
            stop=self._is_over,
            wait=self._pause,
            sleep=self._sleep,
            reraise=True,
        )
        try:
            return Sent(await retrying(self._attempt), self._requests)
        except NoAnswerError:
            raise
        except Exception as error:
            fault = fault_of(error)
            if fault is None:
                raise
            if fault.retry_after is not None and self._spent + fault.retry_after > self.endpoint.deadline_s:
                deadline = f"longer than the deadline of {self.endpoint.deadline_s:g} s"
                asks = f"it asks to wait {fault.retry_after:.0f} s, {deadline}"
                fault = fault._replace(detail=f"{fault.detail} ({asks})")
            after = f" (after {self._requests} attempts, {self._spent:.1f} s)" if fault.transient else ""
            raise NoAnswerError(fault.reason, fault.detail + after, self._requests, fault) from error

    async def _attempt(self) -> Result:
        probe, entered = await self._enter()
        # A probe does not count as an attempt: a long outage would use up the attempts of the probing call.
        self._attempts += not probe
        fault = self._last = None
        succeeded = False
        try:
            self._check()
            result = await self._hedged(min(self.endpoint.timeout_s, max(0.1, self.endpoint.deadline_s - self._spent)))
            succeeded = True
            return result
        except Exception as error:
            fault = self._last = self._fault_of(error)
            if fault is not None and fault.at_once:
                self._attempts -= 1
            raise
        finally:
            self._spent += time.monotonic() - entered
            self._leave(entered, succeeded and not self._is_alone, fault)
            if succeeded or fault is not None:
                self.breaker.record(fault is not None and fault.down, probe)
                self._observe(fault)
            elif probe:
                self.breaker.abandon()

    def _leave(self, entered: float, succeeded: bool, fault: Fault | None) -> None:
        overloaded = fault is not None and fault.overload
        retry_after = fault.retry_after if fault is not None else None
        if retry_after is not None:
            # The endpoint is closed for other calls too, but never longer than one of them may take.
            retry_after = min(retry_after, self.endpoint.deadline_s)
        self.limiter.leave(entered, succeeded, overloaded, retry_after)

    def _fault_of(self, error: Exception) -> Fault | None:
        fault = fault_of(error)
        if fault is not None and isinstance(error, TimeoutError):
            return fault._replace(detail=f"no answer within {self.endpoint.timeout_s:g} s")
        return fault

    async def _enter(self) -> tuple[bool, float]:
        """Wait until the endpoint is up and has a slot; return whether this is a probe, and the time of entry."""
        while True:
            probe = await self._wait_for_breaker()
            try:
                entered = await self.limiter.enter(self._tokens)
            except BaseException:
                if probe:
                    self.breaker.abandon()
                raise
            if probe or self.breaker.opened is None:
                return probe, entered
            # The endpoint went down while the call waited for its slot.
            self.limiter.leave(entered, succeeded=False)

    async def _wait_for_breaker(self) -> bool:
        if self.breaker.opened is None:
            return False
        started = time.monotonic()
        left = self.endpoint.deadline_s - self._spent
        reason = f"it does not answer ({self._last.detail})" if self._last else "it does not answer"
        report_wait(self.endpoint.name, reason, left)
        try:
            return await self.breaker.wait_for_turn(left)
        except TimeoutError:
            down = time.monotonic() - (self.breaker.opened or started)
            detail = f"{self.endpoint.name} has been down for {down:.0f} s, longer than the deadline of a call"
            raise NoAnswerError(FailureReason.UNAVAILABLE, detail, self._requests) from None
        finally:
            self._spent += time.monotonic() - started

    async def _hedged(self, timeout_s: float) -> Result:
        after = self.endpoint.hedge_after_s
        async with asyncio.timeout(timeout_s):
            if after is None:
                return await self._send()
            first = asyncio.create_task(self._send())
            racing = {first}
            try:
                finished, _ = await asyncio.wait(racing, timeout=after)
                if not finished and self.limiter.has_room:
                    racing.add(asyncio.create_task(self._hedge()))
                while True:
                    finished, pending = await asyncio.wait(racing, return_when=asyncio.FIRST_COMPLETED)
                    succeeded = next((task for task in finished if task.exception() is None), None)
                    if succeeded is not None:
                        return succeeded.result()
                    if not pending:
                        return first.result()
                    racing = pending
            finally:
                for task in racing:
                    task.cancel()
                await asyncio.gather(*racing, return_exceptions=True)

    async def _hedge(self) -> Result:
        """Send the request once more; for limits and caps it is a call of its own."""
        entered = await self.limiter.enter(self._tokens)
        fault = None
        try:
            self._check()
            return await self._send()
        except Exception as error:
            fault = fault_of(error)
            raise
        finally:
            # The reply is counted once, by the call itself.
            self._leave(entered, False, fault)

    async def _send(self) -> Result:
        self._requests += 1
        return await self._send_once()

    def _is_transient(self, error: BaseException) -> bool:
        # A cancellation is no Exception, and ends the call whatever the last attempt ended in.
        is_fault = isinstance(error, Exception) and not isinstance(error, NoAnswerError)
        return is_fault and self._last is not None and self._last.transient

    def _is_over(self, state: RetryCallState) -> bool:
        return (
            self._attempts >= self.endpoint.max_attempts
            or self._spent + state.upcoming_sleep > self.endpoint.deadline_s
        )

    def _pause(self, state: RetryCallState) -> float:
        if self._last is not None and self._last.at_once:
            return 0.0
        retry_after = self._last.retry_after if self._last else None
        return _backoff(state) if retry_after is None else retry_after + 0.1 * _backoff(state)

    async def _sleep(self, seconds: float) -> None:
        detail = self._last.detail if self._last else "the last attempt failed"
        report_wait(self.endpoint.name, detail, seconds)
        self._spent += seconds
        await asyncio.sleep(seconds)
