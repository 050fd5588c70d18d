"""The text of a trace, cut into the steps that were judged and the text between them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from tracejury.agents import Deliberation
from tracejury.traces import Trace


class Part(NamedTuple):
    """A step with its deliberation, or (None) text that belongs to no step."""

    text: str
    deliberation: Deliberation | None = None


def transcript(trace: Trace, deliberations: Iterable[Deliberation]) -> list[Part]:
    """Return the trace in its own order and layout.

    Steps that the trace brought without containing them word by word are listed one below the other after it.
    """
    parts, at, apart = [], 0, []
    for one in sorted(deliberations, key=lambda d: (d.step.start, d.step.index)):
        step = one.step
        if step.start < at or trace.text[step.start : step.end] != step.text:
            apart.append(one)
            continue
        if step.start > at:
            parts.append(Part(trace.text[at : step.start]))
        parts.append(Part(step.text, one))
        at = step.end
    if at < len(trace.text):
        parts.append(Part(trace.text[at:]))
    for one in sorted(apart, key=lambda d: d.step.index):
        parts += [Part("\n"), Part(one.step.text, one)]
    return parts


def kind(deliberation: Deliberation) -> str:
    """Return the name and tint of a step: its outcome, or `no_claim`."""
    return deliberation.verdict.outcome.value if deliberation.verdict.claim else "no_claim"
