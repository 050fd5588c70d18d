"""The shared limits of a run on Ray: one actor with a lease book for every endpoint."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from tracejury.models import Endpoint, LeaseBook, LeasedLimiter, LimitBounds, LimitGrant, LimitReport

Settle = Callable[[str, LimitBounds, LimitReport], Awaitable[LimitGrant]]


REPORT_WAIT_S = 3.0
"""A restarted limits actor grants nothing for this long, until the workers have reported the slots that they hold."""


class SharedLimits:
    """Keeps one lease book per endpoint; see tracejury.models.leases. The body of an actor."""

    def __init__(self) -> None:
        import ray

        self._closed_s = REPORT_WAIT_S if ray.get_runtime_context().was_current_actor_reconstructed else 0.0
        self._books: dict[str, LeaseBook] = {}

    async def settle(self, endpoint_key: str, bounds: LimitBounds, report: LimitReport) -> LimitGrant:
        """Take a worker's report about an endpoint, and return what it may do."""
        if endpoint_key not in self._books:
            self._books[endpoint_key] = LeaseBook(bounds, self._closed_s)
        return self._books[endpoint_key].settle(report)

    async def forget(self, holder: str) -> None:
        """Release all slots of a dead worker."""
        for book in self._books.values():
            book.forget(holder)

    async def windows(self) -> dict[str, tuple[float, float | None]]:
        """Return for each endpoint the concurrency and the rate per second that the limiter has reached."""
        return {
            endpoint_key: (book.limiter.window, book.limiter.per_second) for endpoint_key, book in self._books.items()
        }


def leased(endpoint: Endpoint, holder: str, settle: Settle) -> LeasedLimiter:
    """Return a worker's share of an endpoint's limit."""
    # As in the gateway, endpoints that name the same model at the same address share one limit.
    endpoint_key = f"{endpoint.model} at {endpoint.base_url or 'OpenAI'} with {endpoint.api_key_env or 'no key'}"
    bounds = LimitBounds(endpoint.max_concurrency, endpoint.requests_per_minute, endpoint.tokens_per_minute)
    return LeasedLimiter(holder, lambda report: settle(endpoint_key, bounds, report))
