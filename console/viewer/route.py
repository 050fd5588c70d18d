"""The way a step took through the graph, as a small diagram."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

_PLACES = {
    "segment": (0, 0), "retrieve": (1, 0), "claims": (2, 0), "judge": (3, 0), "check": (4, 0), "decide": (5, 0),
    "verdict": (6, 0), "resolve": (5, 1), "search": (4, 1),
}  # fmt: skip
_EDGES = (
    ("segment", "retrieve"), ("retrieve", "claims"), ("claims", "judge"), ("judge", "check"), ("check", "decide"),
    ("decide", "verdict"), ("decide", "resolve"), ("resolve", "search"), ("search", "resolve"), ("resolve", "decide"),
)  # fmt: skip
_EARLIER_NAMES = {"hear": "judge", "seek": "search"}
"""Node names in ledgers of earlier versions, whose graph had no claims, check and decide."""
_WIDE, _HIGH, _LEFT, _TOP = 76, 34, 112, 66


class Node(NamedTuple):
    """A node of the graph; `visits` is 0 where the step did not come by."""

    name: str
    x: float
    y: float
    visits: int


class Edge(NamedTuple):
    """A way between two nodes, as the `d` of an SVG path."""

    d: str
    traversed: bool


class Diagram(NamedTuple):
    """The graph with the way of one step marked."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    wide: int
    high: int
    description: str


def diagram(path: Sequence[str]) -> Diagram:
    """Return the diagram of a deliberation's path."""
    way = [*(_EARLIER_NAMES.get(name, name) for name in path), "verdict"]
    traversed = set(pairwise(way))
    low = "resolve" in way
    nodes = tuple(
        Node(name, 4 + _LEFT * x, 4 + _TOP * y, way.count(name)) for name, (x, y) in _PLACES.items() if low or y == 0
    )
    node_names = {n.name for n in nodes}
    edges = tuple(Edge(_line(a, b), (a, b) in traversed) for a, b in _EDGES if a in node_names and b in node_names)
    return Diagram(nodes, edges, 8 + 6 * _LEFT + _WIDE, 8 + _HIGH + (_TOP if low else 0), " → ".join(way))


def _line(a: str, b: str) -> str:
    (ax, ay), (bx, by) = _PLACES[a], _PLACES[b]
    x, y = 4 + _LEFT * ax, 4 + _TOP * ay
    to_x, to_y = 4 + _LEFT * bx, 4 + _TOP * by
    if ax == bx:
        if by > ay:
            return f"M{x + _WIDE / 2 + 12:g} {y + _HIGH:g}V{to_y - 6:g}"
        return f"M{x + _WIDE / 2 - 12:g} {y:g}V{to_y + _HIGH + 6:g}"
    shift = {("resolve", "search"): -7.0, ("search", "resolve"): 7.0}.get((a, b), 0.0)
    forth = bx > ax
    return f"M{x + (_WIDE if forth else 0):g} {y + _HIGH / 2 + shift:g}H{to_x + (-6 if forth else _WIDE + 6):g}"
