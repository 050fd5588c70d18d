"""Options that many commands share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pydantic import JsonValue

Store = Annotated[
    str | None,
    typer.Option(
        envvar="TRACEJURY_STORE", help="Use the ledger at this URL. Default: sqlite:///tracejury.db", show_default=False
    ),
]
IndexPath = Annotated[
    Path | None,
    typer.Option(
        envvar="TRACEJURY_INDEX", help="Use this Chroma index. Default: ./tracejury.index", show_default=False
    ),
]
AirGapped = Annotated[bool, typer.Option("--air-gapped", help="Refuse every address but loopback.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
OwnLabels = Annotated[
    Path | None,
    typer.Option(
        "--labels", help="Read experts' labels (`tracejury review import --labels`) in place of the data set's."
    ),
]
RunRef = Annotated[str, typer.Argument(help="Name a run, by name, the beginning of its id or `last`.")]


def setting(text: str) -> tuple[str, JsonValue]:
    """Read KEY=VALUE; the value is YAML, so that numbers, lists and mappings can be written.

    Raises:
        ValueError: The text is not of this form.
    """
    import yaml

    key, sign, value = text.partition("=")
    if not sign or not key.strip():
        raise ValueError(f"--set {text}: write KEY=VALUE")
    try:
        return key.strip(), yaml.safe_load(value) if value else ""
    except yaml.YAMLError as bad:
        raise ValueError(f"--set {text}: the value is not valid YAML; put it in quotes: {key}='\"...\"'") from bad
