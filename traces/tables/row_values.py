"""Replies, steps, texts and counts, from values of any type."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tracejury.traces.tables.conversations import ChatReply, exchange_in
from tracejury.traces.tables.names import REPLY, plain
from tracejury.traces.tables.replies import Reply, take_apart


def replies_in(value: object, final: str | None) -> Iterator[ChatReply]:
    """Yield the replies in a field: its text, or one for each element of a list."""
    if isinstance(value, list):
        flat = [part for element in value for part in (element if isinstance(element, list) else [element])]
        for number, part in enumerate(flat):
            if isinstance(part, Mapping):
                exchange = exchange_in(part)
                text = next((part[n] for n in part if plain(str(n)) in REPLY and isinstance(part[n], str)), None)
                reply = exchange.replies[0].reply if exchange and exchange.replies else take_apart(text or "")
                reason, model = as_text(part.get("finish_reason")), as_text(part.get("model"))
                # The replies of several models are draws of each: a table numbers them.
                yield ChatReply(reply, reason, None if model else number, model)
            else:
                yield ChatReply(take_apart(as_text(part) or ""), sample=number)
        return
    text = as_text(value) or ""
    if final is not None:
        yield ChatReply(Reply(text, final) if text.strip() else take_apart(final))
    else:
        yield ChatReply(take_apart(text))


def arm_replies(value: object) -> Iterator[ChatReply]:
    """Yield the reply of an arm's column: a text, or the last message of a conversation."""
    exchange = exchange_in({"messages": value}) if isinstance(value, list) else None
    yield exchange.replies[0] if exchange and exchange.replies else ChatReply(take_apart(as_text(value) or ""))


def step_texts(value: object) -> list[str]:
    """Return the texts of a list of steps, which may be objects; empty ones are left out."""
    steps = value if isinstance(value, list) else []
    texts = [
        next((s[n] for n in ("text", "content", "step", "statement") if n in s), "") if isinstance(s, Mapping) else s
        for s in steps
    ]
    return [str(text) for text in texts if text is not None and str(text).strip()]


def as_text(value: object) -> str | None:
    """Return a value as text; None for null. Numbers that are whole have no fraction."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def as_count(value: object) -> int | None:
    """Return a whole number from 0 on, or None."""
    if value is None:
        return None
    text = as_text(value)
    return int(text) if text is not None and text.isdecimal() else None
