"""Answers against reasoning, drawn by the server: a panel each, a point with its interval for each arm."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tracejury.console.viewer.finding import Finding, Side
from tracejury.reports import ARM_COLOURS, ARM_SHAPES, Difference, Estimate

_WIDE, _LEFT, _RIGHT, _ROW, _TOP = 440, 8, 64, 44, 30


class Dot(NamedTuple):
    """One arm in one panel, in the units of the SVG."""

    arm: str
    colour: int
    shape: str
    y: float
    x: float
    low: float | None
    high: float | None
    words: str
    """The figure with its interval."""


class Panel(NamedTuple):
    """One panel."""

    title: str
    wide: int
    high: int
    dots: list[Dot]
    ticks: list[tuple[float, str]]
    description: str


def picture(findings: Sequence[Finding]) -> list[Panel]:
    """Return the two panels: answers that are right, and steps in error; empty where nothing can be compared."""
    compared = [(f, f.comparison) for f in findings if f.comparison is not None]
    if not compared:
        return []
    first = compared[0][0]
    several = len({f.other.arm for f, _ in compared} | {first.baseline.arm}) <= len(compared)
    names = [_name(first.baseline, several), *(_name(f.other, several) for f, _ in compared)]
    both = [(c.answers, c.steps) for _, c in compared]
    answers, errors = _estimates([of for of, _ in both]), _estimates([of for _, of in both])
    panels = [
        _panel("Answers right, %", names, answers),
        _panel("Steps in error by majority, % of verdicts", names, errors),
    ]
    return [panel for panel in panels if panel.dots]


def _estimates(differences: Sequence[Difference | None]) -> list[Estimate | None]:
    """Return the baseline's estimate and those of the other arms."""
    first = differences[0]
    return [first.baseline if first else None, *(of.other if of else None for of in differences)]


def _name(side: Side, several: bool) -> str:
    return f"{side.run.name}: {side.arm}" if several else side.arm


def _panel(title: str, names: Sequence[str], estimates: Sequence[Estimate | None]) -> Panel:
    known = [
        (i, name, e) for i, (name, e) in enumerate(zip(names, estimates, strict=True)) if e and e.value is not None
    ]
    most = max((100 * (e.high if e.high is not None else e.value or 0.0) for _, _, e in known), default=0.0)
    end = next(limit for limit in (10, 20, 40, 60, 80, 100) if most <= limit or limit == 100)

    def x(share: float) -> float:
        return round(_LEFT + (_WIDE - _LEFT - _RIGHT) * 100 * min(max(share, 0.0), end / 100) / end, 1)

    dots = []
    for row, (i, name, e) in enumerate(known):
        low, high = (None, None) if e.low is None or e.high is None else (x(e.low), x(e.high))
        dots.append(
            Dot(
                name,
                i % len(ARM_COLOURS),
                ARM_SHAPES[i % len(ARM_SHAPES)],
                _TOP + _ROW * row + 26,
                x(e.value or 0.0),
                low,
                high,
                e.percent(),
            )
        )
    ticks = [(x(end * part / 400), f"{end * part / 4:g}") for part in range(5)]
    description = f"{title}: " + "; ".join(f"{d.arm} {d.words}" for d in dots)
    return Panel(title, _WIDE, _TOP + _ROW * len(dots) + 22, dots, ticks, description)
