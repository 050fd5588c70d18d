"""Loading a panel by name or from a file; what is wrong is told with file, line and the next step."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from tracejury.agents.contracts import judges
from tracejury.agents.judge_panel import endpoints_of
from tracejury.agents.panel import Panel
from tracejury.agents.prompting import prompt
from tracejury.models import KeyMissingError, api_key
from tracejury.traces import UnknownNameError


class PanelError(ValueError):
    """A panel cannot be used. The message says where (file:line), why, and what to do next."""


def panel_names() -> tuple[str, ...]:
    """Return the names of the panels that ship with the package."""
    folder = files("tracejury.configs") / "panels"
    return tuple(sorted(p.name.removesuffix(".yaml") for p in folder.iterdir() if p.name.endswith(".yaml")))


def load_panel(name_or_path: str | Path, *, keys: bool = True) -> Panel:
    """Load a panel.

    Args:
        name_or_path: A shipped panel's name (`embedded`), or the path of a YAML file.
        keys: Whether the environment variables that hold API keys must be set; listings and dry runs do without.

    Raises:
        PanelError: No such panel, unreadable YAML, an unknown field, judge or endpoint, or a missing key.
    """
    path = _find(name_or_path)
    text = path.read_text("utf-8")
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        data = yaml.safe_load(text)
    except yaml.YAMLError as broken:
        mark = getattr(broken, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        raise PanelError(f"{where}: not YAML: {getattr(broken, 'problem', broken)}; mend the line") from broken
    if not isinstance(data, dict):
        raise PanelError(f"{path}:1: a panel is a mapping; see `tracejury panels embedded` for an example")
    data.setdefault("name", path.stem)
    if isinstance(data.get("endpoints"), dict):
        for name, endpoint in data["endpoints"].items():
            if isinstance(endpoint, dict):
                endpoint.setdefault("name", name)
    _check_names(path, root, data)
    try:
        panel = Panel.model_validate(data)
    except ValidationError as wrong:
        raise PanelError("\n".join(_located(path, root, error) for error in wrong.errors())) from wrong
    _check_judges(path, root, panel)
    if keys:
        _check_keys(path, root, panel)
    return panel


def prompt_hashes(panel: Panel) -> dict[str, str]:
    """Return what each part of the panel is told, as `name@version:hash`; a run's manifest records it.

    A stranger's judge is in it by a `prompt` attribute that has a `stamp`.
    """
    stamps = {}
    for spec in panel.judges:
        judge_prompt = getattr(judges.make(spec.judge, **spec.params), "prompt", None)
        if judge_prompt is not None:
            stamps[spec.name] = str(judge_prompt.stamp)
    if panel.resolver and panel.resolver.endpoint:
        stamps["resolver"] = prompt("resolver").stamp
    return stamps | ({"rules": prompt("rules").stamp} if stamps else {})


def _find(name_or_path: str | Path) -> Path:
    path = Path(name_or_path)
    if path.suffix in {".yaml", ".yml"} or len(path.parts) > 1:
        if not path.is_file():
            raise PanelError(f"{path}: no such file; `tracejury panels` lists the panels that ship with the package")
        return path
    shipped = Path(str(files("tracejury.configs") / "panels" / f"{name_or_path}.yaml"))
    if not shipped.is_file():
        raise PanelError(f"no panel called {str(name_or_path)!r}; known: {', '.join(panel_names())}, or a .yaml file")
    return shipped


def _check_names(path: Path, root: Any, data: dict[str, Any]) -> None:
    """Check what refers to what, before the record does: here the line is known."""
    listed = data.get("judges")
    seated = [j if isinstance(j, dict) else {} for j in listed] if isinstance(listed, list) else []
    asking: list[tuple[tuple[str | int, ...], dict[str, Any]]] = [(("judges", i), j) for i, j in enumerate(seated)]
    if isinstance(resolver := data.get("resolver"), dict):
        asking.append((("resolver",), resolver))
    endpoints = data.get("endpoints")
    endpoint_names = endpoints if isinstance(endpoints, dict) else {}
    for loc, entry in asking:
        if (endpoint := entry.get("endpoint")) and endpoint not in endpoint_names:
            where = f"{path}:{_line(root, (*loc, 'endpoint'))}"
            there = ", ".join(endpoint_names) or "none"
            raise PanelError(f"{where}: no endpoint {endpoint!r}; the panel has {there}; add it under `endpoints`")
    names = [j.get("name") for j in seated]
    for i, name in enumerate(names):
        if name is not None and name in names[:i]:
            where = f"{path}:{_line(root, ('judges', i, 'name'))}"
            raise PanelError(f"{where}: two judges have the same name {name!r}; give this one a name of its own")


def _check_judges(path: Path, root: Any, panel: Panel) -> None:
    for i, spec in enumerate(panel.judges):
        try:
            judge = judges.make(spec.judge, **spec.params)
        except UnknownNameError as unknown:
            raise PanelError(f"{path}:{_line(root, ('judges', i, 'judge'))}: {unknown}") from unknown
        except (TypeError, ValueError, OSError) as broken:
            where = f"{path}:{_line(root, ('judges', i, 'params'))}"
            raise PanelError(f"{where}: judge {spec.name!r}: {broken}; mend its params") from broken
        if judge.needs_endpoint and spec.endpoint is None:
            where = f"{path}:{_line(root, ('judges', i))}"
            raise PanelError(f"{where}: judge {spec.name!r} asks a model; give it `endpoint: {_any(panel)}`")
        if not judge.needs_endpoint and spec.endpoint is not None:
            where = f"{path}:{_line(root, ('judges', i, 'endpoint'))}"
            raise PanelError(f"{where}: judge {spec.name!r} asks no model; take its endpoint out")


def _check_keys(path: Path, root: Any, panel: Panel) -> None:
    for endpoint in endpoints_of(panel):
        try:
            api_key(endpoint)
        except KeyMissingError as missing:
            where = f"{path}:{_line(root, ('endpoints', endpoint.name, 'api_key_env'))}"
            raise PanelError(f"{where}: {missing}") from missing


def _any(panel: Panel) -> str:
    return next(iter(panel.endpoints), "NAME")


def _located(path: Path, root: Any, error: Any) -> str:
    loc = tuple(part for part in error["loc"] if part != "function-after[_check(), Panel]")
    where = ".".join(map(str, loc))
    reason = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        reason = "unknown field; take it out or mend its spelling"
    return f"{path}:{_line(root, loc)}: {where + ': ' if where else ''}{reason}"


def _line(root: Any, loc: Sequence[str | int]) -> int:
    """Return the line (from 1) of the deepest node on the way `loc` into the YAML document."""
    line, node = root.start_mark.line + 1, root
    for part in loc:
        if isinstance(node, yaml.MappingNode):
            entry = next(((k, v) for k, v in node.value if k.value == str(part)), None)
            if entry is None:
                return int(line)
            line, node = entry[0].start_mark.line + 1, entry[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            return int(line)
    return int(line)
