"""Figures as SVG that follow the page: text in its colour, no background, data in the colours of `palette.py`.

Shape and dash repeat what colour says, so that a grey print loses nothing.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from tracejury.reports.answers import AnswerMetrics
from tracejury.reports.audits import Audit
from tracejury.reports.controls import ControlRow
from tracejury.reports.corrected import CorrectedDifference
from tracejury.reports.estimates import Estimate
from tracejury.reports.factors import TITLES
from tracejury.reports.matrix import Matrix
from tracejury.reports.palette import ARM_COLOURS, OUTCOME_COLOURS
from tracejury.reports.scoring import RiskPoint
from tracejury.reports.summary import Summary

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MARKERS = ("o", "s", "^", "D", "v", "P")
_INK = "#010203"
"""Stands for the page's own text colour until the SVG is written."""
_HATCHES = {"error": "///", "abstained": "...", "failed": "xxx"}


def headline(audit: Audit, summary: Summary) -> str:
    """Draw answers against reasoning: accuracy and step error rate of baseline and other arms, with intervals.

    The pale bar behind a step error rate spans what it would be if abstentions all hid the one or the other. A hollow
    mark beside it is the rate corrected for the jury's errors, where labelled steps are at hand.
    """
    arms: dict[str, tuple[Estimate | None, Estimate | None]] = {}
    corrected: dict[str, Estimate] = {}
    for c in audit.comparisons:
        arms.setdefault(
            c.baseline.arm, (c.answers.baseline if c.answers else None, c.steps.baseline if c.steps else None)
        )
        name = c.other.arm if c.other.arm not in arms else f"{c.other.run}:{c.other.arm}"
        arms[name] = (c.answers.other if c.answers else None, c.steps.other if c.steps else None)
        if c.corrected is not None:
            corrected.setdefault(c.baseline.arm, c.corrected.baseline.rate)
            corrected[name] = c.corrected.other.rate
    bounds = {name: a.steps.bounds for a in summary.arms for name in (a.arm.arm, f"{a.arm.run}:{a.arm.arm}")}
    with _page(5.6, 3.1) as (figure, axes):
        left, right = axes(1, 2)
        for ax, side, title in ((left, 0, "Answers right, %"), (right, 1, "Step errors, % of verdicts")):
            with_value = [(i, name, both[side]) for i, (name, both) in enumerate(arms.items()) if both[side]]
            points = [(i, name, e) for i, name, e in with_value if e is not None and e.value is not None]
            for i, name, e in points:
                low, high = bounds.get(name, (None, None)) if side else (None, None)
                if low is not None and high is not None:
                    ax.plot(
                        [i, i],
                        [100 * low, 100 * high],
                        color=ARM_COLOURS[i % 6],
                        lw=11,
                        alpha=0.25,
                        solid_capstyle="butt",
                    )
                _interval(ax, i, e, ARM_COLOURS[i % 6], MARKERS[i % 6])
                if side and name in corrected:
                    _corrected_mark(ax, i - 0.25, corrected[name], ARM_COLOURS[i % 6], MARKERS[i % 6])
            for i, _, e in points[1:]:
                first = points[0]
                ax.plot([first[0], i], [100 * (first[2].value or 0), 100 * (e.value or 0)], color=_INK, lw=0.8, ls=":")
            ax.set_xticks(range(len(arms)), list(arms), rotation=0 if len(arms) < 4 else 20)
            ax.set_xlim(-0.6, len(arms) - 0.4)
            ax.set_title(title, loc="left", fontsize=10)
            ax.set_ylim(0, 105)
        if corrected:
            _hollow_legend(right, loc="upper left")
        return _svg(figure, "headline")


def outcomes(summary: Summary) -> str:
    """Draw the outcomes of each arm's steps as one bar."""
    with _page(7.2, 0.7 + 0.45 * len(summary.arms)) as (figure, axes):
        (ax,) = axes(1, 1)
        for y, arm in enumerate(reversed(summary.arms)):
            left, total = 0.0, max(arm.steps.steps, 1)
            for name, colours in OUTCOME_COLOURS.items():
                share = 100 * getattr(arm.steps, name) / total
                label = name.replace("_", " ") if y == 0 else None
                look = {"color": colours.light.fill, "hatch": _HATCHES.get(name, ""), "edgecolor": "white", "lw": 0.6}
                ax.barh(y, share, left=left, label=label, height=0.62, **look)
                if share >= 7:
                    ax.text(left + share / 2, y, f"{share:.0f}", ha="center", va="center", fontsize=8,
                            color="black", weight="bold")  # fmt: skip
                left += share
        ax.set_yticks(range(len(summary.arms)), [arm.name for arm in reversed(summary.arms)])
        ax.set_xlim(0, 100)
        ax.set_xlabel("% of steps")
        ax.legend(ncols=5, loc="lower left", bbox_to_anchor=(0, 1.0), frameon=False, fontsize=8, handlelength=1.4)
        return _svg(figure, "outcomes")


def reliability(metrics: Sequence[AnswerMetrics]) -> str | None:
    """Draw the reliability diagram of the vote share; None where no arm has several samples a question."""
    with_bins = [m for m in metrics if m.calibration]
    if not with_bins:
        return None
    with _page(4.4, 4.0) as (figure, axes):
        (ax,) = axes(1, 1)
        ax.plot([0, 100], [0, 100], color=_INK, lw=0.8, ls="--")
        for i, m in enumerate(with_bins):
            assert m.calibration is not None  # noqa: S101 - `shown` holds those that have one
            bins = [b for b in m.calibration.bins if b.confidence is not None and b.accuracy.value is not None]
            x = [100 * (b.confidence or 0) for b in bins]
            y = [100 * (b.accuracy.value or 0) for b in bins]
            sizes = [20 + 180 * b.questions / max(m.questions, 1) for b in bins]
            ax.plot(x, y, color=ARM_COLOURS[i % 6], lw=1)
            ax.scatter(x, y, s=sizes, color=ARM_COLOURS[i % 6], marker=MARKERS[i % 6], label=m.name, zorder=3)
        ax.set_xlabel("vote share of the majority answer, %")
        ax.set_ylabel("right, %")
        ax.set_xlim(0, 102)
        ax.set_ylim(0, 102)
        ax.legend(frameon=False, fontsize=8)
        return _svg(figure, "reliability")


def risk_coverage(curves: Mapping[str, Sequence[RiskPoint]]) -> str | None:
    """Draw the share of wrong verdicts against the share of steps with a verdict; None without human labels.

    Args:
        curves: System -> its curve; a system of one point is a marker.
    """
    if not any(len(curve) > 1 for curve in curves.values()):
        return None
    with _page(4.4, 3.4) as (figure, axes):
        (ax,) = axes(1, 1)
        for i, (name, curve) in enumerate(curves.items()):
            x, y = [100 * p.coverage for p in curve], [100 * p.risk for p in curve]
            ax.step(x, y, color=ARM_COLOURS[i % 6], marker=MARKERS[i % 6], ms=4, where="post", label=name)
        ax.legend(frameon=False, fontsize=8)
        ax.set_xlabel("coverage, % of labelled steps")
        ax.set_ylabel("wrong verdicts, %")
        ax.set_ylim(bottom=0)
        return _svg(figure, "risk-coverage")


def conditions(audit: Audit) -> str | None:
    """Draw the step-error difference of the first comparison under each condition as a forest plot."""
    if not audit.where or not audit.where[0].strata:
        return None
    rows = [
        _ForestRow(f"{TITLES[s.condition]}: {s.level.replace('_', ' ')}", s.difference) for s in audit.where[0].strata
    ]
    main = audit.comparisons[0].steps
    return _forest(rows, main.difference if main else None, "conditions")


def robustness(rows: Sequence[ControlRow], corrected: CorrectedDifference | None = None) -> str | None:
    """Draw the robustness table as a forest plot; controls without a figure are left to the table.

    The main result stands first, and beside it the difference corrected for the jury's errors, where there is one.
    """
    with_difference = [
        _ForestRow(f"{r.control}: {r.detail}" if r.detail else r.control, r.difference) for r in rows if r.difference
    ]
    if not with_difference:
        return None
    if corrected is not None:
        with_difference[0] = with_difference[0]._replace(corrected=corrected.difference)
    return _forest(with_difference, with_difference[0].difference, "robustness")


def matrix_forest(matrix: Matrix) -> str:
    """Draw every cell of a matrix as a forest plot; dotted: the mean over cells."""
    rows = [_ForestRow(f"{c.panel} / {c.benchmark} / {c.student}", c.difference, c.corrected) for c in matrix.cells]
    return _forest(rows, matrix.heterogeneity.mean, "matrix")


class _ForestRow(NamedTuple):
    """One line of a forest plot."""

    label: str
    difference: Estimate
    corrected: Estimate | None = None
    """The same corrected for the jury's errors; None: there is no such figure."""


def _forest(rows: Sequence[_ForestRow], main: Estimate | None, name: str) -> str:
    with _page(7.2, 0.8 + 0.27 * len(rows)) as (figure, axes):
        (ax,) = axes(1, 1)
        ax.axvline(0, color=_INK, lw=0.8)
        if main and main.value is not None:
            ax.axvline(100 * main.value, color=ARM_COLOURS[0], lw=0.8, ls=":")
        for y, row in enumerate(reversed(rows)):
            for at, e, face in ((y, row.difference, ARM_COLOURS[0]), (y - 0.3, row.corrected, "none")):
                if e is None or e.value is None:
                    continue
                low, high = (100 * (e.value if v is None else v) for v in (e.low, e.high))
                ax.plot([low, high], [at, at], color=ARM_COLOURS[0], lw=1.6 if e is row.difference else 0.8,
                        solid_capstyle="butt")  # fmt: skip
                ax.plot(100 * e.value, at, marker="o", ms=5, color=ARM_COLOURS[0], mfc=face)
        ax.set_yticks(range(len(rows)), [row.label for row in reversed(rows)], fontsize=8)
        ax.set_ylim(-0.7, len(rows) - 0.3)
        if any(row.corrected for row in rows):
            _hollow_legend(ax, loc="lower right", bbox_to_anchor=(1, 1))
        ax.set_xlabel("difference of step error rates, points (right: more errors)")
        ax.grid(axis="x", color=_INK, alpha=0.12, lw=0.6)
        return _svg(figure, name)


def _interval(ax: Axes, x: float, e: Estimate, colour: str, marker: str) -> None:
    value = 100 * (e.value or 0)
    if e.low is not None and e.high is not None:
        ax.plot([x, x], [100 * e.low, 100 * e.high], color=colour, lw=2.2, solid_capstyle="butt")
    ax.plot(x, value, marker=marker, color=colour, ms=8)
    ax.annotate(f"{value:.1f}", (x, value), xytext=(10, 0), textcoords="offset points", va="center", fontsize=9,
                color=_INK)  # fmt: skip


def _corrected_mark(ax: Axes, x: float, e: Estimate, colour: str, marker: str) -> None:
    """Draw a corrected rate as a hollow mark with a thin interval."""
    if e.value is None:
        return
    if e.low is not None and e.high is not None:
        ax.plot([x, x], [100 * e.low, 100 * e.high], color=colour, lw=1)
    ax.plot(x, 100 * e.value, marker=marker, color=colour, ms=6, mfc="none")


def _hollow_legend(ax: Axes, *, loc: str, bbox_to_anchor: tuple[float, float] | None = None) -> None:
    (mark,) = ax.plot([], [], marker="o", ms=5, color=_INK, mfc="none", lw=0.8)
    ax.legend(
        [mark], ["corrected for the jury's errors"], loc=loc, bbox_to_anchor=bbox_to_anchor, frameon=False, fontsize=8
    )


@contextmanager
def _page(width: float, height: float) -> Iterator[tuple[Figure, Any]]:
    """Give an empty figure in the house's style, and what lays axes on it. No window, no global state."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    style = {"svg.fonttype": "none", "font.family": "sans-serif", "font.size": 9, "hatch.linewidth": 0.6}
    style |= {f"axes.spines.{side}": False for side in ("top", "right")}
    style |= dict.fromkeys(("text.color", "axes.labelcolor", "xtick.color", "ytick.color", "axes.edgecolor"), _INK)
    with mpl.rc_context(style):
        figure = Figure(figsize=(width, height), layout="constrained")

        def axes(rows: int, columns: int) -> list[Axes]:
            return [figure.add_subplot(rows, columns, i + 1) for i in range(rows * columns)]

        yield figure, axes


def _svg(figure: Figure, name: str) -> str:
    """Return the figure as an SVG element for a page: the text's colour is the page's, ids are the figure's own."""
    import matplotlib as mpl

    buffer = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": name, "svg.id": f"figure-{name}"}), warnings.catch_warnings():
        # Names of arms stay text, so that the page's fonts show what this machine's have no glyph for.
        warnings.filterwarnings("ignore", r"Glyph \d+ .* missing from font")
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :].replace(_INK, "currentColor")
    text = re.sub(r'\bid="(?!figure-)([^"]+)"', rf'id="{name}-\1"', text)
    text = re.sub(r'(url\(#|href="#)(?!figure-)', rf"\g<1>{name}-", text)
    return re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.S)
