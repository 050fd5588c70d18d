"""A phrase that tells the answer, and the words by which a text that cannot hold it is known at once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_TAIL = 500
_BEFORE_WORD = 200
"""Characters that a phrase has at most before the first of its words."""


def holds_one(text: str, words: tuple[str, ...]) -> bool:
    """Whether one of `words` stands in `text`."""
    for word in words:  # noqa: SIM110 - `any` takes twice as long, and every reply is asked dozens of times
        if word in text:
            return True
    return False


class Cue(NamedTuple):
    """A phrase: group 1 of its pattern is the letter, group 2 what may be further letters."""

    pattern: re.Pattern[str]
    words: tuple[str, ...] = ()
    """One of these stands, in small letters, in any text that the pattern matches; empty: the text is not all ASCII."""
    before_word: int = _BEFORE_WORD
    """Characters that a match has at most before the first of these words."""

    def may_match(self, text: str, small: str) -> bool:
        """Whether the text may have matches: looking for a few words is a hundred times as quick as the pattern."""
        return holds_one(small, self.words) if self.words else not text.isascii()

    def matches(self, text: str, small: str) -> Iterator[re.Match[str]]:
        """Yield the matches, the last first; `small` is the text in small letters."""
        # Most replies say the answer at their end; what is denied there is looked for in the whole.
        if len(text) > 2 * _TAIL:
            yield from reversed(list(self.pattern.finditer(text, self._begin(text, small, len(text) - _TAIL))))
        yield from reversed(list(self.pattern.finditer(text)))

    def _begin(self, text: str, small: str, begin: int) -> int:
        """Return where the first match from `begin` on can begin."""
        # Small letters may be more characters than capitals (\u0130), and then the places differ.
        if not self.words or len(small) != len(text):
            return begin
        places = [place for word in self.words if (place := small.find(word, begin)) >= 0]
        return max(begin, min(places) - self.before_word) if places else len(text)


def cues(*phrases: tuple[str, str] | tuple[str, str, int]) -> tuple[Cue, ...]:
    """Return the cues of patterns, each with its words, parted by bars, and what may stand before the first of them."""
    return tuple(
        Cue(re.compile(pattern, re.IGNORECASE), tuple(words.split("|")) if words else (), *before)
        for words, pattern, *before in phrases
    )
