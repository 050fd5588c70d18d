"""A summary as tables for the terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from rich.text import Text

from tracejury.console.screen import marked, out
from tracejury.console.table import Table

if TYPE_CHECKING:
    from tracejury.ledger import FailureCounts, Run
    from tracejury.reports import AnswerMetrics, ArmSummary, JudgeRates, StepRates, Summary, TypeShare

SECTIONS = ("arm", "error-type", "role", "position", "length", "hint", "judge")
DEFAULT = ("arm", "error-type", "role", "judge")
_SLICES = {"role": "roles", "position": "positions", "length": "lengths", "hint": "hints"}


def chosen_sections(names: list[str]) -> tuple[str, ...]:
    """Return the tables to print; `DEFAULT` where none is named.

    Raises:
        ValueError: A name is not a table's.
    """
    wrong = sorted(set(names) - set(SECTIONS))
    if wrong:
        raise ValueError(f"--by {wrong[0]}: no such table. Tables: {', '.join(SECTIONS)}")
    return tuple(s for s in SECTIONS if s in names) or DEFAULT


def print_summary(run: Run, summary: Summary, sections: tuple[str, ...]) -> None:
    """Print the tables of `sections`, and how to read them."""
    from tracejury.agents import language_notice

    settled = "calibrated" if summary.calibrated else "uncalibrated"
    out.print(marked("[bold]{}[/]  panel {}, {}", run.name, run.panel.name, settled))
    if not any(arm.traces.traces for arm in summary.arms):
        out.print("nothing has been judged in this run yet; the same `tracejury adjudicate` command goes on with it")
        return
    for section in sections:
        out.print()
        if section == "arm":
            out.print(_arms_table(summary.arms))
        elif section == "error-type":
            out.print(_types_table(summary.arms))
        elif section == "judge":
            for table in _judges_tables(summary.arms):
                out.print(table)
        elif any(arm.slices.get(_SLICES[section]) for arm in summary.arms):
            out.print(_slice_table(summary.arms, section))
    print_failures(total_failures(arm.failures for arm in summary.arms))
    print_adaptations(run.manifest.adaptations)
    if notice := language_notice(run.panel, run.manifest.languages):
        out.print(f"  {notice}", style="yellow")
    unit = (
        "failures counted as uncertain (the paper's convention)" if summary.failures_abstain else "failures in no rate"
    )
    out.print(
        f"\nRates in %, with {100 * summary.confidence:g} % intervals by question; "
        f"{unit}; steps without a claim in no rate.",
        style="dim",
    )


def total_failures(parts: Iterable[FailureCounts]) -> FailureCounts:
    """Return the failed opinions of several arms together, the most frequent reason first."""
    total: FailureCounts = {}
    for part in parts:
        for reason, count in part.items():
            earlier = total.get(reason)
            total[reason] = count._replace(opinions=count.opinions + (earlier.opinions if earlier else 0))
    return dict(sorted(total.items(), key=lambda item: -item[1].opinions))


def print_failures(failures: FailureCounts) -> None:
    """Print failed opinions by reason, with an example and what can be done."""
    for reason, count in failures.items():
        line = "  [yellow]{} failed opinions: {}[/], for instance: {}"
        out.print(marked(line, count.opinions, reason, count.example[:300]))
        out.print(f"    what to do: {count.remedy}")


def print_adaptations(adaptations: Mapping[str, tuple[str, ...]]) -> None:
    """Print how the requests of a run differ from its panel."""
    for name, lines in adaptations.items():
        out.print(f"  requests to endpoint {name} differ from the panel: {'; '.join(lines)}")


def _bounds(ends: tuple[float | None, float | None]) -> str:
    low, high = ends
    return "-" if low is None or high is None else f"{100 * low:.1f} to {100 * high:.1f}"


def _opinions(arm: ArmSummary) -> str:
    """Return the opinions, and how many there would be without early stop and cascades."""
    return f"{sum(j.opinions for j in arm.judges):,} of {len(arm.judges) * arm.steps.steps:,}"


def _corrected(arm: ArmSummary) -> str:
    """Return the corrected error rate, and how many labelled steps it rests on."""
    if arm.corrected is None:
        return "no labels"
    return f"{arm.corrected.rate.percent()} ({arm.corrected.labelled:,} labels)"


def _each(arm: ArmSummary, *costs: str) -> str:
    """Return a cost for each verdict that was reached."""
    verdicts = arm.steps.supported + arm.steps.error
    return f"{sum(arm.cost[name] for name in costs) / verdicts:,.1f}" if verdicts else "-"


_ARM_ROWS: dict[str, Callable[[ArmSummary], str]] = {
    "steps": lambda a: f"{a.steps.steps:,}",
    "  supported": lambda a: f"{a.steps.supported:,}",
    "  error": lambda a: f"{a.steps.error:,}",
    "  abstained": lambda a: f"{a.steps.abstained:,}",
    "  failed": lambda a: f"{a.steps.failed:,}",
    "  no claim": lambda a: f"{a.steps.no_claim:,}",
    "error rate": lambda a: a.steps.error_rate.percent(),
    "  bounds over abstentions": lambda a: _bounds(a.steps.bounds),
    "  bounds over failures too": lambda a: _bounds(a.steps.bounds_with_failures),
    "  corrected for the jury's errors": _corrected,
    "abstention rate": lambda a: a.steps.abstention_rate.percent(),
    "failure rate": lambda a: a.steps.failure_rate.percent(),
    "coverage": lambda a: a.steps.coverage.percent(),
    "hedges per 100 words": lambda a: a.hedging.a_hundred_words.text(),
    "error rate of hedged minus other steps": lambda a: a.hedging.error_difference.percent(),
    "traces": lambda a: f"{a.traces.traces:,}",
    "  without steps": lambda a: f"{a.traces.without_steps:,}",
    "  without a verdict": lambda a: f"{a.traces.without_verdict:,}",
    "answers right": lambda a: a.answers.accuracy.percent() if a.answers else "no gold",
    "  unparsable (if all were right)": lambda a: (
        f"{a.answers.unparsable:,} ({100 * a.answers.if_unparsable_right:.1f})" if a.answers else "-"
    ),
    "traces with an error": lambda a: a.traces.any_error.percent(),
    "first error at step": lambda a: a.traces.first_error.text(".1f"),
    "right answer, flawed reasoning": lambda a: a.traces.flawed_when_right.percent(),
    "wrong answer, no error found": lambda a: a.traces.sound_when_wrong.percent(),
    "opinions, of those with every judge asked": _opinions,
    "model calls": lambda a: f"{a.cost['calls']:,.0f}",
    "  a verdict": lambda a: _each(a, "calls"),
    "tokens read and written, a verdict": lambda a: _each(a, "prompt_tokens", "completion_tokens"),
    "cost, USD": lambda a: f"{a.cost['cost_usd']:.4f}",
}


_SAMPLED_ROWS: dict[str, Callable[[AnswerMetrics], str]] = {
    "answers right, all samples": lambda m: f"{m.accuracy.percent()} ({m.traces:,} samples)",
    "  majority of all samples (SC@k)": lambda m: (
        f"{m.self_consistency[-1].accuracy.percent()} (k {m.self_consistency[-1].k})"
    ),
    "  ECE of the vote share": lambda m: m.calibration.ece.text(".3f") if m.calibration else "-",
    "  Brier score of the vote share": lambda m: m.calibration.brier.text(".3f") if m.calibration else "-",
}
"""Where a question has several samples: the audited chain is one of them."""

_HEADLINES = ("error rate", "answers right")


def _arms_table(arms: tuple[ArmSummary, ...]) -> Table:
    table = Table("", figures=(arm.name for arm in arms), title="By arm")
    for name, cell in _ARM_ROWS.items():
        style = "bold" if name in _HEADLINES else ""
        table.add_row(*(Text(value, style) for value in (name, *(cell(arm) for arm in arms))))
    if any(arm.sampled_answers for arm in arms):
        for name, measure in _SAMPLED_ROWS.items():
            table.add_row(name, *(measure(a.sampled_answers) if a.sampled_answers else "-" for a in arms))
    for reason in sorted({r for arm in arms for r in arm.reasons}):
        table.add_row(f"no verdict: {reason.replace('_', ' ')}", *(f"{a.reasons.get(reason, 0):,}" for a in arms))
    return table


def _slice_table(arms: tuple[ArmSummary, ...], section: str) -> Table:
    title = f"Error rate by {section} (steps; of these abstained)"
    table = Table(section, figures=(arm.name for arm in arms), title=title)
    by_arm = [{r.name: r for r in arm.slices.get(_SLICES[section], ())} for arm in arms]
    for name in dict.fromkeys(n for rates in by_arm for n in rates):
        table.add_row(name.replace("_", " "), *(_slice_cell(rates.get(name)) for rates in by_arm))
    return table


def _slice_cell(rates: StepRates | None) -> str:
    return f"{rates.error_rate.percent()} ({rates.steps:,}; {rates.abstained:,})" if rates else "-"


def _types_table(arms: tuple[ArmSummary, ...]) -> Table:
    title = "Error types, of the steps with a verdict; how many of them evidence shows"
    table = Table("error type", figures=(arm.name for arm in arms), title=title)
    by_arm = [{t.error_type: t for t in arm.error_types} for arm in arms]
    for name in dict.fromkeys(t for types in by_arm for t in types):
        table.add_row(name.replace("_", " "), *(_type_cell(types.get(name)) for types in by_arm))
    return table


def _type_cell(of_type: TypeShare | None) -> str:
    if of_type is None:
        return "0"
    grounded = "" if of_type.grounded is None else f"; {of_type.grounded:,} grounded"
    return f"{of_type.errors:,}  {of_type.share.percent()}{grounded}"


def _judges_tables(arms: tuple[ArmSummary, ...]) -> Iterator[Table]:
    labels = ("arm", "sup", "err", "unclear", "none", "failed", "cited")
    counts = Table("judge", figures=labels, title="What the judges said")
    title = "Error rate of each judge alone; agreement with the verdict"
    rates = Table("judge", figures=(arm.name for arm in arms), title=title)
    rows: dict[str, dict[str, JudgeRates]] = {}
    for arm in arms:
        for j in arm.judges:
            name = f"{j.judge}, {j.model or 'no model'}" + ("" if j.votes else " (no vote)")
            rows.setdefault(name, {})[arm.name] = j
            numbers = (j.supported, j.error, j.unclear, j.no_claim, j.failed, j.grounded)
            counts.add_row(name, arm.name, *(f"{n:,}" for n in numbers))
    for name, cells_by_arm in rows.items():
        cells = [cells_by_arm.get(arm.name) for arm in arms]
        rates.add_row(name, *(f"{j.error_rate.percent()}; {j.agrees.percent()}" if j else "-" for j in cells))
    yield from (counts, rates)
