"""`tracejury ledger`: what stands in a ledger, and bringing one of an earlier version up to date."""

from __future__ import annotations

from typing import Annotated

import typer

from tracejury.console.failing import Exit, explained
from tracejury.console.options import Json, Store

app = typer.Typer(help="The ledger's own affairs: its version, and bringing it up to date.", no_args_is_help=True)


@app.command()
def status(store: Store = None, as_json: Json = False) -> None:
    """Say which version made the ledger and how much stands in it; works on one of any version.

    Exit code 1 where this version cannot write to it.

    Example: tracejury ledger status --store postgresql://me@db.example.org/tracejury
    """
    with explained():
        from tracejury.ledger import DEFAULT_STORE, ledger_status

        report = ledger_status(store or DEFAULT_STORE)
    if as_json:
        typer.echo(report.model_dump_json(indent=2))
    else:
        from tracejury.console.screen import out

        out.print(f"[bold]{report.store}[/]: {report.status}, revision {report.revision or 'none'} of {report.head}")
        out.print(f"  {report.runs:,} runs, {report.traces:,} traces, {report.steps:,} steps, {report.calls:,} calls")
        if report.advice:
            out.print(f"  {report.advice}", style="yellow", highlight=False)
    if report.advice:
        raise typer.Exit(Exit.USAGE)


@app.command()
def upgrade(
    store: Store = None,
    backup: Annotated[
        bool, typer.Option(help="Copy a SQLite ledger beside itself first; for Postgres, take a pg_dump yourself.")
    ] = True,
) -> None:
    """Bring a ledger that an earlier version made up to date.

    All in one transaction: an upgrade that breaks or is killed leaves the ledger as it was. End the runs that write
    to it first; a run that was under way goes on afterwards by its own command.

    Example: tracejury ledger upgrade --store sqlite:///tracejury.db
    """
    with explained():
        from rich.progress import Progress, SpinnerColumn, TextColumn

        from tracejury.console.screen import err, out
        from tracejury.ledger import DEFAULT_STORE, ledger_status, upgrade_ledger

        url = store or DEFAULT_STORE
        before = ledger_status(url)
        columns = SpinnerColumn(), TextColumn("{task.description} {task.completed:,} of {task.total:,}")
        with Progress(*columns, console=err, transient=True) as bar:
            task = bar.add_task("deriving the viewer's pages: step", total=before.steps)
            upgraded = upgrade_ledger(
                url, backup=backup, report_progress=lambda _, completed: bar.update(task, completed=completed)
            )
    if upgraded.before == upgraded.after:
        out.print(f"{before.store} is of revision {upgraded.after}, as this version writes it: nothing to do")
        return
    out.print(f"{before.store}: revision {upgraded.before} -> {upgraded.after}, {before.steps:,} steps")
    if upgraded.backup:
        out.print(f"  a copy of it as it was: {upgraded.backup}")
