"""The calls of one trace in time, and what each judge cost, from the deliberations' own call records."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from tracejury.agents import Deliberation
from tracejury.models import CallRecord

_WIDE, _LEFT, _LANE = 900, 84, 7
_LONGEST_GAP_S = 5.0
"""Times in which nothing was asked are drawn no longer than this, with a break: a resumed run has hours of them."""
MOST_STEPS = 120


class Bar(NamedTuple):
    """One call, in the units of the SVG."""

    x: float
    y: float
    wide: float
    judge: int
    """Place of its purpose in `Timeline.spent`."""
    words: str


class Lane(NamedTuple):
    """The calls of one step."""

    number: int
    """From 1."""
    y: float
    high: float
    bars: list[Bar]


class Spent(NamedTuple):
    """What the calls of one purpose came to."""

    purpose: str
    calls: int
    from_cache: int
    seconds: float
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    cost_usd: float


class Timeline(NamedTuple):
    """A trace in time."""

    lanes: list[Lane]
    breaks: list[tuple[float, str]]
    """Where a pause was cut short, and how long it was."""
    wide: int
    high: float
    seconds: float
    """From the first call's start to the last one's end, pauses included."""
    spent: list[Spent]
    left_out: int
    """Steps beyond `MOST_STEPS`."""


def timeline(deliberations: Sequence[Deliberation]) -> Timeline:
    """Return the calls that were made (replies from the cache took no time) as bars, a lane a step."""
    spent = spent_by_purpose(call for d in deliberations for call in d.calls)
    order = {line.purpose: i for i, line in enumerate(spent)}
    by_step = [(d.step.index + 1, [(*_interval(c), c) for c in d.calls if not c.from_cache]) for d in deliberations]
    shown_steps = [(number, calls) for number, calls in by_step if calls][:MOST_STEPS]
    intervals = [(start, end) for _, calls in shown_steps for start, end, _ in calls]
    if not intervals:
        return Timeline([], [], _WIDE, 0, 0.0, spent, 0)
    scale = _Scale(intervals)
    lanes, y = [], 24.0
    for number, calls in shown_steps:
        rows = sorted({_purpose(c) for _, _, c in calls}, key=lambda name: order[name])
        bars = [
            Bar(
                scale.x(start),
                y + 3 + _LANE * rows.index(_purpose(call)),
                max(round(scale.x(end) - scale.x(start), 1), 1.5),
                order[_purpose(call)] % 6,
                f"{call.purpose}: {end - start:.2f} s, {call.attempts} attempt{'' if call.attempts == 1 else 's'}",
            )
            for start, end, call in calls
        ]
        high = 6 + _LANE * len(rows)
        lanes.append(Lane(number, y, high, bars))
        y += high + 3
    seconds = max(end for _, end in intervals) - min(start for start, _ in intervals)
    return Timeline(lanes, scale.breaks, _WIDE, y + 6, seconds, spent, len(by_step) - len(shown_steps))


def spent_by_purpose(calls: Iterable[CallRecord]) -> list[Spent]:
    """Sum up calls by judge (`judge:facts`), resolver and the like, the dearest first."""
    groups: dict[str, list[CallRecord]] = defaultdict(list)
    for call in calls:
        groups[_purpose(call)].append(call)
    lines = []
    for purpose, own in groups.items():
        paid = [c for c in own if not c.from_cache]
        lines.append(
            Spent(
                purpose,
                len(own),
                len(own) - len(paid),
                sum(c.latency_s for c in paid),
                sum(c.prompt_tokens for c in own),
                sum(c.cached_tokens for c in own),
                sum(c.completion_tokens for c in own),
                sum(c.cost_usd for c in paid),
            )
        )
    return sorted(lines, key=lambda line: (-line.cost_usd, -line.prompt_tokens, line.purpose))


class _Scale:
    """Seconds to places, pauses cut short."""

    def __init__(self, intervals: Sequence[tuple[float, float]]) -> None:
        merged: list[list[float]] = []
        for start, end in sorted(intervals):
            if merged and start <= merged[-1][1]:
                merged[-1][1] = max(merged[-1][1], end)
            else:
                merged.append([start, end])
        self._marks: list[tuple[float, float]] = []
        pauses: list[tuple[float, float]] = []
        at = 0.0
        for i, (start, end) in enumerate(merged):
            if i:
                gap = start - merged[i - 1][1]
                if gap > _LONGEST_GAP_S:
                    pauses.append((at + _LONGEST_GAP_S / 2, gap))
                at += min(gap, _LONGEST_GAP_S)
            self._marks += [(start, at), (end, at + end - start)]
            at += end - start
        self._unit = (_WIDE - _LEFT - 8) / max(at, 1e-6)
        self.breaks = [(self._place(place), f"{gap:.0f} s without a call") for place, gap in pauses]

    def x(self, time: float) -> float:
        mark = next((m for m in reversed(self._marks) if m[0] <= time), self._marks[0])
        return self._place(mark[1] + time - mark[0])

    def _place(self, at: float) -> float:
        return round(_LEFT + self._unit * at, 1)


def _purpose(call: CallRecord) -> str:
    return call.purpose.removeprefix("repair:")


def _interval(call: CallRecord) -> tuple[float, float]:
    start = datetime.fromisoformat(call.started).timestamp()
    return start, start + call.latency_s
