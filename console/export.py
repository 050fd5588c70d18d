"""`tracejury export` and `tracejury runs`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from tracejury.console.failing import explained, fail
from tracejury.console.options import Json, RunRef, Store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracejury.ledger import StepRow


def export(
    run: RunRef = "last",
    out: Annotated[Path | None, typer.Option(help="A file; standard output where left out.")] = None,
    form: Annotated[
        Literal["jsonl", "csv", "parquet"] | None, typer.Option("--format", help="Default: by the file's ending.")
    ] = None,
    store: Store = None,
) -> None:
    """Export a run, one row a step: JSON lines, CSV or Parquet.

    Nested fields (citations, opinions, resolver) are JSON text in CSV, and nested columns in Parquet.

    Example: tracejury export last --out rows.parquet
    """
    with explained():
        from tracejury.ledger import DEFAULT_STORE, Ledger, write_rows

        ledger = Ledger(store or DEFAULT_STORE)
        chosen_run = ledger.run(run)
        ending = out.suffix.removeprefix(".") if out else "jsonl"
        chosen = form or (ending if ending in {"jsonl", "csv", "parquet"} else "jsonl")
        if chosen == "parquet" and out is None:
            raise fail("Parquet goes to a file: add --out rows.parquet")
        rows = _with_progress(ledger.rows(chosen_run), to_file=out is not None)
        count = write_rows(rows, chosen, out or sys.stdout)
    if out:
        typer.echo(f"{count} rows -> {out}", err=True)


def runs(store: Store = None, as_json: Json = False) -> None:
    """List the runs of a ledger, newest first."""
    with explained():
        from rich.table import Table

        from tracejury.console.screen import out
        from tracejury.ledger import DEFAULT_STORE, Ledger

        ledger = Ledger(store or DEFAULT_STORE)
        progress_by_run = [ledger.progress(listed_run) for listed_run in ledger.runs()]
    if as_json:
        print(json.dumps([s.model_dump(mode="json", exclude={"run": {"panel"}}) for s in progress_by_run], indent=2))
        return
    table = Table(title=f"{len(progress_by_run)} runs in {ledger.url}", title_justify="left")
    for column in ("name", "id", "created", "panel", "traces done", "✓", "✗", "abstained", "failed", "cost"):
        table.add_column(column)
    for s in progress_by_run:
        counts = [str(s.outcomes[name]) for name in ("supported", "error", "abstained", "failed")]
        created = s.run.created[:16].replace("T", " ")
        table.add_row(
            s.run.name,
            s.run.id[:8],
            created,
            s.run.panel.name,
            s.done,
            *counts,
            f"${s.cost_usd:.3f}",
        )
    out.print(table)


def _with_progress(rows: Iterator[StepRow], to_file: bool) -> Iterator[StepRow]:
    from rich.progress import track

    from tracejury.console.screen import err

    return iter(track(rows, description="exporting", console=err, transient=True)) if to_file else rows
