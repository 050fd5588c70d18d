"""A matrix of comparisons for the terminal, and tables as files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tracejury.console.comparison_tables import points
from tracejury.console.neutral import print_json
from tracejury.console.screen import out
from tracejury.console.table import Table

if TYPE_CHECKING:
    from tracejury.reports import Matrix


def show_matrix(matrix: Matrix, as_json: bool, csv: Path | None, latex: Path | None, forest: Path | None) -> None:
    """Print a matrix, or its JSON, and write the files that were asked for."""
    from tracejury.reports import matrix_forest, matrix_rows

    if as_json:
        print_json(matrix.model_dump_json(indent=2))
    else:
        _print(matrix)
    write_tables(*matrix_rows(matrix), csv, latex)
    if forest is not None:
        forest.write_text(matrix_forest(matrix).replace("currentColor", "#222"), encoding="utf-8")


def write_tables(head: Sequence[str], rows: Sequence[Sequence[str]], csv: Path | None, latex: Path | None) -> None:
    """Write a table as CSV and as LaTeX, where a file is named."""
    from tracejury.reports import csv_table, latex_table

    if csv is not None:
        csv.write_text(csv_table(head, rows), encoding="utf-8")
    if latex is not None:
        latex.write_text(latex_table(head, rows), encoding="utf-8")


def _print(matrix: Matrix) -> None:
    any_corrected = any(c.corrected for c in matrix.cells)
    corrected_column = ("corrected for the jury's errors",) if any_corrected else ()
    table = Table(
        "panel", "run", "benchmark", "student", figures=("questions", "difference", "robust", *corrected_column),
        title=f"Step errors, points more than {matrix.baseline}",
    )  # fmt: skip
    for c in matrix.cells:
        few = "" if c.enough else " (too few verdicts)"
        robust = f"{c.robust}{few}"
        corrected = (points(c.corrected),) if any_corrected else ()
        names = (c.panel, c.run, c.benchmark, c.student)
        table.add_row(*names, f"{c.questions:,}", c.difference.points(), robust, *corrected)
    out.print(table)
    h = matrix.heterogeneity
    out.print(
        f"{h.up} of {h.cells} cells up ({h.shown_up} shown by their interval), {h.down} down ({h.shown_down} shown)",
        soft_wrap=True,
    )
    if h.mean is not None and h.i2 is not None and h.tau is not None and h.q_p is not None:
        out.print(
            f"mean over cells, random effects: {h.mean.points()} points; heterogeneity I2 {100 * h.i2:.0f} %,"
            f" tau {100 * h.tau:.1f} points, Q {h.q:.1f} (p {h.q_p:.3f}). Cells that share questions are not"
            " independent.",
            soft_wrap=True,
        )
