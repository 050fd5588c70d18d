"""`tracejury panels checkers`: the checkers that decide how evidence relates to a claim."""

from __future__ import annotations

import json
from pkgutil import resolve_name
from typing import Annotated

import typer

from tracejury.console.neutral import print_json


def checkers(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the checkers that a panel can name, built in or installed by other packages.

    A package brings a checker by an entry point in the group `tracejury.checkers`.

    Example: tracejury panels checkers
    """
    from tracejury.agents.checkers import checkers as registered
    from tracejury.console.screen import out
    from tracejury.console.table import Table

    rows = []
    for entry in registered.entries():
        row = {"checker": entry.name, "package": f"{entry.package} {entry.version}"}
        try:
            # A class says what it is without being made: some need parameters.
            factory = resolve_name(entry.target)
            needs_endpoint, summary = getattr(factory, "needs_endpoint", None), getattr(factory, "summary", "")
        except Exception as broken:  # noqa: BLE001 - a stranger's broken package must not hide the other checkers
            needs_endpoint, summary = None, f"does not load: {type(broken).__name__}: {broken}"
        asks = "as its params say" if needs_endpoint is None else "a model" if needs_endpoint else "no model"
        rows.append(row | {"asks": asks, "summary": str(summary)})
    if as_json:
        print_json(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    table = Table("checker", "asks", "how it reads", "from")
    for row in rows:
        table.add_row(*(row[column] for column in ("checker", "asks", "summary", "package")))
    out.print(table)
