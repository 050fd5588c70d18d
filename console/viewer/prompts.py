"""The rendered prompts of a deliberation's calls, from the ledger."""

from __future__ import annotations

from typing import NamedTuple

from tracejury.agents import Deliberation
from tracejury.ledger import Ledger
from tracejury.models import PromptMessage


class CallPrompt(NamedTuple):
    """The prompt of one call."""

    purpose: str
    """`judge:facts`, `resolver`, `repair:judge:facts`, ..."""
    messages: tuple[PromptMessage, ...]


def prompts_of(ledger: Ledger, deliberation: Deliberation) -> list[CallPrompt]:
    """Return the prompts of all calls of a deliberation, in their order; ledgers of earlier versions have none."""
    stored = ledger.prompts(deliberation.calls)
    return [CallPrompt(call.purpose, stored[call.id]) for call in deliberation.calls if call.id in stored]
