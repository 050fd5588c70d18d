"""What the values of a table's fields have in common."""

from __future__ import annotations

from collections.abc import Mapping

from tracejury.traces.tables.options import flagged_keys, read_options
from tracejury.traces.tables.paths import lift
from tracejury.traces.tables.profile import TableProfile


def contains(profile: TableProfile, outer: str, inner: str) -> bool:
    """Whether the words of one field stand in the other's, in the sampled rows."""
    pairs = [(lift(row, outer), lift(row, inner)) for row in profile.sample]
    texts = [(a, b) for a, b in pairs if isinstance(a, str) and isinstance(b, str) and b.strip()]
    return bool(texts) and all(b.strip() in a for a, b in texts)


def is_count(value: object) -> bool:
    """Whether a value is a whole number from 0 on."""
    return str(value).isdecimal()


def are_keys(key: str | None, options: Mapping[str, str]) -> bool:
    """Whether every letter of a text is the key of an option."""
    return bool(key) and all(letter in options for letter in key or "")


def are_marked_options(values: list[object]) -> bool:
    """Whether most values are lists of options that say themselves which of them is correct."""
    marked = [bool(flagged_keys(value, options)) for value in values if (options := read_options(value))]
    return bool(marked) and sum(marked) * 2 > len(values)


def are_texts(values: list[object]) -> bool:
    """Whether all values are lists of texts or objects."""
    return bool(values) and all(isinstance(v, list) and all(isinstance(t, str | dict) for t in v) for v in values)


def paths_in(path: str) -> list[str]:
    """Return the single paths of one that joins several, by `+` or `,`."""
    return [path] if path.startswith(":") else [part.strip() for piece in path.split("+") for part in piece.split(",")]
