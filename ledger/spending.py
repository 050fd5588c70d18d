"""What a run's calls cost, by what they were made for."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import func, select

from tracejury.ledger.reader import LedgerReading
from tracejury.ledger.runs import Run
from tracejury.models import CALL_TABLES


class PurposeSpending(NamedTuple):
    """Calls that a run paid for, of one purpose."""

    purpose: str
    """`judge:facts`, `resolver`, `repair:judge:facts`, ..."""
    model: str
    calls: int
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    cost_usd: float


def spending_by_purpose(ledger: LedgerReading, run: Run) -> list[PurposeSpending]:
    """Return what a run paid for by purpose and model, the dearest first; replies from the cache cost nothing."""
    call, paid = CALL_TABLES.tables["model_call"].c, CALL_TABLES.tables["model_paid"].c
    sums = [func.sum(column) for column in (call.prompt_tokens, call.cached_tokens, call.completion_tokens)]
    cost = func.sum(call.cost_usd)
    query = (
        select(call.purpose, call.model, func.count(), *sums, cost)
        .join(CALL_TABLES.tables["model_paid"], paid.call_id == call.id)
        .where(paid.run_id == run.id)
        .group_by(call.purpose, call.model)
        .order_by(cost.desc(), call.purpose, call.model)
    )
    with ledger.engine.connect() as connection:
        return [PurposeSpending(*row) for row in connection.execute(query)]
