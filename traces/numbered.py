"""The paper's primary segmentation: numbered items, or paragraphs where nothing is numbered."""

from __future__ import annotations

import re
from itertools import pairwise

from tracejury.traces.closing import closing_answer_start
from tracejury.traces.contracts import Segmenter
from tracejury.traces.records import Segmentation, Trace
from tracejury.traces.spans import SegmentLimits, Span, build

_ITEM = re.compile(
    r"^[ \t]*(?:#{1,6}[ \t]+|>[ \t]*|[-*+][ \t]+)?(?:\*\*|__)?"
    r"(?:step[ \t]*\d{1,3}(?:[ \t]*[:.)\u2013-]+(?:\*\*|__)?|(?:\*\*|__)?(?=\s))"
    r"|\(?\d{1,2}[.):](?:\*\*|__)?(?=\s))[ \t]*",
    re.MULTILINE | re.IGNORECASE,
)
_BLANK = re.compile(r"\n[ \t\r]*\n\s*")


class Numbered:
    """Numbered items ("1.", "Step 2:"), else blank-line paragraphs (arXiv 2605.28301, its primary segmentation).

    Item bodies have more than `item_over` characters, paragraphs more than `paragraph_over`; a step is cut at `longest`
    characters and a trace has at most `most` steps. What stands before the first item is counted as dropped.
    """

    name = "numbered"

    def __init__(self, item_over: int = 20, paragraph_over: int = 30, longest: int = 800, most: int = 12) -> None:
        self.items = SegmentLimits(item_over + 1, longest, most)
        self.paragraphs = SegmentLimits(paragraph_over + 1, longest, most)

    def segment(self, trace: Trace) -> Segmentation:
        """Cut `trace` into its numbered items or paragraphs."""
        text = trace.text
        closing = closing_answer_start(text)
        end = len(text) if closing is None else closing
        stripped = closing is not None
        marks = [Span(*m.span()) for m in _ITEM.finditer(text, 0, end)]
        if not marks:
            cuts = [0, *(m.end() for m in _BLANK.finditer(text, 0, end)), end]
            pieces = [Span(a, b) for a, b in pairwise(cuts)]
            return build(self.name, trace, pieces, self.paragraphs, stripped=stripped)
        ends = [*(mark.start for mark in marks[1:]), end]
        pieces = [Span(mark.end, stop) for mark, stop in zip(marks, ends, strict=True)]
        # An item without a body ("3." and nothing) is a piece left out like any other.
        dropped = int(bool(text[: marks[0].start].strip())) + sum(not text[a:b].strip() for a, b in pieces)
        return build(self.name, trace, pieces, self.items, dropped=dropped, stripped=stripped)


def numbered(item_over: int = 20, paragraph_over: int = 30, longest: int = 800, most: int = 12) -> Segmenter:
    """Make the `numbered` segmenter; lengths in characters."""
    return Numbered(item_over, paragraph_over, longest, most)
