"""Quantities in clinical prose: a number, its unit and its place. Units are pint's; only the spellings are ours."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from tracejury.agents.units import NotComputable, compute

NUMBER = r"(?:\d{1,3}(?:,\d{3}){1,4}|\d{1,12})(?:\.\d{1,8})?"
_PIECE = (
    r"(?:kg|mg|mcg|[µμu]g|ng|pg|g|lbs?|pounds?|kilograms?|(?:milli|micro)?grams?|ounces?|oz"
    r"|dL|dl|mL|ml|[µμu]L|fL|L|liters?|litres?|milliliters?|mm\^?3|mm³|cc"
    r"|mmol|[µμu]mol|nmol|pmol|mol|mEq|Eq|mOsm|mIU|IU|[Uu]nits?|U"
    r"|mm ?Hg|kPa|cm ?H2O|°? ?C(?:elsius)?\b|°? ?F(?:ahrenheit)?\b"
    r"|cm|mm|km|in(?:ches)?|feet|ft|meters?|m2|m²|m\^2|m"
    r"|years?|yrs?|months?|weeks?|wks?|days?|hours?|hrs?|h|minutes?|mins?|seconds?|secs?|s|d"
    r"|bpm|beats|breaths|%|percent)"
)
_UNIT = rf"(?:{_PIECE}(?![A-Za-z])(?:\s?(?:/|per)\s?{_PIECE}(?![A-Za-z]))*|/\s?{_PIECE}(?![A-Za-z]))"
QUANTITY = re.compile(rf"(?<![\w.,])(?P<number>{NUMBER})(?P<gap>\s?-?\s?)(?P<unit>{_UNIT})?(?![\w]|\.\d)")
_SPELLINGS = (
    (re.compile(r"mm ?Hg"), "mmHg"),
    (re.compile(r"cm ?H2O"), "cmH2O"),
    (re.compile(r"^°? ?C(?:elsius)?$"), "degC"),
    (re.compile(r"^°? ?F(?:ahrenheit)?$"), "degF"),
    (re.compile(r"(mm|m)(?:\^|)(?:3|³)"), r"\1**3"),
    (re.compile(r"m(?:\^|)(?:2|²)"), "m**2"),
    (re.compile(r"\s?\bper\b\s?"), "/"),
    (re.compile(r"[µμ]"), "u"),
    (re.compile(r"\b[Uu]nits?\b"), "U"),
    (re.compile(r"\blbs\b"), "lb"),
    (re.compile(r"\byrs?\b"), "year"),
    (re.compile(r"\bwks?\b"), "week"),
    (re.compile(r"\bhrs?\b"), "hour"),
    (re.compile(r"\bmins?\b"), "minute"),
    (re.compile(r"\bsecs?\b"), "second"),
    (re.compile(r"\bd\b"), "day"),
    (re.compile(r"\bbpm\b"), "1/minute"),
    (re.compile(r"%"), "percent"),
)
_COUNTS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
COUNTED: Mapping[str, int] = {word: number for number, word in enumerate(_COUNTS, 1)}
"""Number words and what they count."""


class Quantity(NamedTuple):
    """A number in a text. `unit` is as pint reads it; empty where none is written."""

    number: str
    """As written, thousands separators taken out."""
    unit: str
    start: int
    end: int
    text: str

    @property
    def expression(self) -> str:
        """What `compute` takes."""
        return f"({self.number} {self.unit})" if self.unit else self.number

    @property
    def value(self) -> Any:
        """The pint quantity."""
        return compute(self.expression)


def quantities(text: str) -> Iterator[Quantity]:
    """Yield the quantities of a text, in order."""
    for match in QUANTITY.finditer(text):
        if (quantity := quantity_of(match)) is not None:
            yield quantity


def quantity_of(match: re.Match[str]) -> Quantity | None:
    """Return the quantity of a match that has the groups `number` and `unit`."""
    unit = match["unit"]
    unit_name = unit_of(unit) if unit else ""
    if unit_name is None:
        return None
    end = match.end("unit") if unit else match.end("number")
    start = match.start("number")
    return Quantity(match["number"].replace(",", ""), unit_name, start, end, match.string[start:end])


@lru_cache(maxsize=4096)
def unit_of(unit_text: str) -> str | None:
    """Return a written unit as pint reads it; None: pint does not know it."""
    unit = unit_text.strip()
    for spelling, name in _SPELLINGS:
        unit = spelling.sub(name, unit)
    if unit.startswith("/"):
        unit = f"1{unit}"
    try:
        compute(f"(1 {unit})")
    except NotComputable:
        return None
    return unit


def comparable(left: Quantity, right: Quantity) -> bool:
    """Tell whether two quantities have units that convert into each other."""
    try:
        return bool(left.value.is_compatible_with(right.value))
    except NotComputable:
        return False
