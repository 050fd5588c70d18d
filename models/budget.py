"""A cap on what a run may spend."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tracejury.models.pricing import is_free, price_of
from tracejury.models.records import CallFailed, CallRecord, Endpoint, FailureReason, Price


@dataclass
class Budget:
    """Dollars and tokens that a run may spend; None: no cap. Calls in flight when the cap is reached are completed.

    A resumed run starts from its earlier spending (`add_earlier`).
    """

    max_usd: float | None = None
    max_tokens: int | None = None
    spent_usd: float = 0.0
    spent_tokens: int = 0

    def check(self, price: Price | None, endpoint: str) -> None:
        """Refuse another call once the cap is reached.

        Args:
            price: The price of the endpoint; None: calls cost nothing.
            endpoint: The name of the endpoint.

        Raises:
            CallFailed: `budget`: the cap is reached, or dollars are capped and the endpoint has no price.
        """
        if self.max_usd is not None:
            if price == Price():
                detail = f"a cap in dollars needs the price of endpoint {endpoint!r}, and the panel says 0.0"
                raise CallFailed(FailureReason.BUDGET, detail)
            if self.spent_usd >= self.max_usd:
                detail = f"{self.spent_usd:.4f} of {self.max_usd:.4f} US dollars are spent"
                raise CallFailed(FailureReason.BUDGET, detail)
        if self.max_tokens is not None and self.spent_tokens >= self.max_tokens:
            raise CallFailed(FailureReason.BUDGET, f"{self.spent_tokens} of {self.max_tokens} tokens are spent")

    def add(self, call: CallRecord) -> None:
        """Count a call."""
        self.spent_usd += call.cost_usd
        self.spent_tokens += call.prompt_tokens + call.completion_tokens

    def check_prices(self, endpoints: Iterable[Endpoint]) -> None:
        """Check before the first call that a cap in dollars can be kept.

        Raises:
            ValueError: An endpoint that may cost something has no price.
        """
        for endpoint in endpoints if self.max_usd is not None else ():
            if not is_free(endpoint) and price_of(endpoint) == Price():
                name = endpoint.name
                raise ValueError(
                    f"a cap in dollars needs a price: give endpoint {name!r} one in the panel, or cap tokens"
                )

    def add_earlier(self, usd: float, tokens: int) -> None:
        """Count the spending of earlier invocations of the run."""
        self.spent_usd += usd
        self.spent_tokens += tokens

    @property
    def used_up(self) -> bool:
        """Whether the cap is reached, so that a run can stop."""
        usd = self.max_usd is not None and self.spent_usd >= self.max_usd
        return usd or (self.max_tokens is not None and self.spent_tokens >= self.max_tokens)
