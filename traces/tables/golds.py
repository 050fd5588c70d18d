"""Gold answers as files have them: a letter, a position from 0 or from 1, a text, or several of these."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from tracejury.traces.answers import extract_answer, option_in_value

_EMPTY = {"", "nan", "none", "null", "n/a", "<na>"}
_LETTERS = re.compile(r"[A-Z](?:\s*(?:,|;|/|&|\+|\band\b|\bor\b)?\s*[A-Z])+")
_SENTENCE = 200
"""Characters up to which a gold is looked at as a sentence, such as "The answer is D"."""
_NUMBERED_OPTION = re.compile(r"(?:option|choice|answer|alternative)\s*(?:no\.?|number|#)?\s*(\d{1,2})", re.IGNORECASE)
_POSITION_BEGINS = re.compile(r"\W*(?:\d|option|choice|answer|alternative)", re.IGNORECASE)
_WHOLE_NUMBER = re.compile(r"-?\d{1,3}(?:\.0+)?")


class Gold(NamedTuple):
    """A gold value, read against the question's options."""

    key: str | None = None
    """The key of an option, several one-letter keys in one (`BD`), or a text where nothing matches."""
    position: int | None = None
    """A position among the options, where the value is a number and it is not known where counting starts."""
    aliases: tuple[str, ...] = ()
    """Other texts that are as good, of a question without options."""


_NO_GOLD = Gold()


def read_gold(value: object, options: Mapping[str, str], first: int | None = None) -> Gold:
    """Read a gold value.

    Args:
        value: As the file has it.
        options: The question's options; empty where it has none.
        first: Where positions start, 0 or 1; None: not known, numbers come back as `position`.
    """
    if value is None:
        return _NO_GOLD
    if isinstance(value, list):
        return _several(value, options, first)
    if isinstance(value, bool | dict) or str(value).strip().lower() in _EMPTY:
        return Gold(str(value) if isinstance(value, bool) else None)
    text = str(value).strip()
    if not options:
        return Gold(text)
    if len(text) == 1 and text in options and text.isalpha() and text.swapcase() not in options:
        return Gold(text)
    keys = {key.casefold(): key for key in options}
    bare = text.strip("()[]{}.:*$\"' ")
    if bare.casefold() in keys:
        return Gold(keys[bare.casefold()])
    if _WHOLE_NUMBER.fullmatch(text):
        return _at(int(float(text)), options, first)
    if (numbered := _NUMBERED_OPTION.fullmatch(bare)) is not None:
        return Gold(keys[numbered[1]]) if numbered[1] in keys else _at(int(numbered[1]), options, first)
    if _LETTERS.fullmatch(bare) and all(letter in options for letter in re.findall(r"[A-Z]", bare)):
        return Gold("".join(sorted(set(re.findall(r"[A-Z]", bare)))))
    exact = [key for key, option in options.items() if option.strip().casefold() == text.casefold()]
    if exact:
        return Gold(exact[0])
    in_sentence = extract_answer(text, options) if len(text) <= _SENTENCE else None
    return Gold(option_in_value(text, options) or _beginning(text, options) or in_sentence or text)


def may_be_position(value: object) -> bool:
    """Whether a gold value may be read as a position, which its question's options decide."""
    if not isinstance(value, str):
        return value is not None
    if not _POSITION_BEGINS.match(value):
        return False
    text = value.strip()
    return bool(_WHOLE_NUMBER.fullmatch(text) or _NUMBERED_OPTION.fullmatch(text.strip("()[]{}.:*$\"' ")))


def _several(values: list[object], options: Mapping[str, str], first: int | None) -> Gold:
    values = [value for value in values if value is not None and str(value).strip()]
    if (
        len(values) > 1
        and len(values) == len(options)
        and all(v in (0, 1, True, False) for v in values)
        and any(values)
    ):
        return Gold("".join(key for key, flag in zip(options, values, strict=True) if flag))
    if not values:
        return Gold()
    if len(values) == 1:
        return read_gold(values[0], options, first)
    if not options:
        return Gold(str(values[0]).strip(), aliases=tuple(str(value).strip() for value in values[1:]))
    read = [read_gold(value, options, first) for value in values]
    if any(gold.position is not None for gold in read):
        return Gold(position=read[0].position)
    keys = [gold.key for gold in read if gold.key in options]
    if len(keys) == len(values) and all(len(key) == 1 for key in keys if key):
        return Gold("".join(sorted({key for key in keys if key})))
    # Texts of which one is an option: ways of saying the same.
    return Gold(keys[0]) if len(set(keys)) == 1 else Gold(", ".join(str(value) for value in values))


def _at(number: int, options: Mapping[str, str], first: int | None) -> Gold:
    if first is None:
        return Gold(position=number)
    keys = list(options)
    position = number - first
    return Gold(keys[position] if 0 <= position < len(keys) else str(number))


def _beginning(text: str, options: Mapping[str, str]) -> str | None:
    """Return the option whose words a longer text begins with (`TSH. Explanation: ...`); the longest, if several."""
    folded = text.casefold()
    begun = [
        key
        for key, option in options.items()
        if option and re.match(rf"{re.escape(option.strip().casefold())}(?=\s*[.,;:(\n]|\s+-)", folded)
    ]
    return max(begun, key=lambda key: len(options[key]), default=None)


def gold_key(value: object, options: Mapping[str, str], first: int = 0) -> str | None:
    """Return the key that a gold value means, or the text where it means none; positions count from `first`."""
    return read_gold(value, options, first).key


class PositionCount:
    """Finds where positions start, from all golds of a file: a 0 says from 0, the number of options says from 1."""

    def __init__(self) -> None:
        self.positions = self.zeros = self.last = self.outside = 0

    def add(self, gold: Gold, options: Mapping[str, str]) -> None:
        """Count one gold."""
        if gold.position is not None:
            self.positions += 1
            self.zeros += gold.position == 0
            self.last += gold.position == len(options)
            self.outside += not 0 <= gold.position <= len(options)

    @property
    def first(self) -> int | None:
        """0 or 1; None where the golds do not show it, or contradict each other."""
        return None if bool(self.zeros) == bool(self.last) else 0 if self.zeros else 1
