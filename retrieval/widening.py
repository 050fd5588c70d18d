"""The whole sentence, list item or table row that a quote stands in, with its lead-in, headings and headers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from tracejury.retrieval.evidence_lines import Kind, Line, lines_of
from tracejury.traces import split_sentences

# `Table 3.` belongs to the title that follows it, `max.` to its number.
_UNFINISHED = re.compile(r"^\W*(?:\w+ )?[\dIVX]+(?:\.\d+)*\.\W*$|\b(?:max|min|resp|incl|excl)\.$", re.IGNORECASE)


class Unit(NamedTuple):
    """What a quote is read in. `lead_ins`, `headings` and `headers` stand elsewhere in the evidence."""

    kind: Kind
    start: int
    end: int
    lead_ins: tuple[tuple[int, int], ...] = ()
    """The line above a list that introduces it and the items that it is indented under, outermost first."""
    headings: tuple[tuple[int, int], ...] = ()
    """The headings above, nearest first."""
    headers: tuple[tuple[int, int], ...] = ()
    """The header cells of a table, in the order of its columns."""


def units_of(evidence: str, start: int, end: int) -> list[Unit]:
    """Return every sentence, item and row that the characters from `start` to `end` touch, in order."""
    lines = lines_of(evidence)
    touched: list[Unit] = []
    for at, line in enumerate(lines):
        if line.start >= end:
            break
        if line.end <= start:
            continue
        headings = _headings(evidence, lines[:at])
        lead_ins = _lead_ins(evidence, lines, at) if line.kind == "item" else ()
        headers = _headers(evidence, lines, at) if line.kind == "row" else ()
        for a, b in _spans(evidence, line):
            if a < end and b > start:
                touched.append(Unit(line.kind, a, b, lead_ins, headings, headers))
    return touched


def cells(evidence: str, start: int, end: int) -> list[tuple[int, int]]:
    """Return the cells of a table row as offsets, empty ones included."""
    row = evidence[start:end]
    inner = row.strip().removeprefix("|").removesuffix("|")
    at = start + row.index(inner) if inner else start
    spans = []
    for cell in re.split(r"(?<!\\)\||\t", inner):
        left = len(cell) - len(cell.lstrip())
        spans.append((at + left, at + max(left, len(cell.rstrip()))))
        at += len(cell) + 1
    return spans


def _spans(evidence: str, line: Line) -> list[tuple[int, int]]:
    if line.kind not in ("sentence", "item"):
        return [(line.start, line.end)]
    spans = [(line.start + a, line.start + b) for a, b in split_sentences(evidence[line.start : line.end])]
    whole: list[tuple[int, int]] = []
    for start, end in spans:
        if whole and _UNFINISHED.search(evidence[whole[-1][0] : whole[-1][1]]):
            whole[-1] = (whole[-1][0], end)
        else:
            whole.append((start, end))
    return whole


def _headings(evidence: str, above: Sequence[Line]) -> tuple[tuple[int, int], ...]:
    """Return the headings that hold at a line: the nearest, and above it those of a higher level."""
    headings: list[tuple[int, int]] = []
    lowest = 99
    for line in reversed(above):
        if line.kind != "heading":
            continue
        text = evidence[line.start : line.end]
        level = len(text) - len(text.lstrip("#")) or 9
        if level < lowest:
            headings.append((line.start, line.end))
            lowest = level
    return tuple(headings)


def _lead_ins(evidence: str, lines: Sequence[Line], at: int) -> tuple[tuple[int, int], ...]:
    """Return what introduces an item: the items that it is indented under, and the unfinished line above the list."""
    indent = lines[at].indent
    lead_ins: list[tuple[int, int]] = []
    for line in reversed(lines[:at]):
        if line.kind == "item":
            if line.indent < indent:
                lead_ins.insert(0, (_spans(evidence, line)[-1][0], line.end))
                indent = line.indent
            continue
        finished = evidence[line.start : line.end].rstrip("*_ ").endswith((".", "!"))
        if line.kind in ("sentence", "lead_in") and not finished:
            lead_ins.insert(0, (_spans(evidence, line)[-1][0], line.end))
        break
    return tuple(lead_ins)


def _headers(evidence: str, lines: Sequence[Line], at: int) -> tuple[tuple[int, int], ...]:
    for line in reversed(lines[:at]):
        if line.kind == "header":
            return tuple(cells(evidence, line.start, line.end))
        if line.kind not in ("row", "rule"):
            break
    return ()
