"""The JSON object in a reply's text: without the model's thinking, out of code fences, prose and wrappers."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from typing import Any

_HARMONY_FINAL = re.compile(r"<\|channel\|>\s*final\b[^<]*<\|message\|>")
_HARMONY_END = re.compile(r"<\|(?:end|return|call)\|>")
_TAGS = r"(?:think|thinking|thought|reasoning)"
_THINKING_START = re.compile(rf"<{_TAGS}\b[^>]*>|\[THINK\]", re.IGNORECASE)
_THINKING_END = re.compile(rf"</{_TAGS}\s*>|\[/THINK\]", re.IGNORECASE)
_TRAILING_COMMA = re.compile(r",(\s*[}\]])")
_OPENING = re.compile(r"[{\[]")
_CURLY_QUOTES = str.maketrans({"\u201c": '"', "\u201d": '"', "\u201e": '"'})
# JSON escapes of half a surrogate pair or of NUL, which neither a validator nor a database takes.
_UNSTORABLE_ESCAPE = re.compile(
    r"\\u0000|\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2}"
)
_MOST_VALUES = 1000
_MOST_MENDED = 5
_MENDED_CHARS = 50_000
_LABEL = "label"


def _one_label(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object without its label where it has several that differ: which of them is meant nobody can say."""
    value = dict(pairs)
    if any(key == _LABEL and other != value[_LABEL] for key, other in pairs):
        del value[_LABEL]
    return value


_decoder = json.JSONDecoder(strict=False, object_pairs_hook=_one_label)


def may_repeat_label(text: str) -> bool:
    """Whether a label may stand twice in one object, of which a JSON parser would keep the last in silence."""
    return text.count(f'"{_LABEL}"') > 1


def without_thinking(text: str) -> str:
    """Return the reply without the model's thinking, in the notations of current models.

    An opening mark may be absent: chat templates that open the block in the prompt leave only its end in the reply.
    """
    final = list(_HARMONY_FINAL.finditer(text))
    if final:
        return _HARMONY_END.split(text[final[-1].end() :], maxsplit=1)[0]
    ends = list(_THINKING_END.finditer(text))
    return text[ends[-1].end() :] if ends else text


def is_unfinished_thinking(text: str) -> bool:
    """Whether the reply ends inside the model's thinking."""
    if "<|channel|>analysis" in text:
        return not _HARMONY_FINAL.search(text)
    return bool(_THINKING_START.match(without_thinking(text).lstrip()))


def storable_escapes(text: str) -> str:
    """Return JSON text with a replacement character for each escape that cannot be stored."""
    return _UNSTORABLE_ESCAPE.sub(r"\\ufffd", text) if "\\u" in text else text


def objects_in(text: str) -> Iterator[dict[str, Any]]:
    """Yield the JSON objects of a reply, the last one first: a model that corrects itself ends with its final answer.

    An object inside a list, a JSON string or a wrapper with one key is yielded too, after the value that holds it.
    Nothing is read out of the model's thinking.
    """
    answer = without_thinking(text)
    if _OPENING.search(answer) is None and (start := _THINKING_START.search(text)):
        answer = text[: start.start()]
    if is_unfinished_thinking(answer):
        return
    answer = answer.strip("\ufeff\u00a0 \r\n\t")
    values = list(_values(answer)) or list(_values(answer.translate(_CURLY_QUOTES)))
    for value in reversed(values):
        yield from _objects(value, depth=3)


def _objects(value: object, depth: int) -> Iterator[dict[str, Any]]:
    if depth == 0:
        return
    if isinstance(value, str) and "{" in value:
        for inner in reversed(list(_values(value))):
            yield from _objects(inner, depth - 1)
    elif isinstance(value, list):
        for item in reversed(value):
            yield from _objects(item, depth - 1)
    elif isinstance(value, dict):
        yield value
        if len(value) == 1:
            yield from _objects(next(iter(value.values())), depth - 1)


def _values(text: str) -> Iterator[object]:
    """Yield the outermost JSON values in `text` that can hold an object, in order."""
    if text.startswith('"') and isinstance(whole := _decoded(text), str):
        yield whole
        return
    position = mended = 0
    for _ in range(_MOST_VALUES):
        match = _OPENING.search(text, position)
        if match is None:
            return
        try:
            value, position = _decoder.raw_decode(text, match.start())
        except (ValueError, RecursionError):
            position = match.start() + 1
            if match[0] == "[" or mended == _MOST_MENDED:
                continue
            mended += 1
            end = text.rfind("}") + 1
            value = _mended(text[match.start() : end])
            if value is None:
                continue
            position = end
        if isinstance(value, list) and not any(isinstance(item, (dict, list, str)) for item in value):
            continue
        yield value


def _mended(text: str) -> dict[str, Any] | None:
    """Return the object in text that is almost JSON: with a comma too many, or a Python dictionary."""
    if len(text) > _MENDED_CHARS:
        return None
    value = _decoded(_TRAILING_COMMA.sub(r"\1", text))
    if value is None:
        try:
            value = ast.literal_eval(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return None
    return value if isinstance(value, dict) else None


def _decoded(text: str) -> object:
    try:
        return _decoder.decode(text)
    except (ValueError, RecursionError):
        return None
