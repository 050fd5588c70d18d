"""Cutting a trace into steps, by name, with roles, hedges and labels filled in."""

from __future__ import annotations

from tracejury.traces.contracts import Segmenter
from tracejury.traces.coverage import text_counts
from tracejury.traces.guarded import guard_segmenter
from tracejury.traces.hedging import count_hedges
from tracejury.traces.plugins import Contract
from tracejury.traces.records import Segmentation, Trace
from tracejury.traces.registry import Registry
from tracejury.traces.roles import step_role

SEGMENTER = Contract({"name": str}, "segment", arguments=1)
segmenters: Registry[Segmenter] = Registry("tracejury.segmenters", "segmenter", SEGMENTER, guard_segmenter)
"""The segmenters installed: `segmenters.entries()` lists them."""
DEFAULT_SEGMENTER = "reasoning"
"""What `auto` uses for a trace that brings no steps."""


def segment(trace: Trace, name: str = "auto", **params: object) -> Segmentation:
    """Cut `trace` into steps.

    Args:
        trace: The trace.
        name: A registered segmenter, or `auto`: the trace's own steps where it brings any, else `reasoning`.
        params: Passed to the segmenter.

    Raises:
        UnknownNameError: No segmenter has this name.
    """
    if name == "auto":
        name = DEFAULT_SEGMENTER if trace.steps is None else "given"
    segmentation = segmenters.make(name, **params).segment(trace)
    steps = tuple(
        s.model_copy(update={"role": step_role(s.text), "hedges": count_hedges(s.text)}) for s in segmentation.steps
    )
    text_chars, judged_chars = text_counts(trace, steps)
    return segmentation.model_copy(update={"steps": steps, "text_chars": text_chars, "judged_chars": judged_chars})


def segmenter_rule(name: str) -> str:
    """Return what a segmenter's name stands for, for records: `auto` stands for another one in another version."""
    return f"auto ({DEFAULT_SEGMENTER})" if name == "auto" else name
