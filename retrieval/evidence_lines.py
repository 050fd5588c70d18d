"""Evidence cut into headings, lead-ins, list items, table rows and paragraphs, by its line breaks and marks."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise
from typing import Literal, NamedTuple

from tracejury.retrieval.scope import has_verb
from tracejury.traces import split_sentences

_HEADING = re.compile(r"#{1,6}\s|<h[1-6][ >]", re.IGNORECASE)
_BOLD_LINE = re.compile(r"(?:\*\*|__)[^*_\n]+(?:\*\*|__)\s*:?")
_ITEM = re.compile(r"(?:[-*+•◦▪–—·]\s+|\(?(?:\d{1,2}|[a-zA-Z]|[ivx]{1,4})[.)]\s+|\[[ xX]\]\s+|[☐☑☒✓✔✗✘❌✅]\s*)+(?=\S)")  # noqa: RUF001
_RULE = re.compile(r"[-=_*~\s|:+]+")
_UNDERLINE = re.compile(r"[=\-~]{3,}")
_SENTENCE_END = (".", "!", "?", ";", ",")
_LONGEST_HEADING = 90
_SHORTEST_WRAPPED = 40

_UNFINISHED = re.compile(r"\b(?:following|includes?|are|is|these|with|such as|as)\b\W*$|\bfollowing\b")

Kind = Literal["sentence", "item", "row", "header", "heading", "lead_in", "rule"]


class Line(NamedTuple):
    """One line of the evidence, or several that belong to one paragraph."""

    kind: Kind
    start: int
    end: int
    indent: int = 0


@lru_cache(maxsize=256)
def lines_of(evidence: str) -> tuple[Line, ...]:
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
    """Mark what only stands above something: lead-ins of lists, and short lines of their own without a full stop."""
    above = [line._replace(kind=_kind_above(evidence, line, below)) for line, below in pairwise(lines)]
    return [*above, *lines[-1:]]


def _kind_above(evidence: str, line: Line, below: Line) -> Kind:
    text = evidence[line.start : line.end]
    if line.kind == "sentence" and below.kind == "item" and _introduces(text):
        return "lead_in"
    if line.kind == "item" and below.kind == "sentence" and _numbered_title(bare(text)):
        return "heading"
    return "heading" if _one_line(evidence, line) and _titled(text) else line.kind


def _introduces(text: str) -> bool:
    """Whether a line above a list is unfinished without it: no full stop, and no verb or one that wants an object."""
    if text.rstrip("*_ ").endswith((*_SENTENCE_END, ":")) or split_sentences(text)[1:]:
        return False
    return not has_verb(text) or _UNFINISHED.search(text) is not None


def _titled(text: str) -> bool:
    words = _long_words(text)
    if not words or text.endswith((*_SENTENCE_END, ":")):
        return False
    return all(w[0].isupper() for w in words) or text.isupper() or (len(words) <= 3 and len(text.split()) <= 4)


def _numbered_title(text: str) -> bool:
    words = _long_words(text)
    one_line = "\n" not in text and not text.endswith((*_SENTENCE_END, ":"))
    return one_line and len(words) > 1 and all(w[0].isupper() for w in words)


def _long_words(text: str) -> list[str]:
    return [w for w in re.findall(r"[^\W\d_]+", text) if len(w) > 3]


def bare(text: str) -> str:
    """Return a line without bullets, heading signs, emphasis and white space around it."""
    text = re.sub(r"^#{1,6}\s+|<[^>]{1,40}>|\s#+$", "", text.strip())
    text = _ITEM.sub("", text, count=1) if _ITEM.match(text) else text
    return text.strip().strip("*_").strip()
