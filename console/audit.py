"""Commands on what the verdicts add up to: summary, compare, report, gate, review."""

from __future__ import annotations

from collections.abc import Iterator
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
