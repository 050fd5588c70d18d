"""Options that many commands share, with one wording."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Store = Annotated[
    str | None,
    typer.Option(envvar="TRACEJURY_STORE", help="Ledger URL. Default: sqlite:///tracejury.db", show_default=False),
]
IndexPath = Annotated[
    Path | None,
    typer.Option(envvar="TRACEJURY_INDEX", help="Chroma index. Default: ./tracejury.index", show_default=False),
]
Json = Annotated[bool, typer.Option("--json", help="Machine-readable.")]
RunRef = Annotated[str, typer.Argument(help="A run's name, the beginning of its id, or `last`.")]
