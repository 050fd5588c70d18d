"""Marking spans of a text: overlapping marks become a sequence of pieces, each with the classes that apply to it."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple


class Mark(NamedTuple):
    """A span of the text to mark."""

    start: int
    end: int
    name: str


class Piece(NamedTuple):
    """A piece of the text; `names` is empty where nothing is marked."""

    text: str
    names: tuple[str, ...]


def pieces(text: str, marks: Iterable[Mark]) -> list[Piece]:
    """Cut `text` at the edges of `marks`. Offsets outside of the text are clipped."""
    size = len(text)
    clipped = [Mark(max(0, m.start), min(size, m.end), m.name) for m in marks if m.start < m.end]
    edges = sorted({0, size, *(m.start for m in clipped), *(m.end for m in clipped)})
    cut = []
    for start, end in pairwise(edges):
        names = {m.name for m in clipped if m.start <= start and end <= m.end}
        cut.append(Piece(text[start:end], tuple(sorted(names))))
    return cut
