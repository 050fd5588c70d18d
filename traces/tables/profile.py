"""What is in a table: every field, how often it is filled, and with what."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import Field

from tracejury.traces.records import Record
from tracejury.traces.tables.golds import may_be_position
from tracejury.traces.tables.paths import lift

SAMPLED = 300
"""Rows of which values are looked at; all rows are counted."""
_EXAMPLE = 60
_DEEPEST = 4
"""Levels below the row that are looked at."""
_DENSE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


class TableField(Record):
    """One field of a table, as `tracejury read --fields` lists it."""

    path: str
    filled: int
    rows: int
    kind: str
    """What it mostly holds: text, number, truth value, list or object."""
    mean_length: float = Field(default=0.0)
    """Characters of text (one of Chinese, Japanese or Korean counts as three), elements of a list."""
    example: str = ""


class TableProfile:
    """Counts of a table's fields, and a sample of its rows."""

    def __init__(self, rows: Iterable[Mapping[str, Any]]) -> None:
        self.rows = 0
        self.sample: list[Mapping[str, Any]] = []
        self._columns: dict[str, _Column] = {}
        for row in rows:
            self.rows += 1
            if self.rows <= SAMPLED:
                self.sample.append(row)
            self._add(row, "", 0)

    def _add(self, part: Mapping[str, Any], prefix: str, depth: int) -> None:
        """Count everything in a row or a part of it; of a list, the list itself and what is in its first element."""
        for name, value in part.items():
            path = prefix + name
            column = self._columns.get(path)
            if column is None:
                column = self._columns[path] = _Column()
            column.add(value)
            if isinstance(value, str) or not value or depth >= _DEEPEST:
                continue
            if isinstance(value, dict):
                self._add(value, f"{path}.", depth + 1)
            elif isinstance(value, list) and isinstance(value[0], dict):
                self._add(value[0], f"{path}.0.", depth + 1)

    def fields(self) -> list[TableField]:
        """Return every field, in the order first seen."""
        return [
            TableField(
                path=path,
                filled=column.filled,
                rows=self.rows,
                kind=max(column.kinds, key=column.kinds.__getitem__, default="nothing"),
                mean_length=column.length / max(column.filled, 1),
                example=column.example or "",
            )
            for path, column in self._columns.items()
        ]

    def may_hold_positions(self, path: str) -> bool:
        """Whether some row may have a position among options at a path; True where the path was not counted."""
        column = self._columns.get(path)
        return column is None or column.may_hold_positions

    def has_column(self, name: str) -> bool:
        """Whether a name, which may have a dot (`qwen2.5-32b`), is a field of the rows themselves."""
        return any(name in row for row in self.sample)

    def values(self, path: str) -> list[object]:
        """Return the values of a field in the sampled rows, empty ones left out."""
        values = [lift(row, path) for row in self.sample]
        return [value for value in values if value is not None and value != ""]


class _Column:
    """Counts of one field."""

    __slots__ = ("example", "filled", "kinds", "length", "may_hold_positions")

    def __init__(self) -> None:
        self.filled = self.length = 0
        self.kinds: dict[str, int] = {}
        self.example: str | None = None
        self.may_hold_positions = False

    def add(self, value: object) -> None:
        # A long text is not looked at: the golds are where it matters, and they are few.
        if not self.may_hold_positions and not (isinstance(value, str) and value.isalpha()):
            self.may_hold_positions = (isinstance(value, str) and len(value) > _EXAMPLE) or may_be_position(value)
        if value is None or (not value and isinstance(value, str | list | dict)):
            return
        self.filled += 1
        kind = "text" if isinstance(value, str) else _kind(value)
        self.kinds[kind] = self.kinds.get(kind, 0) + 1
        if isinstance(value, str):
            self.length += len(value) if value.isascii() else text_length(value)
        elif isinstance(value, list | dict):
            self.length += len(value)
        if self.example is None:
            text = " ".join(str(value).split())
            self.example = text if len(text) <= _EXAMPLE else f"{text[: _EXAMPLE - 3]}..."


def text_length(text: str) -> int:
    """Return the characters of a text; one of Chinese, Japanese or Korean says as much as three of an alphabet."""
    if text.isascii():
        return len(text)
    return len(text) + 2 * len(_DENSE.findall(text))


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return "truth value"
    if isinstance(value, int | float):
        return "number"
    return "list" if isinstance(value, list) else "object"
