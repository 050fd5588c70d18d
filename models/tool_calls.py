"""Calls of tools in a reply: how they are read from a message, and how the record of a call keeps them as text."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from tracejury.models.records import ToolCall

_MOST_CALLS = 16
"""More calls in one reply than any judge may make."""


def tool_calls_of(message: Mapping[str, Any]) -> tuple[ToolCall, ...]:
    """Return the calls of a message of the chat API; what has no name is none."""
    calls = message.get("tool_calls")
    rows = [c for c in calls if isinstance(c, Mapping)] if isinstance(calls, list) else []
    read = []
    for number, row in enumerate(rows[:_MOST_CALLS]):
        function = row.get("function")
        if isinstance(function, Mapping) and isinstance(name := function.get("name"), str):
            arguments = function.get("arguments")
            text = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
            identity = row.get("id")
            read.append(
                ToolCall(id=identity if isinstance(identity, str) else f"call_{number}", name=name, arguments=text)
            )
    return tuple(read)


def as_text(calls: Collection[ToolCall]) -> str:
    """Return calls as the text that a call record keeps; `read_tool_calls` reads it."""
    return json.dumps({"tool_calls": [call.model_dump() for call in calls]}, ensure_ascii=False)


def read_tool_calls(raw: str, names: Collection[str]) -> tuple[ToolCall, ...]:
    """Return the calls of these tools in the stored text of a reply; none: it is an answer."""
    if not raw.startswith('{"tool_calls": '):
        return ()
    calls = (ToolCall.model_validate(row) for row in json.loads(raw)["tool_calls"])
    return tuple(call for call in calls if call.name in names)
