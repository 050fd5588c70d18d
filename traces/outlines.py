"""The outline of a text: its items and paragraphs, with code and formulas whole."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from tracejury.traces.item_lists import ends_before, listed_items, nested_items
from tracejury.traces.item_marks import BULLET, CONCLUSION
from tracejury.traces.spans import Span, trimmed, within

_BLANK_LINE = re.compile(r"(?:\r\n|\r|\n)[ \t]*(?:\r\n|\r|\n)\s*")
_FORMULA = (
    r"\$\$[^$]{1,3000}\$\$|\\\[(?:[^\\]|\\(?![\[\]])){1,3000}\\\]"
    r"|\\begin\{(?P<environment>[a-z]{2,12}\*?)\}(?:[^\\]|\\(?!begin|end)){1,3000}\\end\{(?P=environment)\}"
)
_WHOLE = re.compile(rf"```[^`]{{0,20000}}```|{_FORMULA}")
_STANDS_APART = re.compile(rf"(?:{_FORMULA})[ \t]*(?:[.,;][ \t]*)?(?=[\r\n]|\Z)")
_POINT = re.compile(r"\A.{30}.*[.!?](?:[)\"'*]{0,3})\Z|\A.{10}.*[\u3002\uff01\uff1f\u0964]\Z", re.DOTALL)
"""A bullet that states something: a word or two after a bullet belong to the paragraph."""


class Outline(NamedTuple):
    """The blocks of a text, in order, and where the marks of its items end, by where they begin."""

    blocks: list[Span]
    mark_ends: Mapping[int, int]


def outlined(text: str, region: Span, longest: int) -> Outline:
    """Cut a part of `text` at its items and blank lines.

    What stands indented under an item belongs to it, where both are at most `longest` characters. A formula on lines of
    its own belongs to what it stands behind, and a paragraph in small letters behind it goes on with the sentence.
    """
    whole = [Span(*match.span()) for match in _WHOLE.finditer(text, region.start, region.end)]
    items = listed_items(text, region, whole)
    paragraphs = {m.end() for m in _BLANK_LINE.finditer(text, region.start, region.end)}
    paragraphs -= _within_sentences(text, region)
    cuts = {region.start, *paragraphs, *(item.start for item in items)}
    cuts |= _conclusions(text, region, items[-1].start) if items else _bullets(text, region)
    cuts = {cut for cut in cuts if not within(whole, cut)}
    outermost = nested_items(text, region, items)
    heads = {item.start: item.indent for item in items if item.start not in outermost}
    cuts -= _under_items(text, region, sorted(cuts), heads, outermost, longest)
    blocks = [trimmed(text, *ends) for ends in pairwise([*sorted(cuts), region.end])]
    return Outline([block for block in blocks if block.start < block.end], {item.start: item.end for item in items})


def states_something(text: str) -> bool:
    """Whether a bullet's words are a sentence or more."""
    return _POINT.search(text) is not None


def _conclusions(text: str, region: Span, last_item: int) -> set[int]:
    """Return the starts of lines that draw the conclusion, behind the last item of a list and at the margin."""
    return {
        match.start()
        for match in CONCLUSION.finditer(text, last_item, region.end)
        if ends_before(text, region, match.start())
    }


def _within_sentences(text: str, region: Span) -> set[int]:
    """Return where formulas that stand apart begin, and where a sentence goes on behind one."""
    places: set[int] = set()
    for formula in _STANDS_APART.finditer(text, region.start, region.end):
        places.add(formula.start())
        behind = _BLANK_LINE.match(text, formula.end(), region.end)
        if behind and text[behind.end() : behind.end() + 1].islower():
            places.add(behind.end())
    return places


def _under_items(
    text: str,
    region: Span,
    cuts: Sequence[int],
    heads: Mapping[int, int],
    outermost: Mapping[int, int],
    longest: int,
) -> set[int]:
    """Return the cuts before what stands under an item, where the item with all of it is no longer than `longest`."""
    under: set[int] = set()
    head: int | None = None
    pending: set[int] = set()
    for cut, stop in pairwise([*cuts, region.end]):
        if head is not None and (
            outermost.get(cut) == head or (cut not in heads and _indent(text, cut) >= heads[head] + 2)
        ):
            pending.add(cut)
            end = stop
            continue
        if head is not None and len(text[head:end].rstrip()) <= longest:
            under |= pending
        head, pending, end = cut if cut in heads else None, set(), stop
    if head is not None and len(text[head:end].rstrip()) <= longest:
        under |= pending
    return under


def _indent(text: str, place: int) -> int:
    line = text.rfind("\n", 0, place) + 1
    return len(text[line:place].expandtabs(4)) if not text[line:place].strip() else 0


def _bullets(text: str, region: Span) -> set[int]:
    """Return the starts of bullets where two or more stand at the left margin, and each is a sentence or more."""
    starts = [mark.start() for mark in BULLET.finditer(text, region.start, region.end)]
    points = [text[start:stop].strip() for start, stop in pairwise([*starts, region.end])]
    return set(starts) if len(points) > 1 and all(states_something(point) for point in points) else set()
