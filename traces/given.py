"""Steps that a trace brings itself, with the labels that its data set has for them."""

from __future__ import annotations

from tracejury.traces.contracts import Segmenter
from tracejury.traces.records import GivenStep, Segmentation, Step, Trace


class Given:
    """The trace's own steps, one to one: none is cut, dropped or capped."""

    name = "given"

    def segment(self, trace: Trace) -> Segmentation:
        """Return the steps of `trace`; none where it brings none."""
        steps, cursor = [], 0
        for index, given in enumerate(trace.steps or ()):
            start, end = _place(trace.text, given, cursor)
            cursor = max(cursor, end)
            steps.append(
                Step(
                    trace_id=trace.id,
                    index=index,
                    start=start,
                    end=end,
                    text=given.text,
                    label=given.label,
                    error_type=given.error_type,
                )
            )
        return Segmentation(segmenter=self.name, steps=tuple(steps))


def _place(text: str, given: GivenStep, cursor: int) -> tuple[int, int]:
    """Return the step's offsets, its own where they hold; (-1, -1) where the trace does not contain it."""
    if given.start is not None and given.end is not None and text[given.start : given.end] == given.text:
        return given.start, given.end
    found = text.find(given.text, cursor)
    return (-1, -1) if found < 0 else (found, found + len(given.text))


def given() -> Segmenter:
    """Make the `given` segmenter."""
    return Given()
