"""Bounds and units that belong to a number: `less than 5 mg`, `2 to 5 mg`, `5 mg per kg`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import yaml

from tracejury.retrieval.cues import folded


class Figure(NamedTuple):
    """A number of a text with its unit and what bounds it."""

    value: str
    unit: str
    bound: str
    """`below`, `above`, `range`, or empty where the number is exact."""


def cut_bound(text: str, start: int, end: int) -> str | None:
    """Return why a quote cuts a number from its bound, its range or its unit, or None.

    Args:
        text: The sentence.
        start: Offset of the quote's first character.
        end: Offset after its last one.
    """
    plain = folded(text)
    before, quote, after = plain[:start], plain[start:end], plain[end:]
    if _pattern("(?<![\\w.]){number}").match(quote):
        bound = _range_before(before) or _pattern("{bound}{of}$").search(before)
        if bound is not None and bound[0].strip():
            return f"the quote leaves out the bound {' '.join(bound[0].split())!r}"
    if _pattern("{number}\\s?(?:{unit})?$").search(quote):
        runs_on = _pattern("\\s*\\(?{runs_on}").match(after)
        if runs_on is not None:
            measure = " ".join((quote.split()[-1] + runs_on[0]).split())
            return f"the quote ends in the middle of a measure: {measure!r}"
    # `2 g of cefazolin | for every 70 kg`: the bar is where the quote ends.
    if _pattern("\\d\\s?{unit}(?:\\s+of)?(?:\\s+[\\w-]+){{0,3}}\\0{per_dose}").search(f"{quote}\0{after}"):
        return "the quote leaves out what its dose is for (per kilogram, per day)"
    # `20 mg daily | every other week`
    if _pattern("(?:{number}\\s?(?:{unit})?|{schedule})$").search(quote):
        alternating = _pattern("\\W*{alternating}").match(after)
        if alternating is not None:
            return f"the quote leaves out {alternating[0].strip()!r}"
    if _pattern("{number}$").search(quote) and (unit := _pattern("[\\s-]?{unit}(?!\\w)").match(after)):
        return f"the quote leaves out the unit {unit[0].strip()!r}"
    return None


def other_figure(statement: str, claim: str) -> str | None:
    """Return a number of the claim that the statement has with another bound or another unit only, or None."""
    there = list(figures(statement))
    for figure in figures(claim):
        same = [f for f in there if f.value == figure.value]
        if same and not any(f.bound == figure.bound and _one_unit(f.unit, figure.unit) for f in same):
            return f"{figure.value} {figure.unit}".strip()
    return None


def figures(text: str) -> Iterator[Figure]:
    """Yield every number of a text with its unit and bound."""
    plain = folded(text)
    unit = "{unit}(?:\\s?(?:/|per |\u00b7)\\s?[a-z\\d\u00b2]+)*"
    for match in _pattern(f"(?<![\\w.])({{digits}})\\s?({unit})?").finditer(plain):
        unit_text = (match[2] or "").replace(" per ", "/").replace(" ", "")
        bound = _bound_of(plain[: match.start()], plain[match.end() :])
        yield Figure(match[1].replace(",", ""), unit_text, bound)


def _bound_of(before: str, after: str) -> str:
    if _range_before(before) or _pattern("\\s?(?:to|-|\u2013)\\s?{number}").match(after):
        return "range"
    if (limit := _pattern("{bound}{of}$").search(before)) is not None:
        return "below" if _pattern("{below}").search(limit[0]) else "above"
    following = _pattern(
        "\\s*(?:or|and) (?:(less|fewer|lower|under|below|younger)|more|higher|over|above|older)"
    ).match(after)
    if following is None:
        return ""
    return "below" if following[1] else "above"


def _range_before(before: str) -> re.Match[str] | None:
    return _pattern("{range_before}$").search(before) or _pattern("{between}$").search(before)


def _one_unit(one: str, other: str) -> bool:
    return not one or not other or one == other


@cache
def _pattern(template: str) -> re.Pattern[str]:
    """Fill a template with the lists of `bounds.yaml` and compile it."""
    return re.compile(template.format(**_lists()))


@cache
def _lists() -> dict[str, str]:
    data = yaml.safe_load(files("tracejury.retrieval").joinpath("bounds.yaml").read_text("utf-8"))
    lists: dict[str, str] = {}
    for name, alternatives in data.items():
        joined = "|".join(alternatives)
        for inner, pattern in lists.items():
            joined = joined.replace("<" + inner + ">", pattern)
        lists[name] = f"(?:{joined})"
    return lists
