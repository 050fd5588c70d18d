"""What is in a table: every field, how often it is filled, and with what."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import Field

from tracejury.traces.records import Record
from tracejury.traces.tables.paths import leaves, lift

SAMPLED = 300
"""Rows of which values are looked at; all rows are counted."""
_EXAMPLE = 60
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
        self._filled: Counter[str] = Counter()
        self._kinds: dict[str, Counter[str]] = {}
        self._lengths: Counter[str] = Counter()
        self._examples: dict[str, str] = {}
        for row in rows:
            self.rows += 1
            if len(self.sample) < SAMPLED:
                self.sample.append(row)
            for path, value in leaves(row):
                self._add(path, value)

    def _add(self, path: str, value: object) -> None:
        kinds = self._kinds.get(path)
        if kinds is None:
            kinds = self._kinds[path] = Counter()
        if value is None or value in ("", [], {}):
            return
        self._filled[path] += 1
        kinds[_kind(value)] += 1
        self._lengths[path] += text_length(value) if isinstance(value, str) else _size(value)
        if path not in self._examples:
            text = " ".join(str(value).split())
            self._examples[path] = text if len(text) <= _EXAMPLE else f"{text[: _EXAMPLE - 3]}..."

    def fields(self) -> list[TableField]:
        """Return every field, in the order first seen."""
        return [
            TableField(
                path=path,
                filled=self._filled[path],
                rows=self.rows,
                kind=kinds.most_common(1)[0][0] if kinds else "nothing",
                mean_length=self._lengths[path] / max(self._filled[path], 1),
                example=self._examples.get(path, ""),
            )
            for path, kinds in self._kinds.items()
        ]

    def has_column(self, name: str) -> bool:
        """Whether a name, which may have a dot (`qwen2.5-32b`), is a field of the rows themselves."""
        return any(name in row for row in self.sample)

    def values(self, path: str) -> list[object]:
        """Return the values of a field in the sampled rows, empty ones left out."""
        values = [lift(row, path) for row in self.sample]
        return [value for value in values if value is not None and value != ""]


def _size(value: object) -> int:
    return len(value) if isinstance(value, list | dict) else 0


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
    return "text" if isinstance(value, str) else "list" if isinstance(value, list) else "object"
