"""The number that an item's mark says, and its form: marks of one form are one list."""

from __future__ import annotations

import re
import unicodedata

from tracejury.traces.item_words import LETTERS, ROMAN

_LATIN = LETTERS[:2]
_MARKUP = re.compile(r"[*_#>]+|^[-+]")
_PLACE = re.compile(
    r"(?P<circled>[①-⑳⑴-⒇❶-❿㊀-㊉])|(?:\d+\.)?(?P<digits>\d+)|(?P<chinese>[一二三四五六七八九十]+)"
    rf"|(?<![A-Za-zА-я])(?P<letter>[{''.join(LETTERS[:4])}])(?![A-Za-zА-я°º])"
    rf"|(?P<syllable>[{''.join(LETTERS[4:])}])(?=[.)）])"
)
_ROMAN = re.compile(r"(?<![A-Za-z])(?:[ivx]{1,4}|[IVX]{1,4})(?![A-Za-z])")
_DIGITS = "一二三四五六七八九"


def item_places(mark: str) -> dict[str, int]:
    """Return the number of a mark by its form, which is the mark with a sign for the number; empty for "First,".

    "i)" is the first in Roman numbers and the ninth letter, so a mark may have a place in two lists.
    """
    bare = " ".join(_MARKUP.sub("", mark).split())
    places: dict[str, int] = {}
    roman = _ROMAN.search(bare)
    if roman and roman[0].lower() in ROMAN:
        places[_form(bare, roman.span(), roman[0][0])] = ROMAN.index(roman[0].lower()) + 1
    if place := _PLACE.search(bare):
        kind = place.lastgroup or ""
        number, sign = _number(kind, place[kind])
        places[_form(bare, place.span(kind), sign)] = number
    return places


def is_lettered(places: dict[str, int]) -> bool:
    """Whether a mark is nothing but a Latin letter: options are lettered, too, so one alone is no item."""
    return bool(places) and all(form.strip("(（)）.") in {f"<{row[0]}>" for row in _LATIN} for form in places)


def _form(bare: str, number: tuple[int, int], sign: str) -> str:
    start, end = number
    return f"{bare[:start].casefold()}<{sign}>{bare[end:].casefold()}"


def _number(kind: str, sign: str) -> tuple[int, str]:
    """Return the number that a sign stands for, and the first sign of its row."""
    if kind == "digits":
        return int(sign), "1"
    if kind == "circled":
        return int(unicodedata.numeric(sign)), "①"
    if kind == "chinese":
        return _chinese_number(sign), "一"
    row = next(row for row in LETTERS if sign in row)
    return row.index(sign) + 1, row[0]


def _chinese_number(text: str) -> int:
    tens, ten, ones = text.partition("十")
    if not ten:
        return _DIGITS.index(text[0]) + 1
    return 10 * (_DIGITS.index(tens[0]) + 1 if tens else 1) + (_DIGITS.index(ones[0]) + 1 if ones else 0)
