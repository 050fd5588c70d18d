"""Tables of `panels worth`, `panels advise` and `panels weigh`, for people."""

from __future__ import annotations

from pathlib import Path

from tracejury.agents import Combination
from tracejury.console.screen import out
from tracejury.console.table import Table
from tracejury.reports import Advice, PanelPrice, PanelWorth


def print_worth(report: PanelWorth) -> None:
    """Print the effective numbers beside their null, what each judge adds, correlations and warnings."""
    basis = {
        "errors": "correlation of errors against human labels",
        "agreement": "agreement beyond chance, without labels: a lower bound",
    }
    out.print(
        f"{report.run}: {report.judges} voting judges, {report.steps:,} steps of {report.questions:,} questions; "
        f"{basis[report.basis]}\n",
        soft_wrap=True,
    )
    table = Table("worth", "judges", "independent judges of the same skill")
    for name, number in (("Kish", report.kish), ("eigenvalue", report.eigenvalue)):
        table.add_row(name, number.value.text(), number.null.text())
    out.print(table)
    if report.jury is not None and report.jury_less_best is not None:
        out.print(
            f"\nbalanced accuracy, an abstention counted as half: majority {report.jury.text()} at coverage "
            f"{report.jury_coverage:.1%}; less its best member {report.best}: {report.jury_less_best.text()}",
            soft_wrap=True,
        )
    table = Table("judge", "adds (Kish)", "alone", "the majority gains")
    for judge in report.worth:
        alone, gain = (x.text() if x is not None else "no labels" for x in (judge.accuracy, judge.jury_gain))
        table.add_row(judge.judge, judge.adds.text(), alone, gain)
    out.print()
    out.print(table)
    table = Table("two judges", "correlation")
    for pair in report.pairs:
        table.add_row(" / ".join(pair.judges), pair.correlation.text())
    out.print()
    out.print(table)
    for warning in report.warnings:
        out.print(warning, style="yellow")


def print_advice(advice: Advice) -> None:
    """Print the full panel, the cheapest within the loss, and the cheapest with the same labels."""
    out.print(f"{advice.run}: {advice.tried:,} ways of asking tried; allowed loss {advice.allowed_loss:g}\n")
    table = Table("panel", "calls a verdict", "of the cost", "same label", "balanced acc.", "loss")
    for name, panel in (
        ("all asked", advice.full),
        ("cheapest within the loss", advice.cheapest),
        ("cheapest, same labels", advice.same_labels),
    ):
        table.add_row(name, *_price(panel))
    out.print(table)
    for name, panel in (("cheapest", advice.cheapest), ("same labels", advice.same_labels)):
        out.print(f"{name}: {', '.join(panel.judges)} ({panel.way})")
    if "early stop" in (advice.cheapest.way, advice.same_labels.way):
        out.print("Early stop in this order: write the judges so, with `early_stop: true` and `ask_in_order: true`.")


def print_combination(combination: Combination, file: Path | None) -> None:
    """Print the clusters, their weights and the measured gain."""
    table = Table("judges with one vote", "lead", "weight")
    for cluster in combination.clusters:
        table.add_row(", ".join(cluster.judges), cluster.lead, f"{cluster.weight:.2f}")
    out.print(table)
    low, high = combination.gain_low, combination.gain_high
    ends = "no interval" if low is None or high is None else f"[{low:+.3f}, {high:+.3f}]"
    out.print(f"gain over the plain majority, on other questions: {combination.gain:+.3f} {ends}")
    if low is None or low <= 0:
        out.print("The gain is not clear of 0: a panel refuses these weights.", style="yellow")
    elif file is not None:
        out.print(f"Next: write `combine: weighted` and `weights: {file}` into the panel.")


def _price(panel: PanelPrice) -> tuple[str, ...]:
    accuracy, loss = (x.text() if x is not None else "no labels" for x in (panel.balanced_accuracy, panel.loss))
    return f"{panel.calls:.2f}", f"{panel.cost_share:.0%}", panel.same_label.text(), accuracy, loss
