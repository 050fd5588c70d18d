"""Comparisons as tables for the terminal."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tracejury.console.screen import marked, out
from tracejury.console.table import Table

if TYPE_CHECKING:
    from tracejury.reports import (
        Audit,
        Comparison,
        ControlRow,
        CorrectedDifference,
        Difference,
        Estimate,
        SampledDifference,
        StepComparison,
        TypeShare,
        Where,
    )

_NAMES = {"up": "more errors", "down": "fewer errors", "none": "no difference shown", None: "-"}


def print_audit(audit: Audit) -> None:
    """Print every comparison, its headline first, then conditions and controls where they were asked for."""
    for line in audit.differently_judged:
        out.print(f"judged differently: {line}", style="yellow")
    for i, comparison in enumerate(audit.comparisons):
        out.print(marked("\n[bold]{} -> {}[/]", _name(comparison, "baseline"), _name(comparison, "other")))
        out.print(comparison.sentence, style="bold", soft_wrap=True)
        out.print(_differences(comparison))
        _print_rest(comparison)
        if comparison.error_types:
            out.print(_error_types(comparison))
        if audit.where:
            _print_where(audit.where[i])
        if audit.controls:
            _print_controls(audit.controls[i])


def points(estimate: Estimate | None) -> str:
    """Return a difference of shares in points, with its interval."""
    return estimate.points() if estimate else "-"


def _name(comparison: Comparison, side: str) -> str:
    arm = getattr(comparison, side)
    return f"{arm.run}:{arm.arm}"


def _differences(comparison: Comparison) -> Table:
    columns = {"answers right": comparison.answers, "step errors": comparison.majority.steps}
    if comparison.grounded is not None:
        columns |= {"step errors, grounded verdicts alone": comparison.grounded.steps}
    table = Table("", figures=columns)
    rows: dict[str, Callable[[Difference], str]] = {
        "questions": lambda d: f"{d.questions:,}",
        "baseline, %": lambda d: _percent(d.baseline),
        "other, %": lambda d: _percent(d.other),
        "difference, points": lambda d: points(d.difference),
        "  every question alike": lambda d: points(d.by_question),
        "Wilcoxon p": lambda d: _p(d.wilcoxon_p),
        "permutation p": lambda d: _p(d.permutation_p),
        "  corrected (Holm)": lambda d: _p(d.permutation_p_holm),
        "  of the verdicts alone": lambda d: _p(d.permutation_p_verdicts_alone),
        "Cohen's d, paired": lambda d: d.effect_size.text("+.2f"),
        "rank-biserial r": lambda d: "-" if d.rank_biserial is None else f"{d.rank_biserial:+.2f}",
        "detectable at 80 % power": lambda d: "-" if d.detectable is None else f"{100 * d.detectable:.1f} points",
    }
    for name, cell in rows.items():
        table.add_row(name, *(cell(d) if d else "-" for d in columns.values()))
    return table


def _print_sampled(answers: SampledDifference) -> None:
    """Print the answers of all samples, of which the jury judges one."""
    title = f"Answers of all samples, {answers.questions:,} questions"
    table = Table("", figures=("baseline", "other", "difference"), title=title)
    baseline, other = answers.baseline, answers.other
    table.add_row("right, %", *(_percent(m.accuracy) for m in (baseline, other)), points(answers.accuracy))
    majorities = [m.self_consistency[answers.k - 1].accuracy for m in (baseline, other)]
    table.add_row(f"SC@{answers.k}, %", *map(_percent, majorities), points(answers.self_consistency))
    calibrations = [m.calibration for m in (baseline, other)]
    table.add_row("ECE of the vote share", *(_number(c.ece) if c else "-" for c in calibrations), "-")
    table.add_row("Brier score", *(_number(c.brier) if c else "-" for c in calibrations), answers.brier.text("+.2f"))
    out.print(table)


def _print_rest(comparison: Comparison) -> None:
    if comparison.sampled_answers is not None:
        _print_sampled(comparison.sampled_answers)
    unpaired = " and ".join(f"{n:,}" for n in comparison.unpaired)
    out.print(f"{comparison.paired:,} questions paired; {unpaired} that one arm alone has")
    if comparison.left_out:
        out.print(comparison.left_out, style="yellow", soft_wrap=True)
    for view in (comparison.majority, comparison.grounded):
        if view is not None:
            _print_steps(view, alone=comparison.grounded is None)
    if comparison.corrected is not None:
        _print_corrected(comparison.corrected)
    share = 100 * comparison.settings.confidence
    out.print(
        f"{share:.4g} % intervals by question, {comparison.settings.draws:,} swaps; both tests allow for unlike"
        " coverage of the arms",
        style="dim",
    )


def _print_corrected(result: CorrectedDifference) -> None:
    """Print the difference corrected for the jury's errors, beside what the correction rests on."""
    before, after = (
        f"{_percent(side.raw)} -> {_percent(side.rate)} % ({side.labelled:,} labelled steps of {side.questions:,}"
        f" questions; sensitivity {_percent(side.sensitivity)}, specificity {_percent(side.specificity)} %)"
        for side in (result.baseline, result.other)
    )
    out.print(
        marked(
            "[bold]corrected for the jury's errors: {} points[/]; {}", points(result.difference), result.other.method
        ),
        soft_wrap=True,
    )
    out.print(f"  baseline {before}\n  other {after}", soft_wrap=True)
    for note in dict.fromkeys(side.note for side in (result.baseline, result.other) if side.note):
        out.print(f"  {note}", style="yellow")


def _error_types(comparison: Comparison) -> Table:
    """Return errors by type over the questions compared, with how many of each type evidence shows."""
    title = "Error types, % of the steps with a verdict; how many of them evidence shows"
    table = Table("error type", figures=("baseline", "other", "difference, points"), title=title)
    for change in comparison.error_types:
        sides = (_type_cell(side) for side in (change.baseline, change.other))
        table.add_row(change.error_type.replace("_", " "), *sides, points(change.difference))
    return table


def _type_cell(of_type: TypeShare) -> str:
    text = f"{of_type.errors:,}  {_percent(of_type.share)}"
    if not of_type.errors or of_type.grounded is None or of_type.grounded_share is None:
        return text
    return f"{text}; {of_type.grounded:,} grounded ({_percent(of_type.grounded_share)} %)"


def _print_steps(steps: StepComparison, *, alone: bool) -> None:
    """Print what qualifies the step errors of one view."""
    if not alone:
        out.print(f"by {'majority' if steps.view == 'majority' else 'grounded verdicts alone'}", style="bold")
    out.print(f"{steps.coverage_sentence}; direction robust to abstentions: {steps.robust}", soft_wrap=True)
    if not any(steps.coverage):
        return
    for level in steps.levels:
        out.print(f"decided in both arms ({level.name}): {level.questions:,} questions, {points(level.difference)}")
    pool = steps.pool
    apart = ", [bold]unlike the paired difference[/]" if pool.apart else ""
    out.print(marked("all verdicts, on whatever questions: {}" + apart, points(pool.difference)))
    ends = [(steps.like_coverage, "unlike coverage"), (steps.worst_case, "abstentions")]
    ends.append((steps.worst_case_with_failures, "abstentions and failures"))
    for pair, what in ends:
        if pair and pair[0].value is not None and pair[1].value is not None:
            low, high = 100 * pair[0].value, 100 * pair[1].value
            out.print(f"allowing for {what}, step errors changed by {low:+.1f} to {high:+.1f} points")


def _print_where(where: Where) -> None:
    from tracejury.reports import TITLES

    title = "Where it happens: step-error difference, points"
    table = Table("condition", figures=("level", "questions", "difference"), title=title)
    before = ""
    for s in where.strata:
        title = TITLES[s.condition]
        table.add_row(
            title if title != before else "", s.level.replace("_", " "), f"{s.questions:,}", points(s.difference)
        )
        before = title
    out.print(table)
    if where.terms:
        title = "All conditions in one mixed model: how the difference changes"
        terms = Table("condition", figures=("with", "points", "p"), title=title)
        for t in where.terms:
            terms.add_row(TITLES[t.condition], t.change, points(t.effect), _p(t.p))
        out.print(terms)
    for reason in where.left_out:
        out.print(reason, style="dim")


def _print_controls(rows: tuple[ControlRow, ...]) -> None:
    title = "Does it stand? Step-error difference, points"
    table = Table("control", figures=("questions", "difference", "direction"), title=title)
    for r in rows:
        if r.difference is not None:
            title = f"{r.control}: {r.detail}" if r.detail else r.control
            same = " [bold](not as the main result)[/]" if r.same_direction is False else ""
            table.add_row(title, f"{r.questions:,}", points(r.difference), marked(_NAMES[r.direction] + same))
    out.print(table)
    for r in rows:
        if r.difference is None:
            out.print(f"{r.control}{': ' if r.detail else ''}{r.detail}: {r.note}", style="dim", soft_wrap=True)


def _percent(estimate: Estimate) -> str:
    return "-" if estimate.value is None else f"{100 * estimate.value:.1f}"


def _number(estimate: Estimate) -> str:
    return "-" if estimate.value is None else f"{estimate.value:.3f}"


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"
