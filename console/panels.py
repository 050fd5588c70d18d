"""`tracejury panels` and `tracejury judges`: what there is to choose from."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from tracejury.agents import Panel

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


def panels(
    name: Annotated[
        str | None, typer.Argument(help="A panel's name or the path of its YAML file: show it whole.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the panels that ship with tracejury, or check and show one.

    A panel says which judges sit, on which models, over which references. Copy one to a file of your own and give the
    path wherever a panel's name is asked for. Keys are never in a panel: it names the environment variables that hold
    them, and this command says which are missing.

    Examples:
        tracejury panels

        tracejury panels ./my_panel.yaml
    """
    from tracejury.agents import PanelError, load_panel, panel_names

    try:
        loaded = [load_panel(n, keys=False) for n in ([name] if name else panel_names())]
    except PanelError as wrong:
        typer.echo(str(wrong), err=True)
        raise typer.Exit(1) from None
    if as_json:
        bodies = [p.model_dump(mode="json") | {"missing_keys": _missing(p)} for p in loaded]
        typer.echo(json.dumps(bodies[0] if name else bodies, indent=2, ensure_ascii=False))
    elif name:
        _print_panel(loaded[0])
    else:
        _print_table(
            ("panel", "judges", "models", "needs", "what it is"),
            [
                (
                    p.name,
                    str(len(p.judges)),
                    ", ".join(sorted({e.model for e in p.endpoints.values()})) or "none",
                    ", ".join(_missing(p)) or "nothing more",
                    p.description,
                )
                for p in loaded
            ],
        )


def judges(as_json: AsJson = False) -> None:
    """List the judges that a panel can seat, built in or installed by other packages.

    A package brings a judge by an entry point in the group `tracejury.judges`.

    Example:
        tracejury judges
    """
    from tracejury.agents import judges as registered

    rows = []
    for entry in registered.entries():
        row = {"judge": entry.name, "package": f"{entry.package} {entry.version}"}
        try:
            judge = registered.make(entry.name)
            rows.append(row | {"asks": "a model" if judge.needs_endpoint else "no model", "summary": judge.summary})
        except TypeError as needs:
            # A judge may have parameters without defaults: it is listed with what it asks for.
            rows.append(row | {"asks": "?", "summary": f"needs params: {str(needs).rpartition(': ')[2]}"})
        except Exception as broken:  # noqa: BLE001 - a stranger's broken package must not hide the other judges.
            rows.append(row | {"asks": "?", "summary": f"does not load: {type(broken).__name__}: {broken}"})
    if as_json:
        typer.echo(json.dumps(rows, indent=2, ensure_ascii=False))
    else:
        _print_table(
            ("judge", "asks", "what it looks at", "from"),
            [(r["judge"], r["asks"], r["summary"], r["package"]) for r in rows],
        )


def _missing(panel: Panel) -> list[str]:
    import os

    from tracejury.agents import endpoints_of

    variables = dict.fromkeys(e.api_key_env for e in endpoints_of(panel) if e.api_key_env)
    return [variable for variable in variables if not os.environ.get(variable)]


def _print_panel(panel: Panel) -> None:
    typer.echo(f"{panel.name}: {panel.description}")
    _print_table(
        ("judge", "kind", "seat", "heard", "model"),
        [
            (j.name, j.judge, j.seat.value, j.only_if, panel.endpoints[j.endpoint].model if j.endpoint else "no model")
            for j in panel.judges
        ],
    )
    resolver = panel.resolver
    if resolver is None:
        typer.echo("resolver: none, disputes abstain")
    elif resolver.endpoint is None:
        typer.echo("resolver: no model, upholds derivations that recompute")
    else:
        typer.echo(f"resolver: {panel.endpoints[resolver.endpoint].model}, up to {resolver.rounds} further searches")
    typer.echo(f"references: {', '.join(panel.retrieval.sources) or 'none'}, {panel.retrieval.k} passages a step")
    typer.echo(f"case: {panel.case_tokens} tokens, replies: {panel.reply_tokens}")
    for variable in _missing(panel):
        typer.echo(f"missing: export {variable}=...")


def _print_table(columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*map(escape, row))
    Console().print(table)
