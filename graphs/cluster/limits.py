"""The shared limits of a run on Ray: one actor with the book of every endpoint."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from tracejury.models import Endpoint, LeaseBook, LeasedLimiter, LimitBounds, LimitGrant, LimitReport

Settle = Callable[[str, LimitBounds, LimitReport], Awaitable[LimitGrant]]


REPORT_WAIT_S = 3.0
"""TraceSink that were lost with their process lend nothing for so long, until they have heard who holds what."""


class SharedLimits:
    """Keeps the books; see tracejury.models.leases. The body of an actor."""

    def __init__(self) -> None:
        import ray

        self._closed_s = REPORT_WAIT_S if ray.get_runtime_context().was_current_actor_reconstructed else 0.0
        self._books: dict[str, LeaseBook] = {}

    async def settle(self, lane: str, bounds: LimitBounds, report: LimitReport) -> LimitGrant:
        """Take a worker's report about an endpoint, and say what it may do."""
        if lane not in self._books:
            self._books[lane] = LeaseBook(bounds, self._closed_s)
        return self._books[lane].settle(report)

    async def forget(self, holder: str) -> None:
        """Take back all slots of a worker that is dead."""
        for book in self._books.values():
            book.forget(holder)

    async def windows(self) -> dict[str, tuple[float, float | None]]:
        """Return by endpoint the calls at once and the pace a second that it was found to bear."""
        return {lane: (book.limiter.window, book.limiter.per_second) for lane, book in self._books.items()}


def leased(endpoint: Endpoint, holder: str, settle: Settle) -> LeasedLimiter:
    """Return a worker's part of an endpoint's limit."""
    # As lanes are told apart in the gateway: endpoints that name the same model at the same address share one.
    lane = f"{endpoint.model} at {endpoint.base_url or 'OpenAI'} with {endpoint.api_key_env or 'no key'}"
    bounds = LimitBounds(endpoint.max_concurrency, endpoint.requests_per_minute, endpoint.tokens_per_minute)
    return LeasedLimiter(holder, lambda report: settle(lane, bounds, report))
