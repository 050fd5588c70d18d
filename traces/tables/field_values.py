"""What the values of a table's fields have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tracejury.traces.tables.options import flagged_keys, read_options, split_prompt
from tracejury.traces.tables.paths import lift
from tracejury.traces.tables.profile import TableProfile

_FEW = 3
"""Rows below which nothing is concluded from a value that they share."""


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


def are_keyed_options(values: Sequence[object]) -> bool:
    """Whether all values are lists of objects, each with the key and the text of an option."""
    are_objects = all(isinstance(value, list) and all(isinstance(e, Mapping) for e in value) for value in values)
    return bool(values) and are_objects and all(len(read_options(value) or {}) > 1 for value in values)


def lists_options(profile: TableProfile, path: str) -> bool:
    """Whether every text of a field lists options, as prompts do."""
    return all(split_prompt(str(value))[1] for value in profile.values(path))


def names_rows(profile: TableProfile, path: str) -> bool:
    """Whether a field can name rows: several rows do not all have the same value (a maker's or a file's own id)."""
    values = [str(value) for value in profile.values(path)]
    return len(values) < _FEW or len(set(values)) > 1


def several_questions(profile: TableProfile, stem: str) -> str | None:
    """Return the list in which the question at `stem` is only the first of several; None where there is none."""
    parts = stem.split(".0.")
    places = [".0.".join(parts[: i + 1]) for i in range(len(parts) - 1)]
    lists = {p: [v for v in profile.values(p) if isinstance(v, list)] for p in places}
    return next((p for p in reversed(places) if any(len(v) > 1 for v in lists[p])), None)
