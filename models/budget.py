"""A cap on what a run may spend."""

from __future__ import annotations

from dataclasses import dataclass

from tracejury.models.records import CallFailed, CallRecord, FailureReason, Price


@dataclass
class Budget:
    """Dollars and tokens that a run may spend; None: no cap. Calls in flight when the cap is reached are finished.

    A resumed run starts from what was spent before: give it as `spent_usd` and `spent_tokens`.
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

    @property
    def used_up(self) -> bool:
        """Whether the cap is reached: a run can stop asking for more steps."""
        usd = self.max_usd is not None and self.spent_usd >= self.max_usd
        return usd or (self.max_tokens is not None and self.spent_tokens >= self.max_tokens)
