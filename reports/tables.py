"""Tables to take away: comparisons and matrices as CSV and as LaTeX, and a paragraph on methods to paste."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from tracejury.agents import Panel
from tracejury.ledger import Run, no_formula
from tracejury.reports.comparison import Comparison
from tracejury.reports.differences import Settings
from tracejury.reports.estimates import Estimate
from tracejury.reports.matrix import Matrix

_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
}  # fmt: skip
_COMPARED = (
    "baseline",
    "other",
    "figure",
    "questions",
    "baseline %",
    "other %",
    "difference",
    "low",
    "high",
    "p",
    "robust",
)
_MATRIX = (
    "panel",
    "run",
    "benchmark",
    "student",
    "questions",
    "baseline %",
    "other %",
    "difference",
    "low",
    "high",
    "robust",
    "corrected",
    "corrected low",
    "corrected high",
)


def comparison_rows(comparisons: Iterable[Comparison]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return the head and the rows of a table of comparisons; differences in points."""
    rows: list[tuple[str, ...]] = []
    for c in comparisons:
        names = (f"{c.baseline.run}:{c.baseline.arm}", f"{c.other.run}:{c.other.arm}")
        figures = [("answers right", c.answers, ""), ("step errors", c.majority.steps, c.majority.robust.value)]
        if c.grounded is not None:
            figures.append(("step errors, grounded", c.grounded.steps, c.grounded.robust.value))
        for figure, d, robust in figures:
            if d is not None:
                rows.append((
                    *names, figure, str(d.questions), _percent(d.baseline.value), _percent(d.other.value),
                    *_points(d.difference), f"{d.permutation_p_holm:.4g}", robust,
                ))  # fmt: skip
        if c.corrected is not None:
            sides = c.corrected.baseline.rate, c.corrected.other.rate
            questions = str(c.majority.steps.questions if c.majority.steps else 0)
            shares = (_percent(side.value) for side in sides)
            rows.append(
                (*names, "step errors, corrected", questions, *shares, *_points(c.corrected.difference), "", "")
            )
    return _COMPARED, rows


def matrix_rows(matrix: Matrix) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return the head and the rows of a matrix; differences in points."""
    rows: list[tuple[str, ...]] = []
    for c in matrix.cells:
        names = (c.panel, c.run, c.benchmark, c.student, str(c.questions))
        shares = (_percent(c.baseline.value), _percent(c.other.value))
        corrected = _points(c.corrected) if c.corrected else ("", "", "")
        rows.append((*names, *shares, *_points(c.difference), c.robust.value, *corrected))
    return _MATRIX, rows


def csv_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table as CSV; text that a spreadsheet would run gets an apostrophe before it."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(head)
    for row in rows:
        writer.writerow([no_formula(cell, "=@") for cell in row])
    return out.getvalue()


def latex_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table as LaTeX (booktabs), every cell escaped."""
    lines = [rf"\begin{{tabular}}{{{'l' * len(head)}}}", r"\toprule", _line(head), r"\midrule"]
    lines += [_line(row) for row in rows]
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", ""])


def methods_paragraph(
    runs: Sequence[Run], settings: Settings, comparisons: Sequence[Comparison] = (), matrix: Matrix | None = None
) -> str:
    """Return a paragraph that says how the figures were made, for a paper or a report.

    Args:
        runs: What the figures are of.
        settings: How arms were compared.
        comparisons: Those that the paragraph counts questions and coverage of.
        matrix: Where the figures are the cells of a matrix, which has intervals and no tests.
    """
    segmenters = " and ".join(repr(name) for name in dict.fromkeys(run.manifest.segmenter for run in runs))
    panels = list({run.manifest.panel: run.panel for run in runs}.values())
    inference = _tests(settings) if matrix is None else _pooling(matrix)
    text = (
        f"Reasoning traces were cut into steps by the segmenter {segmenters}, and each step was judged"
        f" by {' and by '.join(map(_panel_in_words, panels))}; no judge saw the model or the arm of a trace."
        " The step error rate is error / (error + supported); abstentions and failures are in neither."
        f" Arms are compared over the questions on which at least {100 * settings.min_decided:g} % of the claims have"
        " a verdict in each arm. Intervals are by question: Wilson intervals at the effective sample size of the"
        " delete-one-question jackknife for shares, MOVER for their differences"
        f" ({100 * settings.confidence:g} %).{inference} A direction is called robust if the worst-case bounds over"
        " abstentions (Manski 1989) lie on one side of 0."
    )
    for c in comparisons:
        if c.majority.steps is not None:
            text += (
                f" For {c.other.arm} against {c.baseline.arm}, {c.majority.steps.questions:,} of {c.paired:,} paired"
                f" questions are decided in both arms; coverage is {100 * c.majority.coverage[0]:.1f} and"
                f" {100 * c.majority.coverage[1]:.1f} %."
            )
    return text


def _tests(settings: Settings) -> str:
    return (
        f" P-values are of a sign-flip permutation test ({settings.draws:,} swaps) that allows for unlike coverage of"
        " the arms by trimming (Lee 2009), corrected for the number of comparisons (Holm)."
    )


def _pooling(matrix: Matrix) -> str:
    return (
        f" Each of the {len(matrix.cells)} cells is one student on one benchmark under one panel, compared with"
        f" {matrix.baseline} within its own run; the mean over cells is of random effects (DerSimonian and Laird 1986),"
        " and describes them, since cells that share questions are not independent."
    )


def _panel_in_words(panel: Panel) -> str:
    judges = [f"{j.name} ({panel.endpoints[j.endpoint].model if j.endpoint else 'no model'})" for j in panel.judges]
    number = "one judge" if len(judges) == 1 else f"{len(judges)} judges"
    return f"the panel {panel.name!r} of {number} ({', '.join(judges)})"


def _percent(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.1f}"


def _points(estimate: Estimate) -> tuple[str, str, str]:
    values = (estimate.value, estimate.low, estimate.high)
    return tuple("" if v is None else f"{100 * v:+.1f}" for v in values)  # type: ignore[return-value]


def _line(cells: Sequence[str]) -> str:
    return " & ".join("".join(_LATEX.get(c, c) for c in cell) for cell in cells) + r" \\"
