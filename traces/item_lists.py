"""Which marks at the beginning of lines are items: those that count on, in a list or under an item of one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from enum import Enum
from typing import NamedTuple

from tracejury.traces.item_marks import ITEM, ITEM_OF_A_DOSE, SERIES_ITEM
from tracejury.traces.item_places import is_lettered, item_places
from tracejury.traces.spans import Span, within

_ENDS_A_SENTENCE = re.compile(r"[.!?:;\u3002\uff01\uff1f\uff1b\u0964\u061f)\]\"'*_`|$>]\s*\Z")
_BLANK_LINE = re.compile(r"\n[ \t\r]*\n|\r[ \t]*\r")
_SENTENCE_END = re.compile(r"[.!?\u3002\uff01\uff1f\u0964\u061f][*_)\"']{0,3}\s*\Z")
_LOOK_BACK = 400


class Proof(Enum):
    """What it takes for a mark to be an item."""

    NOTHING = "it stands behind something that has come to an end"
    NEIGHBOUR = "another mark of its form is one less or one more"
    FIRST = "marks of its form are counted up to it from one"


class Mark(NamedTuple):
    """A mark at the beginning of a line."""

    start: int
    """Where it begins, after the blanks of its line."""
    end: int
    indent: int
    """Columns before it."""
    places: dict[str, int]
    """Its number, by form (`item_places`)."""
    proof: Proof


def listed_items(text: str, region: Span, whole: Sequence[Span]) -> list[Mark]:
    """Return the marks in `region` that begin an item, in order; none within one of `whole` (code, formulas)."""
    by_start: dict[int, Mark] = {}
    for mark in _candidates(text, region):
        if not within(whole, mark.start):
            by_start.setdefault(mark.start, mark)
    marks = sorted(by_start.values(), key=lambda mark: mark.start)
    neighbours, from_one = _counted(marks)
    return [
        mark
        for mark in marks
        if mark.start in (from_one if mark.proof is Proof.FIRST else neighbours)
        or (mark.proof is Proof.NOTHING and ends_before(text, region, mark.start))
    ]


def nested_items(text: str, region: Span, items: Sequence[Mark]) -> dict[int, int]:
    """Return the starts of items that stand under another one, each with the start of the outermost.

    An item stands under one that is indented less. One at the same margin does where it begins a list of phrases that
    complete the other ("Two causes: a) ...; b) ..."), and the list of the other goes on behind it.
    """
    goes_on = _counted_on(items)
    outermost: dict[int, int] = {}
    parents: list[Mark] = []
    phrase_lists: set[tuple[int, str]] = set()
    for mark, stop in zip(items, [*(item.start for item in items), region.end][1:], strict=True):
        begins_phrases = (
            1 in mark.places.values() and _SENTENCE_END.search(text, max(mark.start, stop - _LOOK_BACK), stop) is None
        )
        while parents and not (
            mark.indent >= parents[-1].indent + 2
            or (begins_phrases and _at_one_margin(mark, parents[-1]) and parents[-1].start in goes_on)
            or any((parents[-1].start, form) in phrase_lists for form in mark.places)
        ):
            parents.pop()
        if parents:
            outermost[mark.start] = parents[0].start
            phrase_lists |= {(parents[-1].start, form) for form in mark.places}
        parents.append(mark)
    return outermost


def _at_one_margin(mark: Mark, parent: Mark) -> bool:
    """Whether two marks of different forms stand at one margin."""
    return mark.indent >= parent.indent and mark.places.keys().isdisjoint(parent.places)


def ends_before(text: str, region: Span, start: int) -> bool:
    """Whether what stands before `start` has come to an end, so that a number there is an enumerator."""
    window = max(region.start, start - _LOOK_BACK)
    before = text[window:start].rstrip()
    if not before or _ENDS_A_SENTENCE.search(before):
        return True
    return _BLANK_LINE.search(text, window + len(before), start) is not None


def _candidates(text: str, region: Span) -> Iterator[Mark]:
    for pattern in (ITEM, ITEM_OF_A_DOSE, SERIES_ITEM):
        for match in pattern.finditer(text, region.start, region.end):
            mark = match[0].lstrip(" \t")
            blanks = match[0][: len(match[0]) - len(mark)]
            start = match.start() + len(blanks)
            places = item_places(mark)
            if pattern is SERIES_ITEM:
                proof = Proof.FIRST
            elif pattern is ITEM_OF_A_DOSE:
                if not ends_before(text, region, start):
                    continue
                proof = Proof.NEIGHBOUR
            else:
                proof = Proof.NEIGHBOUR if is_lettered(places) else Proof.NOTHING
            yield Mark(start, match.end(), len(blanks.expandtabs(4)), places, proof)


def _counted(marks: Sequence[Mark]) -> tuple[set[int], set[int]]:
    """Return the starts of marks with a neighbour of their form, and of those that are counted from one."""
    neighbours: set[int] = set()
    from_one: set[int] = set()
    last: dict[str, tuple[int, int]] = {}
    for mark in marks:
        for form, number in mark.places.items():
            start, before = last.get(form, (0, 0))
            if before and number == before + 1:
                neighbours |= {start, mark.start}
                if before == 1 or start in from_one:
                    from_one |= {start, mark.start}
            last[form] = (mark.start, number)
    return neighbours, from_one


def _counted_on(items: Sequence[Mark]) -> set[int]:
    """Return the starts of items behind which their own list goes on."""
    behind: set[tuple[str, int]] = set()
    starts: set[int] = set()
    for item in reversed(items):
        if any((form, number + 1) in behind for form, number in item.places.items()):
            starts.add(item.start)
        behind |= set(item.places.items())
    return starts
