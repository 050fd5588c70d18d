"""Chat logs in the OpenAI style, under the name that they have always had: the `table` reader reads them."""

from __future__ import annotations

from collections.abc import Mapping

from tracejury.traces.contracts import Reader
from tracejury.traces.formats.table import Table


class Chat(Table):
    """The last user message is the question, the assistant's reply to it the trace."""

    name = "chat"
    summary = "OpenAI-style JSON lines: messages, reasoning_content, <think>; --map gold=..."


def chat(fields: Mapping[str, str] | None = None) -> Reader:
    """Make the `chat` reader; `fields` maps a field to the dotted path where a line has it."""
    return Chat(fields)
