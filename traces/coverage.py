"""How much of a trace's text is in its steps, and what became of the rest."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from tracejury.traces.closing import closing_answer_start
from tracejury.traces.item_marks import ITEM, SERIES_ITEM
from tracejury.traces.records import Record, Segmentation, Step, Trace
from tracejury.traces.spans import Span

_MARK = re.compile(r"<[^<>\s][^<>]{0,80}>|\[/?THINK\]")
_ENUMERATOR = re.compile(
    r"(?:step|paso|schritt|\u00e9tape|passo|\u6b65\u9aa4)\s*\d{1,3}|\(?\d{1,2}[.):\u3001\uff0e]|[\W_]+", re.IGNORECASE
)
"""With template marks, what may stand between steps and says nothing: enumerators, bullets, rules and white space."""

_LOOK_AHEAD = 40
"""Characters of a step that its mark is read with."""


def text_counts(trace: Trace, steps: Sequence[Step]) -> tuple[int, int]:
    """Return the characters of a trace that say something, and those of them that are in a step; white space left out.

    The closing sentence that repeats the answer, enumerators, list and template marks are not counted. Steps that the
    trace brought and does not contain are counted by their own length, up to that of the text.
    """
    closing = closing_answer_start(trace.text)
    end = len(trace.text) if closing is None else closing
    spans = sorted(Span(s.start, s.end) for s in steps if s.start >= 0)
    judged = left_out = at = 0
    for start, stop in [*spans, Span(end, end)]:
        if start > at:
            between = trace.text[at : _mark_start(trace.text, at, start)]
            left_out += len(_ENUMERATOR.sub("", _MARK.sub(" ", between)))
        judged += _length(trace.text[max(at, start) : stop])
        at = max(at, stop)
    if any(step.start < 0 for step in steps):
        judged = min(judged + sum(_length(s.text) for s in steps if s.start < 0), judged + left_out)
        left_out = 0 if judged else left_out
    return judged + left_out, judged


def _mark_start(text: str, at: int, step: int) -> int:
    """Return where the mark of the item that begins at `step` stands; `step` itself where it has none."""
    marks = (mark for pattern in (ITEM, SERIES_ITEM) for mark in pattern.finditer(text, at, step + _LOOK_AHEAD))
    return next((mark.start() for mark in marks if mark.end() == step), step)


def _length(text: str) -> int:
    return sum(not c.isspace() for c in text)


class TextCoverage(Record):
    """How much of the text of some traces was in steps; counts."""

    traces: int = 0
    text_chars: int = 0
    judged_chars: int = 0
    cut_chars: int = 0
    cut_steps: int = 0
    """Steps that were shortened by the segmenter's limit."""
    dropped: int = 0
    """Pieces too short to be steps."""
    capped: int = 0
    """Pieces beyond the segmenter's maximum number."""
    capped_traces: int = 0
    without_steps: int = 0
    closing_sentences: int = 0
    """Traces whose closing sentence repeats the answer and is no step."""

    @property
    def judged_share(self) -> float | None:
        """Share of the text that is in steps; None where there is no text."""
        return self.judged_chars / self.text_chars if self.text_chars else None

    def plus(self, segmentation: Segmentation, *, has_steps: bool) -> TextCoverage:
        """Return these counts with those of one more trace."""
        return TextCoverage(
            traces=self.traces + 1,
            text_chars=self.text_chars + segmentation.text_chars,
            judged_chars=self.judged_chars + segmentation.judged_chars,
            cut_chars=self.cut_chars + segmentation.cut_chars,
            cut_steps=self.cut_steps + segmentation.cut_steps,
            dropped=self.dropped + segmentation.dropped,
            capped=self.capped + segmentation.capped,
            capped_traces=self.capped_traces + (segmentation.capped > 0),
            without_steps=self.without_steps + (not has_steps and segmentation.text_chars > 0),
            closing_sentences=self.closing_sentences + segmentation.stripped_answer,
        )

    def sentence(self) -> str:
        """Return what was judged and what was not, such as "86.6 % of the text was judged; ..."."""
        if self.judged_share is None:
            return "there is no text to judge"
        parts = [f"{100 * self.judged_share:.1f} % of the text was judged"]
        if self.capped:
            parts.append(f"{self.capped} pieces of {self.capped_traces} trace(s) were beyond the cap")
        if self.cut_steps:
            parts.append(f"{self.cut_steps} steps were cut, by {self.cut_chars:,} characters")
        if self.dropped:
            parts.append(f"{self.dropped} pieces were too short")
        if self.without_steps:
            parts.append(f"{self.without_steps} of {self.traces} traces have no step")
        if self.closing_sentences:
            several = "s repeat the answer and are no steps"
            one = " repeats the answer and is no step"
            parts.append(f"{self.closing_sentences} closing sentence{one if self.closing_sentences == 1 else several}")
        return "; ".join(parts)


def text_coverage(segmentations: Iterable[Segmentation]) -> TextCoverage:
    """Add up what became of the text of several traces."""
    total = TextCoverage()
    for segmentation in segmentations:
        total = total.plus(segmentation, has_steps=bool(segmentation.steps))
    return total
