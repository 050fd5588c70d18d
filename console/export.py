"""`tracejury export`: the rows of a run."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from tracejury.console.failing import explained, fail
from tracejury.console.lines import print_notice
from tracejury.console.options import RunRef, Store
from tracejury.console.outputs import need_folders

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracejury.ledger import StepRow


def export(
    run: RunRef = "last",
    out: Annotated[Path | None, typer.Option(help="Write to this file. Default: standard output.")] = None,
    form: Annotated[
        Literal["jsonl", "csv", "parquet"] | None,
        typer.Option("--format", help="Write this format. Default: by the ending of the file."),
    ] = None,
    with_passages: Annotated[
        Path | None,
        typer.Option(
            "--with-passages",
            help="Write also the cited evidence to this file, as JSON lines: quotes can be checked again.",
        ),
    ] = None,
    store: Store = None,
) -> None:
    """Export a run, one row per step, as JSON lines, CSV or Parquet.

    Nested fields (citations, opinions, resolver) are JSON text in CSV, and nested columns in Parquet.

    Example: tracejury export last --out rows.parquet
    """
    with explained():
        need_folders(out, with_passages)
        from tracejury.ledger import DEFAULT_STORE, Ledger, write_evidence, write_rows

        ledger = Ledger(store or DEFAULT_STORE)
        chosen_run = ledger.run(run)
        ending = out.suffix.removeprefix(".") if out else "jsonl"
        chosen = form or (ending if ending in {"jsonl", "csv", "parquet"} else "jsonl")
        if chosen == "parquet" and out is None:
            raise fail("Parquet needs a file: add --out rows.parquet")
        rows = _with_progress(ledger.rows(chosen_run), to_file=out is not None)
        count = write_rows(rows, chosen, out or sys.stdout)
        if with_passages is not None:
            evidence = write_evidence(ledger, chosen_run, with_passages)
            print_notice(f"{evidence} pieces of evidence -> {with_passages}")
    if out:
        print_notice(f"{count} rows -> {out}")


def _with_progress(rows: Iterator[StepRow], to_file: bool) -> Iterator[StepRow]:
    from tracejury.console.progress import tracked

    return tracked(rows, "steps exported") if to_file else rows
