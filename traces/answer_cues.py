"""A phrase that tells the answer, and the words by which a text that cannot hold it is known at once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_TAIL = 500
_BEFORE_WORD = 200
"""Characters that a phrase has at most before the first of its words."""


class Cue(NamedTuple):
    """A phrase: group 1 of its pattern is the letter, group 2 what may be further letters."""

    pattern: re.Pattern[str]
    words: tuple[str, ...] = ()
    """One of these stands, in small letters, in any text that the pattern matches; empty: the text is not all ASCII."""

    def matches(self, text: str, small: str) -> Iterator[re.Match[str]]:
        """Yield the matches, the last first; `small` is the text in small letters."""
        # Looking for a few words is a hundred times as quick as the pattern.
        if any(word in small for word in self.words) if self.words else not text.isascii():
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
        return max(begin, min(places) - _BEFORE_WORD) if places else len(text)


def cues(*phrases: tuple[str, str]) -> tuple[Cue, ...]:
    """Return the cues of patterns, each with its words, parted by bars."""
    return tuple(
        Cue(re.compile(pattern, re.IGNORECASE), tuple(words.split("|")) if words else ()) for words, pattern in phrases
    )
