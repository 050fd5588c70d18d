"""Steps that a trace brings itself, with the labels that its data set has for them."""

from __future__ import annotations

from tracejury.traces.contracts import Segmenter
from tracejury.traces.records import GivenStep, Segmentation, Step, Trace


class OwnSteps:
    """The trace's own steps, one to one: none is cut, dropped or capped."""

    name = "given"

    def segment(self, trace: Trace) -> Segmentation:
        """Return the steps of `trace`; none where it brings none."""
        steps, cursor = [], 0
        for index, own in enumerate(trace.steps or ()):
            start, end = _place(trace.text, own, cursor)
            cursor = max(cursor, end)
            steps.append(
                Step(
                    trace_id=trace.id,
                    index=index,
                    start=start,
                    end=end,
                    text=own.text,
                    label=own.label,
                    error_type=own.error_type,
                )
            )
        return Segmentation(segmenter=self.name, steps=tuple(steps))


def _place(text: str, step: GivenStep, cursor: int) -> tuple[int, int]:
    """Return the step's offsets, its own where they hold; (-1, -1) where the trace does not contain it."""
    if step.start is not None and step.end is not None and text[step.start : step.end] == step.text:
        return step.start, step.end
    at = text.find(step.text, cursor)
    return (-1, -1) if at < 0 else (at, at + len(step.text))


def own_steps() -> Segmenter:
    """Make the `given` segmenter."""
    return OwnSteps()
