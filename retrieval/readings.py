"""A sentence, list item or table row as a reader reads it: with its lead-in or its column headers before it."""

from __future__ import annotations

from typing import NamedTuple

from tracejury.retrieval.evidence_lines import bare
from tracejury.retrieval.widening import Unit, cells


class Reading(NamedTuple):
    """One unit with its lead-in or headers before it, and the part of it that the quote covers."""

    unit: Unit
    text: str
    start: int
    end: int
    own: int = 0
    """Where the unit itself begins in `text`; lead-ins and headers stand before it."""

    @property
    def quote(self) -> str:
        """The part that the quote covers."""
        return self.text[self.start : self.end]

    @property
    def without_colons(self) -> str:
        """The text with the colons of lead-ins and headers blanked out: a lead-in runs on into its item."""
        return self.text[: self.own].replace(":", " ") + self.text[self.own :]


def read_unit(evidence: str, unit: Unit, start: int, end: int) -> Reading:
    """Write lead-in or headers and the unit as one line of text.

    Args:
        evidence: The whole text of one piece of evidence.
        unit: A unit that the quote touches.
        start: Offset of the quote's first character in the evidence.
        end: Offset after its last one.
    """
    first, last = max(start, unit.start), min(end, unit.end)
    if unit.kind == "row":
        return _read_row(evidence, unit, first, last)
    before = ""
    for lead_in in unit.lead_ins:
        if not lead_in[0] <= start < lead_in[1]:
            before += bare(evidence[slice(*lead_in)]).rstrip(": ") + ": "
    at = len(before) - unit.start
    return Reading(unit, before + evidence[unit.start : unit.end], at + first, at + last, len(before))


def _read_row(evidence: str, unit: Unit, first: int, last: int) -> Reading:
    """Write a row as `header: cell; header: cell`."""
    text, at, until = "", -1, 0
    for column, (a, b) in enumerate(cells(evidence, unit.start, unit.end)):
        header = evidence[slice(*unit.headers[column])] if column < len(unit.headers) else ""
        text += ("; " if text else "") + (f"{header}: " if header else "")
        if a < last and b > first:
            at = at if at >= 0 else len(text) + max(0, first - a)
            until = len(text) + min(b, last) - a
        text += evidence[a:b]
    return Reading(unit, text, max(at, 0), until, max(at, 0))
