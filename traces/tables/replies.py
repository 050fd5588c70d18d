"""A reply taken apart: the reasoning that is judged, and the closing words where they stand apart from it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from tracejury.traces.answer_cues import holds_one
from tracejury.traces.tables.json_values import json_in
from tracejury.traces.tables.names import REASONING, plain

_TAG = r"(?:[a-z]{1,12}[:_])?think(?:ing)?|thoughts?|reason(?:ing)?|analysis|scratchpad|reflection"
_OPEN = (
    rf"(?:<(?:{_TAG})>|\[THINK(?:ING)?\]|\u25c1think\u25b7|<\|begin_of_thought\|>|<\|START_THINKING\|>"
    r"|<unused94>(?:thought)?)"
)
_CLOSE = rf"(?:</(?:{_TAG})>|\[/THINK(?:ING)?\]|\u25c1/think\u25b7|<\|end_of_thought\|>|<\|END_THINKING\|>|<unused95>)"
_BLOCK = re.compile(rf"{_OPEN}(.*?)(?:{_CLOSE}|\Z)", re.DOTALL | re.IGNORECASE)
_OPENING, _CLOSING = re.compile(_OPEN, re.IGNORECASE), re.compile(_CLOSE, re.IGNORECASE)
_MARKS = re.compile(r"<\|(?:begin|end)_of_solution\|>|<\|(?:START|END)_RESPONSE\|>", re.IGNORECASE)
_HARMONY = re.compile(
    r"<\|channel\|>\s*(\w+)[^<]*<\|message\|>(.*?)(?=<\|(?:end|return|start|channel|call)\|>|\Z)", re.DOTALL
)
_HARMONY_BARE = re.compile(r"\A\s*analysis(?=\S)(.*?)assistantfinal(.*)\Z", re.DOTALL)
_MARK_SIGNS = ("<", "[", "\u25c1")
"""One of these stands in any content with marks."""
_FENCE = re.compile(r"\A```(?:json)?\s*\n(.*?)\n?```\Z", re.DOTALL | re.IGNORECASE)
_HEADED = re.compile(
    r"\A\s*(?:#{1,4}[ \t]*|\*\*)(?:thinking|reasoning)(?:\*\*)?[ \t]*:?\s*\n(.*?)"
    r"\n\s*(?:#{1,4}[ \t]*|\*\*)(?:final response|final answer|response|answer)(?:\*\*)?[ \t]*:?\s*\n(.*)\Z",
    re.DOTALL | re.IGNORECASE,
)


class Reply(NamedTuple):
    """A reply taken apart."""

    text: str
    """The reasoning; the whole reply where none stands apart."""
    final: str | None
    """The words after the reasoning; None where the reply is in one piece."""


def take_apart(content: str, reasoning: str | None = None) -> Reply:
    """Return the reasoning of a reply: what the server gave apart, what its own marks enclose, or the whole reply.

    Marks are think tags in their several spellings, the channels of the harmony format, and the headings
    "Thinking" and "Final Response". Some templates open a tag in the prompt: a reply may
    close one that it never opened.
    """
    if reasoning and reasoning.strip():
        return Reply(reasoning, content)
    if (structured := _structured(content)) is not None:
        return structured
    if "<|channel|>" in content:
        parts = [(channel.lower(), text.strip()) for channel, text in _HARMONY.findall(content)]
        thoughts = [text for channel, text in parts if channel != "final" and text]
        finals = [text for channel, text in parts if channel == "final" and text]
        return Reply("\n\n".join(thoughts), "\n\n".join(finals)) if thoughts else Reply("\n\n".join(finals), None)
    for pattern in (_HARMONY_BARE, _HEADED):
        if match := pattern.match(content):
            return Reply(match.group(1).strip(), match.group(2).strip())
    if not holds_one(content, _MARK_SIGNS):
        return Reply(content, None)
    if (closing := _CLOSING.search(content)) and not _OPENING.search(content, 0, closing.start()):
        content = f"<think>{content}"
    thoughts = [m.group(1).strip() for m in _BLOCK.finditer(content)]
    rest = _MARKS.sub("", _BLOCK.sub(" ", content)).strip()
    if any(thoughts):
        return Reply("\n\n".join(t for t in thoughts if t), rest)
    return Reply(rest if thoughts else content, None)


def _structured(content: str) -> Reply | None:
    """Return the parts of a reply that is a JSON object with a reasoning of its own; None for any other."""
    text = content.strip()
    if not text.startswith(("{", "```")):
        return None
    text = _FENCE.sub(r"\1", text)
    parts = json_in(text) if text.startswith("{") and text.endswith("}") else None
    if not isinstance(parts, dict):
        return None
    name = next((n for n in parts if plain(n) in (*REASONING, "explanation", "analysis", "steps")), None)
    value = parts.get(name or "")
    thought = "\n\n".join(map(str, value)) if isinstance(value, list) else value
    if not isinstance(thought, str) or not thought.strip():
        return None
    rest = [f"{n.replace('_', ' ')}: {v}" for n, v in parts.items() if n != name and isinstance(v, str | int | float)]
    return Reply(thought, "\n".join(rest) or None)


def plain_content(content: object) -> tuple[str, str | None]:
    """Return the text and the reasoning of a message's content: a string, or a list of parts.

    Of reasoning that its provider has redacted, the summary is what can be read.
    """
    if isinstance(content, str):
        return content, None
    parts = [p for p in content if isinstance(p, Mapping)] if isinstance(content, list) else []
    texts = [str(p["text"]) for p in parts if isinstance(p.get("text"), str) and p.get("thought") is not True]
    thoughts = [_thought(p) for p in parts]
    return "\n".join(texts), "\n\n".join(t for t in thoughts if t) or None


def message_reasoning(message: Mapping[str, object]) -> str | None:
    """Return the reasoning that a message has in a field of its own, under any of the names that servers use."""
    for name in ("reasoning_content", "reasoning", "thinking", "thoughts", "reasoning_text", "reasoning_details"):
        value = message.get(name)
        if isinstance(value, str) and value.strip():
            return value
        if isinstance(value, list):
            text = "\n\n".join(t for p in value if (t := p if isinstance(p, str) else _thought(p)))
            if text:
                return text
    return None


def reasoning_withheld(value: object, depth: int = 8) -> bool:
    """Whether some part of a row holds reasoning that its provider has encrypted or redacted."""
    if depth == 0:
        return False
    if isinstance(value, list):
        return any(reasoning_withheld(part, depth - 1) for part in value if isinstance(part, list | dict))
    if not isinstance(value, dict):
        return False
    if "type" in value or "redacted" in value:
        kind = str(value.get("type", ""))
        if kind in ("redacted_thinking", "reasoning.encrypted") or value.get("redacted") is True:
            return True
        if kind == "reasoning" and value.get("encrypted_content"):
            return True
    return any(reasoning_withheld(part, depth - 1) for part in value.values() if isinstance(part, list | dict))


def _thought(part: object) -> str:
    if not isinstance(part, Mapping):
        return ""
    if part.get("thought") is True:
        return str(part.get("text") or "")
    if part.get("redacted") is True:
        return str(part.get("summary") or "")
    text = part.get("reasoning") or part.get("thinking")
    if not text and str(part.get("type", "")).startswith("reasoning"):
        text = part.get("text") or part.get("summary") or part.get("content")
    if isinstance(text, list):
        return "\n\n".join(str(t.get("text") or "") for t in text if isinstance(t, Mapping))
    return str(text or "")
