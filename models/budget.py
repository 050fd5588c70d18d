"""A cap on what a run may spend."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tracejury.models.pricing import is_free
from tracejury.models.records import CallFailed, CallRecord, Endpoint, FailureReason, Price


@dataclass
class Budget:
    """Dollars and tokens that a run may spend; None: no cap. Calls in flight when the cap is reached are finished.

    A resumed run starts from what was spent before (`take_up`).
    """

    max_usd: float | None = None
    max_tokens: int | None = None
    spent_usd: float = 0.0
    spent_tokens: int = 0

    def check(self, price: Price | None, endpoint: str) -> None:
        """Refuse another call once the cap is reached.

        Args:
            price: Of the endpoint; None where calls cost nothing.
            endpoint: Its name.

        Raises:
            CallFailed: `budget`; or dollars are capped and nobody said what the endpoint costs.
        """
        if self.max_usd is not None:
            if price == Price():
                detail = f"a cap in dollars needs the price of endpoint {endpoint!r} in the panel (0.0 is given)"
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
        """See that a cap in dollars can be kept, before anything is asked.

        Raises:
            ValueError: An endpoint that may cost something has no price.
        """
        for endpoint in endpoints if self.max_usd is not None else ():
            if not is_free(endpoint) and endpoint.price == Price():
                name = endpoint.name
                raise ValueError(
                    f"a cap in dollars needs a price: give endpoint {name!r} one in the panel, or cap tokens"
                )

    def take_up(self, usd: float, tokens: int) -> None:
        """Count what was spent before."""
        self.spent_usd += usd
        self.spent_tokens += tokens

    @property
    def used_up(self) -> bool:
        """Whether the cap is reached: a run can stop asking for more steps."""
        usd = self.max_usd is not None and self.spent_usd >= self.max_usd
        return usd or (self.max_tokens is not None and self.spent_tokens >= self.max_tokens)
