"""`tracejury read verdicts TABLE`: a run out of a bare table of verdicts."""

from __future__ import annotations

import json
from pathlib import Path

from tracejury.console.neutral import print_json


def read_verdicts(path: Path, run: str | None, store: str | None, labels: dict[str, str], as_json: bool) -> None:
    """Write a table of verdicts into the ledger as a run, and say what to do with it.

    Raises:
        ValueError: The table cannot be read, or a run of this name is there.
    """
    from tracejury.agents import Reading, files_of, read_opinions
    from tracejury.graphs import write_verdicts
    from tracejury.ledger import DEFAULT_STORE, Ledger

    table_format = "csv" if path.suffix.lower() in (".csv", ".tsv") else "jsonl"
    reading = Reading(table_format, tuple(sorted(labels.items())))  # type: ignore[arg-type]
    rows = read_opinions(files_of(path, reading.file_format), reading)
    if not rows:
        raise ValueError(f"{path} has no row; a table of verdicts has question, arm, step and label")
    name = run or path.stem
    ledger = Ledger(store or DEFAULT_STORE)
    verdict_run = write_verdicts(ledger, rows, name, str(path))
    progress = ledger.progress(verdict_run)
    if as_json:
        print_json(json.dumps({"run": name, "traces": progress.traces, "outcomes": progress.outcomes}, indent=2))
        return
    from tracejury.console.screen import marked, out

    counts = ", ".join(f"{outcome} {n:,}" for outcome, n in progress.outcomes.items())
    traces = f"{progress.traces:,}"
    out.print(marked("[bold]{}[/]: {} traces; steps: {}; nobody was asked", name, traces, counts))
    out.print(f"Next: tracejury summary {name} | tracejury compare {name}")
