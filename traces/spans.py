"""From character spans to steps: lengths checked, limits applied, everything counted."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from tracejury.traces.records import Segmentation, Step, Trace


class Span(NamedTuple):
    """A half-open range of characters of a trace's text."""

    start: int
    end: int


class SegmentLimits(NamedTuple):
    """What a segmenter leaves out. Lengths in characters."""

    shortest: int = 0
    """Pieces of fewer characters are dropped."""
    longest: int | None = None
    """Longer pieces are cut here."""
    most: int | None = None
    """Pieces beyond this number are left out."""


def trimmed(text: str, start: int, end: int) -> Span:
    """Return the span without white space at its ends."""
    piece = text[start:end]
    left = len(piece) - len(piece.lstrip())
    return Span(start + left, start + left + len(piece.strip()))


def within(spans: Sequence[Span], place: int) -> bool:
    """Whether `place` lies inside one of `spans`, which are in order and apart; their beginnings lie outside."""
    n = bisect_right(spans, (place,)) - 1
    return n >= 0 and spans[n].start < place < spans[n].end


def build(
    name: str, trace: Trace, pieces: list[Span], limits: SegmentLimits, *, dropped: int = 0, stripped: bool = False
) -> Segmentation:
    """Make a segmentation of `pieces`.

    Args:
        name: The segmenter.
        trace: What the spans index into.
        pieces: In order; white space at their ends is taken off.
        limits: Applied in the order shortest, most, longest.
        dropped: Pieces that the caller left out already.
        stripped: Whether a closing answer sentence was taken off.
    """
    spans = [s for s in (trimmed(trace.text, *p) for p in pieces) if s.start < s.end]
    long_enough = [s for s in spans if s.end - s.start >= limits.shortest]
    dropped += len(spans) - len(long_enough)
    within_cap = long_enough if limits.most is None else long_enough[: limits.most]
    steps, cut_chars, cut_steps = [], 0, 0
    for index, (start, end) in enumerate(within_cap):
        if limits.longest is not None and end - start > limits.longest:
            cut_chars += end - start - limits.longest
            cut_steps += 1
            end = start + limits.longest
        steps.append(Step(trace_id=trace.id, index=index, start=start, end=end, text=trace.text[start:end]))
    return Segmentation(
        segmenter=name,
        steps=tuple(steps),
        cut_chars=cut_chars,
        cut_steps=cut_steps,
        dropped=dropped,
        capped=len(long_enough) - len(within_cap),
        stripped_answer=stripped,
    )
