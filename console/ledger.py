"""`tracejury ledger ...`: the runs of a ledger, its version and its upgrade."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from tracejury.console.failing import Exit, explained
from tracejury.console.neutral import print_json
from tracejury.console.options import Json, Store

app = typer.Typer(help="List the runs of a ledger, show its version, and upgrade it.", no_args_is_help=True)


@app.command()
def runs(store: Store = None, as_json: Json = False) -> None:
    """List the runs of a ledger, newest first.

    Example: tracejury ledger runs
    """
    with explained():
        from tracejury.console.screen import out
        from tracejury.console.table import Table
        from tracejury.ledger import DEFAULT_STORE, Ledger
        from tracejury.storage import hide_password

        ledger = Ledger(store or DEFAULT_STORE)
        progress_by_run = [ledger.progress(listed_run) for listed_run in ledger.runs()]
    if as_json:
        print_json(
            json.dumps([s.model_dump(mode="json", exclude={"run": {"panel"}}) for s in progress_by_run], indent=2)
        )
        return
    table = Table(
        "name", "id", "created", "panel", "traces done", figures=("✓", "✗", "abstained", "failed", "cost"),
        title=f"{len(progress_by_run)} runs in {hide_password(ledger.url)}",
    )  # fmt: skip
    for s in progress_by_run:
        counts = [str(s.outcomes[name]) for name in ("supported", "error", "abstained", "failed")]
        created = s.run.created[:16].replace("T", " ")
        table.add_row(s.run.name, s.run.id[:8], created, s.run.panel.name, s.done, *counts, f"${s.cost_usd:.3f}")
    out.print(table)


@app.command()
def status(store: Store = None, as_json: Json = False) -> None:
    """Show which version made the ledger and how much it holds. Any version of a ledger can be shown.

    The exit code is 1 if this version cannot write to it.

    Example: tracejury ledger status --store postgresql://me@db.example.org/tracejury
    """
    with explained():
        from tracejury.ledger import DEFAULT_STORE, ledger_status

        report = ledger_status(store or DEFAULT_STORE)
    if as_json:
        print_json(report.model_dump_json(indent=2))
    else:
        from tracejury.console.screen import marked, out

        revision = f"revision {report.revision or 'none'} of {report.head}"
        out.print(marked("[bold]{}[/]: {}, {}", report.store, report.status, revision))
        out.print(f"  {report.runs:,} runs, {report.traces:,} traces, {report.steps:,} steps, {report.calls:,} calls")
        if report.advice:
            out.print(f"  {report.advice}", style="yellow")
    if report.advice:
        raise typer.Exit(Exit.USAGE)


@app.command()
def upgrade(
    store: Store = None,
    backup: Annotated[
        bool, typer.Option(help="Copy a SQLite ledger first (for Postgres, run pg_dump yourself).")
    ] = True,
) -> None:
    """Upgrade a ledger that an earlier version made.

    The upgrade is one transaction: if it fails or is killed, the ledger stays as it was. Stop the runs that write to it
    first; the same commands resume them afterwards.

    Example: tracejury ledger upgrade --store sqlite:///tracejury.db
    """
    with explained():
        from tracejury.console.progress import progress
        from tracejury.console.screen import out
        from tracejury.ledger import DEFAULT_STORE, ledger_status, upgrade_ledger

        url = store or DEFAULT_STORE
        before = ledger_status(url)
        with progress("steps counted for the viewer", before.steps) as bar:
            upgraded = upgrade_ledger(url, backup=backup, report_progress=lambda _, completed: bar.update(completed))
    if upgraded.before == upgraded.after:
        out.print(f"{before.store} has revision {upgraded.after}, which this version writes: nothing to do")
        return
    out.print(f"{before.store}: revision {upgraded.before} -> {upgraded.after}, {before.steps:,} steps")
    if upgraded.backup:
        out.print(f"  backup: {upgraded.backup}")
