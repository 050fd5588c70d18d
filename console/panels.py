"""`tracejury panels ...`: the panels that ship, and what a panel of your own can name."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Annotated

import typer

from tracejury.console.cases import calls_app, cases
from tracejury.console.check import check
from tracejury.console.checkers import checkers
from tracejury.console.failing import fail
from tracejury.console.graph import graph
from tracejury.console.neutral import print_json
from tracejury.console.options import Json
from tracejury.console.panel_worth import advise, weigh, worth

if TYPE_CHECKING:
    from tracejury.agents import Panel

app = typer.Typer(no_args_is_help=True, help="List and check panels, and the judges and checkers that they can name.")


@app.command("list")
def list_panels(as_json: Json = False) -> None:
    """List the panels that ship with tracejury.

    A panel says which judges it has, on which models, over which references. Copy one to a file of your own and give
    its path wherever a panel's name is expected.

    Example: tracejury panels list
    """
    from tracejury.agents import load_panel, panel_names

    panels = [load_panel(name, keys=False) for name in panel_names()]
    if as_json:
        print_json(json.dumps([_body(panel) for panel in panels], indent=2, ensure_ascii=False))
        return
    rows: list[tuple[str, ...]] = [
        (
            panel.name,
            str(len(panel.judges)),
            ", ".join(sorted({e.model for e in panel.endpoints.values()})) or "none",
            ", ".join(_missing_keys(panel)) or "nothing more",
            panel.description,
        )
        for panel in panels
    ]
    _print_table(("panel", "judges", "models", "needs", "what it is"), rows)


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="Name a shipped panel or give the path of its YAML file.")],
    as_json: Json = False,
) -> None:
    """Check one panel and show it whole.

    Keys are never in a panel: it names the environment variables that hold them, and this command says which are
    missing.

    Example: tracejury panels show ./my_panel.yaml
    """
    from tracejury.agents import PanelError, load_panel

    try:
        panel = load_panel(name, keys=False)
    except PanelError as error:
        raise fail(str(error)) from None
    if as_json:
        print_json(json.dumps(_body(panel), indent=2, ensure_ascii=False))
    else:
        _print_panel(panel)


@app.command()
def judges(as_json: Json = False) -> None:
    """List the judges that a panel can name, built in or installed by other packages.

    A package brings a judge by an entry point in the group `tracejury.judges`.

    Example: tracejury panels judges
    """
    from tracejury.agents import judges as registered

    rows = []
    for entry in registered.entries():
        row = {"judge": entry.name, "package": f"{entry.package} {entry.version}"}
        try:
            judge = registered.make(entry.name)
            rows.append(row | {"asks": "a model" if judge.needs_endpoint else "no model", "summary": judge.summary})
        except TypeError as error:
            # A judge may have parameters without defaults: it is listed with what it asks for.
            rows.append(row | {"asks": "?", "summary": f"needs params: {str(error).rpartition(': ')[2]}"})
        except Exception as broken:  # noqa: BLE001 - a stranger's broken package must not hide the other judges.
            rows.append(row | {"asks": "?", "summary": f"does not load: {type(broken).__name__}: {broken}"})
    if as_json:
        print_json(json.dumps(rows, indent=2, ensure_ascii=False))
    else:
        _print_table(
            ("judge", "asks", "what it looks at", "from"),
            [(r["judge"], r["asks"], r["summary"], r["package"]) for r in rows],
        )


app.command()(checkers)
app.command()(graph)
for command in (worth, advise, weigh, cases, check):
    app.command()(command)
app.add_typer(calls_app, name="calls")


def _body(panel: Panel) -> dict[str, object]:
    return panel.model_dump(mode="json") | {"missing_keys": _missing_keys(panel)}


def _missing_keys(panel: Panel) -> list[str]:
    from tracejury.agents import endpoints_of

    variables = dict.fromkeys(e.api_key_env for e in endpoints_of(panel) if e.api_key_env)
    return [variable for variable in variables if not os.environ.get(variable)]


def _print_panel(panel: Panel) -> None:
    from tracejury.console.screen import out

    out.print(f"{panel.name}: {panel.description}")
    _print_table(
        ("judge", "kind", "seat", "asked", "model"),
        [
            (j.name, j.judge, j.seat.value, j.only_if, panel.endpoints[j.endpoint].model if j.endpoint else "no model")
            for j in panel.judges
        ],
    )
    resolver = panel.resolver
    if resolver is None:
        out.print("resolver: none; a disputed step abstains")
    elif resolver.endpoint is None:
        out.print("resolver: no model; it upholds derivations that recompute")
    else:
        out.print(f"resolver: {panel.endpoints[resolver.endpoint].model}, up to {resolver.rounds} further searches")
    out.print(f"references: {', '.join(panel.sources) or 'none'}, {panel.retrieval.k} passages a step")
    out.print(f"case: {panel.case_tokens} tokens, replies: {panel.reply_tokens}")
    for variable in _missing_keys(panel):
        out.print(f"missing: export {variable}=...")


def _print_table(columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    from tracejury.console.screen import out
    from tracejury.console.table import Table

    table = Table(*columns)
    for row in rows:
        table.add_row(*row)
    out.print(table)
