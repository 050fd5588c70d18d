"""The attempts of one call: slot, pace, circuit breaker, timeout, hedge, retries."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, wait_random_exponential

from tracejury.models.breaker import Breaker
from tracejury.models.failures import Fault, NoAnswerError, fault_of
from tracejury.models.limits import Limit
from tracejury.models.records import Endpoint, FailureReason

T = TypeVar("T")

# Full jitter: calls that failed together come back at different moments.
_backoff = wait_random_exponential(multiplier=1.0, max=60.0)


class RetryingCall(Generic[T]):
    """Sends a request until there is a reply, attempts or deadline run out, or the endpoint refuses for good.

    The deadline counts attempts, pauses and outages. It does not count the wait for a slot or for the pace: with one
    slot and a thousand steps to go, that wait says nothing about the endpoint.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        limiter: Limit,
        breaker: Breaker,
        attempt: Callable[[], Awaitable[T]],
        tokens: int,
        gate: Callable[[], None] | None = None,
    ) -> None:
        self.endpoint = endpoint
        self.limiter = limiter
        self.breaker = breaker
        self._attempt = attempt
        self._tokens = tokens
        self._gate = gate
        self._spent = 0.0
        self._attempts = 0
        self._requests = 0
        self._last: Fault | None = None

    async def run(self) -> tuple[T, int, float]:
        """Return the reply, the number of requests for it, and the seconds that all of it took.

        Raises:
            NoAnswerError: With the reason.
        """
        retrying = AsyncRetrying(
            retry=retry_if_exception(self._is_transient),
            stop=self._is_over,
            wait=self._pause,
            sleep=self._sleep,
            reraise=True,
        )
        try:
            return await retrying(self._once), self._requests, self._spent
        except NoAnswerError:
            raise
        except Exception as error:
            fault = fault_of(error)
            if fault is None:
                raise
            after = f" (after {self._requests} attempts, {self._spent:.1f} s)" if fault.transient else ""
            raise NoAnswerError(fault.reason, fault.detail + after, self._requests) from error

    async def _once(self) -> T:
        probe, entered = await self._enter()
        # A probe does not count as an attempt: a long outage would use up the attempts of the probing call.
        self._attempts += not probe
        fault = self._last = None
        succeeded = False
        try:
            if self._gate is not None:
                self._gate()
            reply = await self._hedged(min(self.endpoint.timeout_s, max(0.1, self.endpoint.deadline_s - self._spent)))
            succeeded = True
            return reply
        except Exception as error:
            fault = self._last = fault_of(error)
            raise
        finally:
            self._spent += time.monotonic() - entered
            overloaded = fault is not None and fault.overload
            self.limiter.leave(entered, succeeded, overloaded, fault.retry_after if fault else None)
            if succeeded or fault is not None:
                self.breaker.record(fault is not None and fault.down, probe)
            elif probe:
                self.breaker.abandon()

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
        try:
            return await self.breaker.wait_for_turn(self.endpoint.deadline_s - self._spent)
        except TimeoutError:
            down = time.monotonic() - (self.breaker.opened or started)
            detail = f"{self.endpoint.name} has been down for {down:.0f} s, longer than the deadline of a call"
            raise NoAnswerError(FailureReason.UNAVAILABLE, detail, self._requests) from None
        finally:
            self._spent += time.monotonic() - started

    async def _hedged(self, timeout_s: float) -> T:
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

    async def _hedge(self) -> T:
        """Send the request once more; for limits and caps it is a call of its own."""
        entered = await self.limiter.enter(self._tokens)
        fault = None
        try:
            if self._gate is not None:
                self._gate()
            return await self._send()
        except Exception as error:
            fault = fault_of(error)
            raise
        finally:
            # The reply is counted once, by the call itself.
            overloaded = fault is not None and fault.overload
            self.limiter.leave(entered, False, overloaded, fault.retry_after if fault else None)

    async def _send(self) -> T:
        self._requests += 1
        return await self._attempt()

    def _is_transient(self, error: BaseException) -> bool:
        return self._last is not None and self._last.transient and not isinstance(error, NoAnswerError)

    def _is_over(self, state: RetryCallState) -> bool:
        return (
            self._attempts >= self.endpoint.max_attempts
            or self._spent + state.upcoming_sleep > self.endpoint.deadline_s
        )

    def _pause(self, state: RetryCallState) -> float:
        retry_after = self._last.retry_after if self._last else None
        return _backoff(state) if retry_after is None else retry_after + 0.1 * _backoff(state)

    async def _sleep(self, seconds: float) -> None:
        self._spent += seconds
        await asyncio.sleep(seconds)
