"""The results of an expert review, as tables on the terminal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tracejury.console.screen import marked, out
from tracejury.console.table import Table

if TYPE_CHECKING:
    from tracejury.reports import RaterAgreement, ReviewSummary


def print_review(review: ReviewSummary, labels: Path | None) -> None:
    """Print faults first, then agreement, then the arms."""
    for problem in review.problems:
        out.print(problem, style="yellow", soft_wrap=True)
    for expert, items in review.missing.items():
        if items:
            more = f" and {len(items) - 8} more" if len(items) > 8 else ""
            out.print(f"{expert}: {len(items)} rows empty: {', '.join(items[:8])}{more}", style="yellow")
    judged = ", ".join(f"{name} {n}" for name, n in review.experts.items())
    out.print(marked("[bold]sheet {}[/], items judged: {}", review.sheet, judged))
    if review.experts_agree:
        out.print(_table("Experts with one another (supported, error, unclear, no claim)", review.experts_agree))
    out.print(_table("Experts with the jury (supported or error on both sides)", review.with_jury))
    for arm, rate in review.error_rates.items():
        out.print(f"experts' error rate, {arm}: {rate.percent()} %")
    for o in review.orderings:
        same = {True: "as the jury orders them", False: "against the jury", None: "no direction"}
        p = "< 0.001" if o.permutation_p < 0.001 else f"{o.permutation_p:.3f}"
        result = f"{o.difference.points()} points, permutation p {p}, {same[o.same_direction_as_jury]}"
        out.print(marked("[bold]{} -> {}[/] by the experts: {}", o.baseline, o.other, result))
    if labels:
        out.print(f"labels of the experts' majority: {labels}")


def _table(title: str, rows: tuple[RaterAgreement, ...]) -> Table:
    measures = ("items", "equal", "Cohen's kappa", "Krippendorff's alpha", "Gwet's AC1")
    table = Table("", figures=measures, title=title)
    for r in rows:
        cells = [e.text() for e in (r.observed, r.kappa, r.alpha, r.ac1)]
        table.add_row(" / ".join(r.raters), str(r.items), *cells)
    return table
