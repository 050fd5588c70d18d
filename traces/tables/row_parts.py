"""A row's question, options and gold, where they stand at the paths of a proposal."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from tracejury.traces.tables import names
from tracejury.traces.tables.options import flagged_keys, options_of, read_options
from tracejury.traces.tables.paths import lift


def stem_text(row: Mapping[str, object], path: str) -> str | None:
    """Return the question's text: what stands at a path, or at several that are joined by `+`, as paragraphs."""
    value = lift(row, path)
    if isinstance(value, str):
        return value.strip() or None
    pieces = [value] if value is not None else [lift(row, piece.strip()) for piece in path.split("+")]
    texts = ["\n".join(map(str, p)) if isinstance(p, list) else str(p) for p in pieces if p is not None]
    return "\n\n".join(text.strip() for text in texts if text.strip()) or None


def read_row_options(row: Mapping[str, object], path: str) -> dict[str, str] | None:
    """Return the options at a path, or in several columns divided by commas; None where they are unreadable."""
    value = lift(row, path)
    if "," not in path or value is not None:
        return read_options(value)
    return options_of({key: lift(row, column) for key, column in _keyed_columns(path)})


@lru_cache(64)
def _keyed_columns(path: str) -> tuple[tuple[str, str], ...]:
    """Return the columns of a path that names several, each behind the key of its option."""
    columns = [column.strip() for column in path.split(",")]
    keys = [names.option_column(column.rpartition(".")[2]) or column for column in columns]
    if all(key.isdecimal() for key in keys):
        keys = [chr(ord("A") + i) for i in range(len(keys))]
    return tuple(zip(keys, columns, strict=True))


def first_column(path: str) -> int | None:
    """Return 0 or 1 where the columns of options are numbered from there (`ending0`, `option1`); else None."""
    keys = [names.option_column(column.strip().rpartition(".")[2]) for column in path.split(",")]
    return next((first for first in (0, 1) if len(keys) > 1 and keys[0] == str(first)), None)


def flagged_gold(row: Mapping[str, object], path: str, options: Mapping[str, str]) -> str | None:
    """Return the gold that the options themselves mark as correct."""
    return "".join(flagged_keys(lift(row, path), options)) or None
