"""The whole sentence, list item or table row that a quote stands in, with its lead-in, headings and headers."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal, NamedTuple

from tracejury.retrieval.scope import has_verb
from tracejury.retrieval.sentences import sentence_spans

_HEADING = re.compile(r"#{1,6}\s|<h[1-6][ >]", re.IGNORECASE)
_BOLD_LINE = re.compile(r"(?:\*\*|__)[^*_\n]+(?:\*\*|__)\s*:?")
_ITEM = re.compile(r"(?:[-*+•◦▪–—·]\s+|\(?(?:\d{1,2}|[a-zA-Z]|[ivx]{1,4})[.)]\s+|\[[ xX]\]\s+|[☐☑☒✓✔✗✘❌✅]\s*)+(?=\S)")  # noqa: RUF001
_RULE = re.compile(r"[-=_*~\s|:+]+")
# `Table 3.` belongs to the title that follows it, `max.` to its number.
_UNFINISHED = re.compile(r"^\W*(?:\w+ )?[\dIVX]+(?:\.\d+)*\.\W*$|\b(?:max|min|resp|incl|excl)\.$", re.IGNORECASE)
_UNDERLINE = re.compile(r"[=\-~]{3,}")
_SENTENCE_END = (".", "!", "?", ";", ",")
_LONGEST_HEADING = 90
_SHORTEST_WRAPPED = 40

Kind = Literal["sentence", "item", "row", "header", "heading", "lead_in", "rule"]


class Line(NamedTuple):
    """One line of the evidence, or several that belong to one paragraph."""

    kind: Kind
    start: int
    end: int
    indent: int = 0


class Unit(NamedTuple):
    """What a quote is read in. `lead_in`, `heading` and `headers` stand elsewhere in the evidence."""

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
    lines = _lines(evidence)
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


def bare(text: str) -> str:
    """Return a line without bullets, heading signs, emphasis and white space around it."""
    text = re.sub(r"^#{1,6}\s+|<[^>]{1,40}>|\s#+$", "", text.strip())
    text = _ITEM.sub("", text, count=1) if _ITEM.match(text) else text
    return text.strip().strip("*_").strip()


def _spans(evidence: str, line: Line) -> list[tuple[int, int]]:
    if line.kind not in ("sentence", "item"):
        return [(line.start, line.end)]
    spans = [(line.start + a, line.start + b) for a, b in sentence_spans(evidence[line.start : line.end])]
    whole: list[tuple[int, int]] = []
    for start, end in spans:
        if whole and _UNFINISHED.search(evidence[whole[-1][0] : whole[-1][1]]):
            whole[-1] = (whole[-1][0], end)
        else:
            whole.append((start, end))
    return whole


@lru_cache(maxsize=256)
def _lines(evidence: str) -> tuple[Line, ...]:
    """Cut the evidence into headings, rows, items and paragraphs; a line that continues one belongs to it."""
    lines: list[Line] = []
    offset = 0
    joined = False
    for raw in evidence.splitlines(keepends=True):
        text = raw.strip()
        start = offset + len(raw) - len(raw.lstrip())
        offset += len(raw)
        if not text:
            joined = False
            continue
        end = start + len(text)
        indent = start - (offset - len(raw))
        kind = _kind(text)
        if kind == "rule" and _UNDERLINE.fullmatch(text) and joined and _one_line(evidence, lines[-1]):
            lines[-1] = lines[-1]._replace(kind="heading")
            joined = False
        elif kind == "sentence" and joined and _continues(evidence, lines[-1], text):
            lines[-1] = lines[-1]._replace(end=end)
        else:
            if kind == "rule" and lines and lines[-1].kind == "row":
                lines[-1] = lines[-1]._replace(kind="header")
            lines.append(Line(kind, start, end, indent))
            joined = kind in ("sentence", "item")
    return tuple(_with_headings(evidence, lines))


def _continues(evidence: str, line: Line, text: str) -> bool:
    """Whether a line goes on with the one above: lines are wrapped at some width, not after a few words."""
    if line.kind not in ("sentence", "item"):
        return False
    last = evidence[line.start : line.end].rpartition("\n")[2]
    return len(last) >= _SHORTEST_WRAPPED or not text[0].isupper()


def _one_line(evidence: str, line: Line) -> bool:
    text = evidence[line.start : line.end]
    return line.kind == "sentence" and "\n" not in text and len(text) <= _LONGEST_HEADING


def _kind(text: str) -> Kind:
    if _HEADING.match(text):
        return "heading"
    if _RULE.fullmatch(text):
        return "rule"
    if text.startswith("|") or text.count(" | ") > 1 or text.count("\t") > 1:
        return "row"
    if _BOLD_LINE.fullmatch(text) and not text.rstrip("*_ ").endswith(_SENTENCE_END):
        return "heading"
    return "item" if _ITEM.match(text) else "sentence"


def _with_headings(evidence: str, lines: list[Line]) -> list[Line]:
    """Mark short lines of their own without a full stop, with something below them, as headings."""
    if len(lines) < 2:
        return lines
    marked = []
    for line, below in zip(lines, [*lines[1:], None], strict=True):
        text = evidence[line.start : line.end]
        alone = line.kind == "sentence" and below is not None and "\n" not in text and len(text) <= _LONGEST_HEADING
        if below is not None and below.kind == "item" and line.kind == "sentence" and _introduces(text):
            marked.append(line._replace(kind="lead_in"))
        elif (
            line.kind == "item"
            and below is not None
            and below.kind == "sentence"
            and _titled(bare(text), numbered=True)
        ):
            marked.append(line._replace(kind="heading"))
        else:
            marked.append(line._replace(kind="heading") if alone and _titled(text) else line)
    return marked


def _introduces(text: str) -> bool:
    """Whether a line above a list is unfinished without it: no full stop, and no verb or one that wants an object."""
    if text.rstrip("*_ ").endswith((*_SENTENCE_END, ":")) or sentence_spans(text)[1:]:
        return False
    return (
        not has_verb(text)
        or re.search(r"\b(?:following|includes?|are|is|these|with|such as|as)\b\W*$|\bfollowing\b", text) is not None
    )


def _titled(text: str, *, numbered: bool = False) -> bool:
    words = [w for w in re.findall(r"[^\W\d_]+", text) if len(w) > 3]
    if not words or text.endswith((*_SENTENCE_END, ":")):
        return False
    if numbered:
        return "\n" not in text and len(words) > 1 and all(w[0].isupper() for w in words)
    return all(w[0].isupper() for w in words) or text.isupper() or (len(words) <= 3 and len(text.split()) <= 4)


def _headings(evidence: str, above: tuple[Line, ...]) -> tuple[tuple[int, int], ...]:
    """Return the headings that hold at a line: the nearest, and above it those of a higher level."""
    found: list[tuple[int, int]] = []
    lowest = 99
    for line in reversed(above):
        if line.kind != "heading":
            continue
        text = evidence[line.start : line.end]
        level = len(text) - len(text.lstrip("#")) or 9
        if level < lowest:
            found.append((line.start, line.end))
            lowest = level
    return tuple(found)


def _lead_ins(evidence: str, lines: tuple[Line, ...], at: int) -> tuple[tuple[int, int], ...]:
    """Return what introduces an item: the items that it is indented under, and the unfinished line above the list."""
    indent = lines[at].indent
    found: list[tuple[int, int]] = []
    for line in reversed(lines[:at]):
        if line.kind == "item":
            if line.indent < indent:
                found.insert(0, (_spans(evidence, line)[-1][0], line.end))
                indent = line.indent
            continue
        if line.kind in ("sentence", "lead_in") and not evidence[line.start : line.end].rstrip("*_ ").endswith(
            (".", "!")
        ):
            found.insert(0, (_spans(evidence, line)[-1][0], line.end))
        break
    return tuple(found)


def _headers(evidence: str, lines: tuple[Line, ...], at: int) -> tuple[tuple[int, int], ...]:
    for line in reversed(lines[:at]):
        if line.kind == "header":
            return tuple(cells(evidence, line.start, line.end))
        if line.kind not in ("row", "rule"):
            break
    return ()
