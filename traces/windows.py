"""The other control segmentation: windows of a fixed number of words, whatever the text says."""

from __future__ import annotations

import re

from tracejury.traces.contracts import Segmenter
from tracejury.traces.records import Segmentation, Trace
from tracejury.traces.sentences import without_marker
from tracejury.traces.spans import SegmentLimits, Span, build

_WORD = re.compile(r"\S+")


class Windows:
    """Consecutive windows of `words` words (arXiv 2605.28301, its other control).

    Windows of fewer than `shortest` characters are dropped (only the last can be), and a trace has at most `most`.
    """

    name = "windows"

    def __init__(self, words: int = 90, shortest: int = 45, most: int = 28) -> None:
        self.words = words
        self.limits = SegmentLimits(shortest, None, most)

    def segment(self, trace: Trace) -> Segmentation:
        """Cut `trace` into windows."""
        words = [Span(*m.span()) for m in _WORD.finditer(trace.text)]
        groups = [words[i : i + self.words] for i in range(0, len(words), self.words)]
        pieces = [without_marker(trace.text, Span(g[0].start, g[-1].end)) for g in groups]
        return build(self.name, trace, pieces, self.limits)


def windows(words: int = 90, shortest: int = 45, most: int = 28) -> Segmenter:
    """Make the `windows` segmenter."""
    return Windows(words, shortest, most)
