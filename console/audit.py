"""Commands on what the verdicts add up to: summary, compare, report, gate, review."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated

import typer

from tracejury.console.failing import explained
from tracejury.console.options import Json, RunRef, Store

if TYPE_CHECKING:
    from tracejury.graphs import Ledger, Run, StepRow
    from tracejury.reports import Columns

Confidence = Annotated[float, typer.Option("--confidence", min=0.5, max=0.999, help="Of every interval.")]


def summary(
    run: RunRef = "last",
    store: Store = None,
    paper_convention: Annotated[
        bool, typer.Option("--paper-convention", help="Count failures as `uncertain`, as the paper's judge does.")
    ] = False,
    by: Annotated[
        list[str] | None,
        typer.Option(
            "--by", help="Only these tables: arm, error-type, role, position, length, hint, judge. Repeatable."
        ),
    ] = None,
    confidence: Confidence = 0.95,
    draws: Annotated[int, typer.Option("--draws", min=100, help="Bootstrap samples of questions.")] = 2_000,
    as_json: Json = False,
) -> None:
    """Sum a run up: outcomes, answers and traces by arm; then by error type, role and judge, with intervals.

    Error rate = error / (error + supported). Abstentions and failures are in neither; the bounds say what the rate
    would be if every abstention hid the one or the other. Intervals are bootstrapped by question.

    Example: tracejury summary last --by arm --by judge
    """
    from tracejury.console.summary_tables import chosen_sections, print_summary
    from tracejury.reports import summarise

    with explained():
        sections = chosen_sections(by or [])
        ledger, runs = open_runs(store, [run])
        made = summarise(read_rows(ledger, runs), draws=draws, confidence=confidence, failures_abstain=paper_convention)
        if as_json:
            typer.echo(made.model_dump_json(indent=2))
        else:
            print_summary(runs[0], made, sections)


def compare(
    runs: Annotated[
        list[str], typer.Argument(metavar="RUN[:ARM]...", help="The baseline first; one RUN alone: its arms.")
    ],
    baseline: Annotated[
        str | None, typer.Option("--baseline", help="With one RUN: the arm to compare with. Default: `base`.")
    ] = None,
    anyway: Annotated[bool, typer.Option("--anyway", help="Compare runs that were judged differently.")] = False,
    min_coverage: Annotated[
        float, typer.Option("--min-coverage", min=0, max=1, help="Share of claims with a verdict both arms must reach.")
    ] = 0.3,
    min_questions: Annotated[int, typer.Option("--min-questions", help="Questions with verdicts in both arms.")] = 20,
    where: Annotated[
        bool, typer.Option("--where", help="Also: under which conditions the difference appears (a mixed model).")
    ] = False,
    controls: Annotated[
        bool, typer.Option("--controls", help="Also: the robustness table, control by control.")
    ] = False,
    draws: Annotated[int, typer.Option("--draws", min=100, help="Bootstrap samples, and sign flips.")] = 10_000,
    confidence: Confidence = 0.95,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Compare arms question by question: did answers get better while reasoning got worse?

    Differences are paired by question, with BCa bootstrap intervals by question, Wilcoxon's signed ranks, a sign-flip
    permutation test, an effect size and the smallest difference that so many questions could have shown. With several
    arms, intervals and p-values are corrected for their number.

    Examples: tracejury compare last --baseline base | tracejury compare before after | tracejury compare r:base r:ft
    """
    with explained():
        need_reports()
        from tracejury.console.comparison_tables import print_audit
        from tracejury.reports import Settings, audit, choose_arms

        settings = Settings(draws=draws, confidence=confidence, min_coverage=min_coverage, min_questions=min_questions)
        ledger, found, refs = open_references(store, runs)
        columns = read_rows(ledger, found)
        made = audit(
            columns,
            found,
            choose_arms(columns, refs, baseline),
            settings,
            anyway=anyway,
            conditions=where,
            controls=rejudged(ledger, found) if controls else None,
        )
        if as_json:
            typer.echo(made.model_dump_json(indent=2))
        else:
            print_audit(made)


def need_reports() -> None:
    """Say which extra to install where its packages are missing.

    Raises:
        ModuleNotFoundError: One of them is.
    """
    wanted = ("jinja2", "krippendorff", "matplotlib", "openpyxl", "scipy", "sklearn", "statsmodels")
    if missing := [name for name in wanted if find_spec(name) is None]:
        raise ModuleNotFoundError(
            f"{', '.join(missing)} not installed. Install the extra: pip install 'tracejury[reports]'"
        )


def open_references(store: str | None, texts: list[str]) -> tuple[Ledger, list[Run], list[tuple[str, str | None]]]:
    """Open the ledger and read RUN[:ARM] references; a run whose name holds a colon is found by its whole name."""
    from tracejury.graphs import DEFAULT_STORE, Ledger, UnknownRunError

    ledger = Ledger(store or DEFAULT_STORE)
    runs, refs = [], []
    for text in texts:
        arm: str | None = None
        try:
            run = ledger.run(text)
        except UnknownRunError:
            name, colon, arm = text.rpartition(":")
            if not colon:
                raise
            run = ledger.run(name)
        runs.append(run)
        refs.append((run.name, arm))
    return ledger, list({run.id: run for run in runs}.values()), refs


def rejudged(ledger: Ledger, runs: list[Run]) -> dict[str, Columns]:
    """Read the runs that controls made of `runs` (named RUN@CONTROL), by control."""
    from tracejury.reports import load_controls

    there = {run.name: run for run in ledger.runs()}
    found = {}
    for control in load_controls():
        made = [there[name] for run in runs if (name := f"{run.name}@{control.name}") in there]
        if made:
            found[control.name] = read_rows(ledger, made)
    return found


def open_runs(store: str | None, refs: list[str]) -> tuple[Ledger, list[Run]]:
    """Open the ledger and find the runs, each once, in the order given."""
    from tracejury.graphs import DEFAULT_STORE, Ledger

    ledger = Ledger(store or DEFAULT_STORE)
    found = [ledger.run(ref) for ref in refs]
    return ledger, list({run.id: run for run in found}.values())


def read_rows(ledger: Ledger, runs: list[Run]) -> Columns:
    """Read the runs' rows into columns, with a progress bar on standard error."""
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    from tracejury.console.screen import err
    from tracejury.reports import gather

    with Progress(
        SpinnerColumn(), TextColumn("{task.description} {task.completed:,} steps"), TimeElapsedColumn(), console=err,
        transient=True,
    ) as bar:  # fmt: skip
        task = bar.add_task("reading", total=None)

        def stream() -> Iterator[StepRow]:
            for run in runs:
                for row in ledger.rows(run):
                    bar.advance(task)
                    yield row

        return gather(stream())
