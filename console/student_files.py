"""`tracejury student stepwise` and `schema`: a run as stepwise supervision, the JSON schema of recipes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from tracejury.console.failing import explained
from tracejury.console.lines import print_notice
from tracejury.console.neutral import print_json
from tracejury.console.options import RunRef, Store
from tracejury.console.outputs import need_folders


def stepwise(
    run: RunRef = "last",
    out: Annotated[Path, typer.Option(help="Write the rows to this file, as JSON lines.")] = Path("stepwise.jsonl"),
    undecided: Annotated[
        Literal["cut", "drop"],
        typer.Option(help="Cut a trace before its first step without a verdict (cut), or leave it out (drop)."),
    ] = "cut",
    store: Store = None,
) -> None:
    """Write the verdicts of a run as stepwise supervision: prompt, completions, labels.

    It is the form that TRL's PRMTrainer takes: each step of a trace with True (supported) or False (error).

    Example: tracejury student stepwise last --out stepwise.jsonl
    """
    with explained():
        need_folders(out)
        from tracejury.ledger import DEFAULT_STORE, Ledger
        from tracejury.training import stepwise_rows, write_lines

        ledger = Ledger(store or DEFAULT_STORE)
        try:
            chosen = ledger.run(run)
            questions = {question.id: question for _, question, _ in ledger.traces(chosen)}
            count = write_lines(out, stepwise_rows(ledger.rows(chosen), questions.values(), undecided=undecided))
        finally:
            ledger.close()
        if not count:
            raise ValueError(f"{chosen.name}: no trace begins with a step that has a verdict, so there is no row.")
    print_notice(f"{count} traces -> {out}")


def schema(
    kind: Annotated[Literal["recipe", "experiment"], typer.Argument(help="Print the schema of this kind of file.")],
) -> None:
    """Print the JSON schema of recipes or experiments, with which editors complete and check the YAML.

    Example: tracejury student schema recipe > recipe.schema.json
    """
    with explained():
        from tracejury.training import Experiment, Recipe

        model = Recipe if kind == "recipe" else Experiment
        print_json(json.dumps(model.model_json_schema(), indent=2))
