"""The way to a model for code of other packages: their own time stands still while a model call is under way."""

from __future__ import annotations

from typing import Any

from tracejury.traces import OwnTime


class ClockedAsk:
    """An `Ask`, and a `CheckerAsk` where it wraps one."""

    def __init__(self, ask: Any, clock: OwnTime) -> None:
        self._ask = ask
        self._clock = clock

    async def __call__(self, messages: Any, schema: Any) -> Any:
        """Ask; see `Ask`."""
        return await self._clock.waiting(self._ask(messages, schema))

    async def reply(self, messages: Any, schema: Any, letters: tuple[str, ...] = ()) -> Any:
        """Ask, and return the whole reply; see `CheckerAsk`."""
        return await self._clock.waiting(self._ask.reply(messages, schema, letters))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ask, name)
