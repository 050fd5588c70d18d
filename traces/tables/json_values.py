"""The rows in a JSON value: a list of objects, an object that holds such lists, or columns."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

GROUP = "dataset"
"""Field that gets the name of the list in which a row stands, where a file holds several lists."""
KEY = "id"
"""Field that gets a row's own name, where a file maps names to rows."""


def is_whole(value: object) -> bool:
    """Whether all text in a value can be written as UTF-8: JSON can name half of a surrogate pair."""
    try:
        json.dumps(value, ensure_ascii=False, default=str).encode()
    except UnicodeEncodeError:
        return False
    return True


def json_in(text: str) -> object:
    """Return what a text holds as JSON; None where it is none, or cannot be written down again."""
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if "\\ud" not in text.lower() or is_whole(value) else None


def rows_in(value: object) -> Iterator[dict[str, Any]]:
    """Yield the rows of a JSON object, in one of these shapes.

    - `{"data": [row, ...], "model": ...}`: a list under any name; plain values beside it belong to every row. Several
      lists are read one after the other, each row with its list's name.
    - `{"q1": row, "q2": row}`: rows by name.
    - `{"question": [...], "answer": [...]}` and `{"question": {"0": ...}}`: columns.
    - `{"columns": [...], "data": [[...]]}`: rows without names.
    - `{"data": {"items": [row, ...]}, "meta": {...}}`: the only list of rows inside objects; what stands beside it
      belongs to every row.
    - `{"features": [...], "rows": [{"row": row}, ...]}`: what the Hugging Face data set server answers.
    - `{"convos": [[message, ...], ...]}`: conversations without anything beside them.
    - Anything else: one row.
    """
    if not isinstance(value, Mapping):
        return
    served = value.get("rows")
    if "features" in value and isinstance(served, list) and _is_list_of_rows(served):
        yield from (row["row"] for row in served if isinstance(row.get("row"), dict))
        return
    columns, data = value.get("columns"), value.get("data")
    if isinstance(columns, list) and isinstance(data, list) and all(isinstance(r, list) for r in data):
        yield from (dict(zip(map(str, columns), row, strict=False)) for row in data)
    elif _is_column_mapping(value):
        yield from _from_columns({k: list(v.values()) for k, v in value.items()})
    elif _is_rows_by_name(value):
        yield from ({KEY: name, **row} for name, row in value.items())
    elif _is_column_lists(value):
        yield from _from_columns(value)
    elif lists := {n: part for n, part in value.items() if n not in _PARTS_OF_A_ROW and _is_list_of_rows(part)}:
        shared = {name: part for name, part in value.items() if part is None or isinstance(part, str | int | float)}
        for name, part in lists.items():
            group = {GROUP: name} if len(lists) > 1 else {}
            yield from ({**shared, **group, **row} for row in part if isinstance(row, Mapping))
    elif conversations := [c for part in value.values() if isinstance(part, list) for c in part if _is_conversation(c)]:
        yield from ({"messages": messages} for messages in conversations)
    elif (inner := _inner_rows(value)) is not None:
        yield from inner
    elif value:
        yield dict(value)


def _is_conversation(value: object) -> bool:
    """Whether a value is a list of messages, each with its role."""
    return isinstance(value, list) and len(value) > 1 and all(isinstance(m, Mapping) and "role" in m for m in value)


# The lists of one row of a conversation or of choices are not lists of rows.
_CONVERSATIONS = {"messages", "conversations", "conversation", "dialogue", "turns"}
_PARTS_OF_A_ROW = _CONVERSATIONS | {"choices", "options", "steps"}
_NAME = 60
"""Characters up to which a text is a name or a date of the file."""
_PARTS_OF_A_REPLY = {"output", "outputs", "candidates", "content", "contents", "parts", "completions", "tool_calls"}


def _inner_rows(value: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """Return the rows of the only list of objects that stands inside the parts of an object; None where there is none.

    An object that has a text of its own beside its parts, and not only names and dates, is a row.
    """
    if any(isinstance(part, list) or (isinstance(part, str) and len(part) > _NAME) for part in value.values()):
        return None
    inside = {
        name: rows
        for name, part in value.items()
        if isinstance(part, Mapping) and (rows := _rows_of_part(part)) is not None
    }
    if len(inside) != 1:
        return None
    ((where, rows),) = inside.items()
    beside = {name: part for name, part in value.items() if name != where and not isinstance(part, Mapping)}
    return [{**beside, **row} for row in rows]


def _rows_of_part(part: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    lists = [v for n, v in part.items() if _is_list_of_rows(v) and n not in _PARTS_OF_A_ROW | _PARTS_OF_A_REPLY]
    if len(lists) == 1:
        beside = {n: v for n, v in part.items() if v is not lists[0] and isinstance(v, str | int | float)}
        return [{**beside, **row} for row in lists[0]]
    return None if lists else _inner_rows(part)


def _is_list_of_rows(part: object) -> bool:
    return isinstance(part, list) and bool(part) and all(isinstance(row, Mapping) for row in part)


def _is_column_mapping(value: Mapping[str, Any]) -> bool:
    parts = list(value.values())
    return (
        len(parts) > 1
        and all(isinstance(part, Mapping) and part and all(str(k).isdecimal() for k in part) for part in parts)
        and len({len(part) for part in parts}) == 1
    )


def _is_rows_by_name(value: Mapping[str, Any]) -> bool:
    parts = list(value.values())
    if not parts or not all(isinstance(part, Mapping) and part for part in parts):
        return False
    # One object in an object is a row that has a part; rows by name share most of their names.
    return len(parts) > 1 and bool(set.intersection(*(set(part) for part in parts)))


def _is_column_lists(value: Mapping[str, Any]) -> bool:
    parts = list(value.values())
    return (
        len(parts) > 1
        and all(isinstance(part, list) for part in parts)
        and len({len(part) for part in parts}) == 1
        and not all(_is_list_of_rows(part) for part in parts)
        and not set(value) & _CONVERSATIONS
    )


def _from_columns(columns: Mapping[str, list[Any]]) -> Iterator[dict[str, Any]]:
    names = list(columns)
    return (dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True))
