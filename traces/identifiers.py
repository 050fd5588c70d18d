"""What identifies a person in clinical text, by rule: dates, numbers, addresses, names that a title gives away.

Rules, because nothing may leave the machine before they have run, and a model that finds names would have to be fetched
first. What they cannot see is a name without a title or a label in front of it (docs/security.md has the figures).
Compatibility forms and invisible characters are undone first. Clinical figures must stay what they are, so every rule
asks for a shape that no dose, value, score or duration has.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tracejury.traces.alternation import any_of
from tracejury.traces.hl7_fields import hl7_identifiers
from tracejury.traces.identifier_contexts import CONTEXTS
from tracejury.traces.identifier_labels import LABELLED
from tracejury.traces.identifier_rules import EPONYM, NAME_WORD, RULES
from tracejury.traces.identifier_words import GIVEN_NAMES, NO_NAMES


class Identifier(NamedTuple):
    """A span that identifies somebody."""

    kind: str
    start: int
    end: int


def identifiers(text: str, names: tuple[str, ...] = ()) -> list[Identifier]:
    """Find the identifiers in `text`, in order, none within another.

    Args:
        text: Any text.
        names: Names that are known from elsewhere (the vignette), found again wherever they stand.
    """
    plain, offsets = _plain(text)
    candidates: list[Identifier] = []
    near_digits = _near_digits(plain)
    for kind, rule in (*RULES, *LABELLED, *CONTEXTS):
        stretches = near_digits if kind in _WITH_DIGITS else [(0, len(plain))]
        for match in (match for stretch in stretches for match in rule.finditer(plain, *stretch)):
            # A rule with a label in front keeps the label: "MRN 123456" becomes "MRN [ID_1]".
            group = next((g for g, value in match.groupdict().items() if value is not None), 0)
            candidates.append(Identifier(kind, match.start(group), match.end(group)))
    candidates += [Identifier(*field) for field in hl7_identifiers(plain)]
    candidates += _with_given_name(plain)
    person_names = set(names) | {plain[i.start : i.end] for i in candidates if i.kind == "NAME"}
    candidates.extend(_again(plain, person_names))
    # What begins first has it; of those, the longer.
    chosen: list[Identifier] = []
    for one in sorted(candidates, key=lambda i: (i.start, -i.end)):
        if not chosen or one.start >= chosen[-1].end:
            chosen.append(one)
    return [Identifier(i.kind, offsets[i.start], offsets[i.end - 1] + 1) for i in chosen]


_WITH_DIGITS = {"ID", "PHONE", "SSN", "DATE"}
"""Kinds whose values have a digit: prose without one need not be read for them."""
_DIGITS = re.compile(r"\d+(?:\D{1,160}\d+){0,200}")
_BEFORE_DIGITS, _BEHIND_DIGITS = 100, 60


def _near_digits(text: str) -> list[tuple[int, int]]:
    """Return the stretches of `text` with digits, and with the labels before and the units behind them."""
    stretches: list[tuple[int, int]] = []
    for digits in _DIGITS.finditer(text):
        # They begin and end at blanks, so that no word is cut.
        start = text.rfind(" ", 0, max(digits.start() - _BEFORE_DIGITS, 0)) + 1
        end = _blank_behind(text, digits.end() + _BEHIND_DIGITS)
        if stretches and start <= stretches[-1][1]:
            start, end = stretches[-1][0], max(end, stretches.pop()[1])
        stretches.append((start, end))
    return stretches


def _blank_behind(text: str, place: int) -> int:
    blank = text.find(" ", place)
    return len(text) if blank < 0 else blank


_TWO_NAMES = re.compile(
    rf"(?<![\w-])(?P<given>{NAME_WORD})(?:[ ][A-Z]\.?)?"
    rf"(?:[ ](?!{any_of(NO_NAMES)}\b){NAME_WORD}){{1,2}}(?![\w-]){EPONYM}"
)


def _with_given_name(text: str) -> Iterator[Identifier]:
    """Find a given name with another name behind it, whatever stands around them."""
    for name in _TWO_NAMES.finditer(text):
        if name["given"].title() in GIVEN_NAMES:
            yield Identifier("NAME", name.start(), name.end())


_DASHES = dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-")


def _plain(text: str) -> tuple[str, Sequence[int]]:
    """Return `text` in compatibility form, without invisible characters, and where each of its characters was."""
    if text.isascii():
        return text, range(len(text))
    characters: list[str] = []
    offsets: list[int] = []
    for place, character in enumerate(text):
        if unicodedata.category(character) == "Cf":
            continue
        for plain in unicodedata.normalize("NFKC", _DASHES.get(character, character)):
            characters.append(plain)
            offsets.append(place)
    return "".join(characters), offsets


def _again(text: str, names: set[str]) -> Iterator[Identifier]:
    """Find names that a title gave away once, and their last parts, wherever else they stand."""
    parts = names | {part for name in names if len(part := name.replace(",", " ").split()[-1].strip(".")) > 3}
    # One pattern for all names: one pass over the text, however many there are.
    by_first: dict[str, list[str]] = {}
    for part in sorted(parts, key=len, reverse=True):
        if first := re.match(r"\w+", part):
            by_first.setdefault(first[0], []).append(part)
    if not by_first:
        return
    for word in re.finditer(r"(?<!\w)\w+", text):
        for part in by_first.get(word[0], ()):
            end = word.start() + len(part)
            whole = text.startswith(part, word.start()) and not text[end : end + 1].isalnum()
            if whole and _EPONYM_AFTER.match(text, end):
                yield Identifier("NAME", word.start(), end)
                break


_EPONYM_AFTER = re.compile(EPONYM)
