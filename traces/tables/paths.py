"""Where a value stands in a row: dotted paths through objects and lists."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

_BRACKET = re.compile(r"\[([^\]]*)\]")
_CHOICE = re.compile(r"(\w+)=(.+)")


def lift(data: object, path: str) -> object:
    """Return what stands at a path, or None where nothing does.

    A path is made of names and positions joined by dots: `doc.options`, `choices.0.message`, `messages.-1.content`,
    `messages[role=assistant].content` (the last element that has this value). A name may itself contain dots.
    """
    parts = _parts(path)
    return data.get(parts[0]) if len(parts) == 1 and type(data) is dict else _follow(data, parts)


@lru_cache(1024)
def _parts(path: str) -> tuple[str, ...]:
    """Return the names and positions of a path; a table has a few, and every row asks for all of them."""
    return tuple(_BRACKET.sub(r".\1", path).removeprefix(".").split("."))


def first_at(data: Mapping[str, Any], name: str, fields: Mapping[str, str], *paths: str) -> Any:
    """Return the value of a field: where `fields` says that it stands, else at the first of `paths` that holds one.

    A place that begins with a colon is the value itself: `arm=:distilled` for a file of one arm.
    """
    if name in fields:
        return fields[name][1:] if fields[name].startswith(":") else lift(data, fields[name])
    return next((value for path in paths if (value := lift(data, path)) is not None and value != ""), None)


def _follow(data: object, parts: tuple[str, ...]) -> object:
    if not parts:
        return data
    # The plain type first: asking for an abstract one costs more than the rest of the way.
    if isinstance(data, dict | Mapping):
        # The longest name first: "v1.0 answer" is a name with a dot in it.
        for length in range(len(parts), 0, -1):
            name = ".".join(parts[:length])
            if name in data:
                return _follow(data[name], parts[length:])
        return None
    if isinstance(data, list):
        if re.fullmatch(r"-?\d+", parts[0]):
            position = int(parts[0])
            return _follow(data[position], parts[1:]) if -len(data) <= position < len(data) else None
        if choice := _CHOICE.fullmatch(parts[0]):
            name, value = choice.groups()
            matching = [e for e in data if isinstance(e, Mapping) and str(e.get(name)).casefold() == value.casefold()]
            return _follow(matching[-1], parts[1:]) if matching else None
    return None
