"""`tracejury check PACKAGE`: call everything that a package registers with sample and hostile inputs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from tracejury.console.failing import Exit, fail
from tracejury.console.neutral import print_json


def check(
    package: Annotated[str, typer.Argument(help="Check this installed package.")],
    inputs: Annotated[
        list[Path] | None, typer.Option("--input", help="Read this file or folder with its readers; repeatable.")
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="Make an object with a parameter: NAME.PARAM=VALUE; repeatable.")
    ] = None,
    time_limit: Annotated[float, typer.Option(help="Limit each call to this number of seconds.", min=0.1)] = 10.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check the judges, sources, readers and other objects that a package adds.

    Each is made and called with sample records and with hostile ones: empty, very long, in other scripts, full of
    markup. The command ends with exit code 1 where something is wrong. tracejury.testing has the same checks for your
    tests.

    Example: tracejury check tracejury-hospital
    """
    from importlib.metadata import PackageNotFoundError

    from tracejury.console.plugin_checks import ContractFault, contract_faults, package_objects
    from tracejury.console.screen import out

    try:
        objects = package_objects(package)
    except PackageNotFoundError:
        hint = "install it with pip, and give the name in its pyproject.toml"
        raise fail(f"no package {package!r} is installed; {hint}") from None
    if not objects:
        hint = 'add [project.entry-points."tracejury.judges"] or another group to its pyproject.toml'
        raise fail(f"package {package!r} registers nothing; {hint}")
    params = _params(settings or [], {plugin.name for plugin in objects})
    broken = 0
    rows: list[dict[str, object]] = []
    for plugin in objects:
        made_with = params.get(plugin.name, {})
        faults: list[ContractFault] = contract_faults(
            plugin.what, plugin.name, made_with, inputs=inputs or (), time_limit_s=time_limit
        )
        broken += bool(faults)
        row: dict[str, object] = {"what": plugin.what, "name": plugin.name, "target": plugin.target}
        rows.append(row | {"faults": [fault.reason for fault in faults]})
        if as_json:
            continue
        out.print(f"{'fault' if faults else 'ok   '} {plugin.what} {plugin.name} ({plugin.target})")
        for fault in faults:
            out.print(f"      {fault.reason.removeprefix(f'{plugin}: ')}")
            if fault.needs_params:
                out.print(f"      give it with --set {plugin.name}.PARAM=VALUE")
    if as_json:
        print_json(json.dumps(rows, indent=2, ensure_ascii=False))
    else:
        out.print(f"{len(objects) - broken} of {len(objects)} are as they should be")
    if broken:
        raise typer.Exit(Exit.USAGE)


def _params(settings: list[str], names: set[str]) -> dict[str, dict[str, object]]:
    """Return the parameters of each object; a value is JSON where it can be read as such, else text."""
    params: dict[str, dict[str, object]] = {}
    for setting in settings:
        path, equals, text = setting.partition("=")
        name, _, parameter = path.rpartition(".")
        if not equals or name not in names or not parameter:
            raise fail(f"--set {setting!r} is not NAME.PARAM=VALUE with one of {', '.join(sorted(names))}")
        try:
            value = json.loads(text)
        except ValueError:
            value = text
        params.setdefault(name, {})[parameter] = value
    return params
