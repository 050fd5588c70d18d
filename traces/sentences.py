"""The paper's control segmentation: sentences packed into chunks of even size."""

from __future__ import annotations

import re

from tracejury.traces.contracts import Segmenter
from tracejury.traces.records import Segmentation, Trace
from tracejury.traces.spans import SegmentLimits, Span, build
from tracejury.traces.splitting import split_sentences

_MARKER = re.compile(
    r"(?:[ \t]*(?:#{1,6}[ \t]+|>[ \t]*|[-*+\u2022][ \t]+|(?:\*\*|__)?step[ \t]*\d{1,3}[ \t]*[:.)\u2013-]+(?:\*\*|__)?"
    r"|\(?\d{1,2}[.)](?=[ \t*_])))+[ \t]*",
    re.IGNORECASE,
)


def without_marker(text: str, span: Span) -> Span:
    """Return the span without the list marker, enumerator or heading sign that it begins with."""
    marker = _MARKER.match(text, span.start, span.end)
    return span if marker is None else Span(marker.end(), span.end)


class Sentences:
    """Sentences packed greedily to at most `longest` characters (arXiv 2605.28301, its control segmentation).

    Chunks have at least `shortest` characters and a trace at most `most` chunks. A chunk is one span of the trace, so a
    marker is stripped where it begins one; those inside go when the style is blinded. A sentence that is longer than a
    chunk may be is cut, and counted.
    """

    name = "sentences"

    def __init__(self, longest: int = 650, shortest: int = 45, most: int = 28) -> None:
        self.limits = SegmentLimits(shortest, longest, most)
        self.longest = longest

    def segment(self, trace: Trace) -> Segmentation:
        """Cut `trace` into chunks of sentences."""
        chunks: list[Span] = []
        dropped = 0
        for sentence in split_sentences(trace.text):
            bare = without_marker(trace.text, sentence)
            if not any(c.isalnum() for c in trace.text[bare.start : bare.end]):
                # A rule, the line under a table's head, a lone marker: it states nothing.
                dropped += 1
            elif chunks and bare.end - chunks[-1].start <= self.longest:
                chunks[-1] = Span(chunks[-1].start, bare.end)
            else:
                chunks.append(bare)
        return build(self.name, trace, chunks, self.limits, dropped=dropped)


def sentences(longest: int = 650, shortest: int = 45, most: int = 28) -> Segmenter:
    """Make the `sentences` segmenter; lengths in characters."""
    return Sentences(longest, shortest, most)
