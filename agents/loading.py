"""Loading a panel by name or from a file; errors name file, line and the next step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tracejury.agents.contracts import judges
from tracejury.agents.judge_panel import endpoints_of
from tracejury.agents.panel import Panel
from tracejury.agents.prompting import prompt
from tracejury.configs.loading import ConfigError, ConfigFile, ConfigKind, open_config, shipped_names
from tracejury.models import BEST_FETCHED, KeyMissingError, TokenizerError, api_key, best_fetched, special_tokens
from tracejury.traces import PluginError, UnfitParamsError, UnknownNameError, segmenters


class PanelError(ConfigError):
    """A panel cannot be used. The message says where (file:line), why, and what to do next."""


PANELS = ConfigKind("panels", "panel", PanelError, "see `tracejury panels show embedded` for an example")


def panel_names() -> tuple[str, ...]:
    """Return the names of the panels that ship with the package."""
    return shipped_names(PANELS)


def load_panel(name_or_path: str | Path, *, keys: bool = True) -> Panel:
    """Load a panel.

    Args:
        name_or_path: A shipped panel's name (`embedded`), or the path of a YAML file.
        keys: Whether the environment variables that hold API keys must be set; listings and dry runs do without.

    Raises:
        PanelError: No such panel, unreadable YAML, an unknown field, judge or endpoint, or a missing key.
    """
    file = open_config(PANELS, name_or_path)
    if isinstance(endpoints := file.data.get("endpoints"), dict):
        for name, endpoint in endpoints.items():
            if isinstance(endpoint, dict):
                endpoint.setdefault("name", name)
                if endpoint.get("kind") == "embedded" and endpoint.get("model") == BEST_FETCHED:
                    # A run is about one model, so its panel names it. Where none is fetched, only a call needs one.
                    endpoint["model"] = best_fetched() or BEST_FETCHED
    _check_names(file)
    panel = file.record(Panel, {"name": file.path.stem})
    _check_segmenter(file, panel)
    _check_judges(file, panel)
    _check_tokenizers(file, panel)
    if keys:
        _check_keys(file, panel)
    return panel


def prompt_hashes(panel: Panel) -> dict[str, str]:
    """Return the prompt of each part of the panel as `name@version:hash`; a run's manifest records it.

    A stranger's judge is in it by a `prompt` attribute that has a `stamp`.
    """
    stamps = {}
    for spec in panel.judges:
        own_prompt = getattr(judges.make(spec.judge, **spec.params), "prompt", None)
        if own_prompt is not None:
            stamps[spec.name] = str(own_prompt.stamp)
    if any(spec.search for spec in panel.judges):
        stamps["search"] = prompt("search").stamp
    if panel.claims.endpoint:
        stamps["claims"] = prompt("claims").stamp
    if panel.checker and panel.checker.endpoint:
        stamps["checker"] = prompt(str(panel.checker.params.get("prompt", "checker"))).stamp
    if panel.resolver and panel.resolver.endpoint:
        stamps["resolver"] = prompt("resolver").stamp
    return stamps | ({"rules": prompt("rules").stamp} if stamps else {})


def _check_names(file: ConfigFile) -> None:
    """Check what refers to what, before the record does: here the line is known."""
    listed = file.data.get("judges")
    entries = [j if isinstance(j, dict) else {} for j in listed] if isinstance(listed, list) else []
    users: list[tuple[tuple[str | int, ...], dict[str, Any]]] = [(("judges", i), j) for i, j in enumerate(entries)]
    for part in ("resolver", "checker", "claims"):
        if isinstance(asking := file.data.get(part), dict):
            users.append(((part,), asking))
    endpoints = file.data.get("endpoints")
    names = list(endpoints) if isinstance(endpoints, dict) else []
    for location, entry in users:
        if (endpoint := entry.get("endpoint")) and endpoint not in names:
            existing = ", ".join(map(str, names)) or "none"
            reason = f"no endpoint {endpoint!r}; the panel has {existing}; add it under `endpoints`"
            raise file.problem((*location, "endpoint"), reason)
    judge_names = [j.get("name") for j in entries]
    for i, name in enumerate(judge_names):
        if name is not None and name in judge_names[:i]:
            reason = f"two judges have the same name {name!r}; give this one a name of its own"
            raise file.problem(("judges", i, "name"), reason)


def _check_segmenter(file: ConfigFile, panel: Panel) -> None:
    if panel.segmenter == "auto":
        return
    try:
        segmenters.make(panel.segmenter)
    except (UnknownNameError, PluginError) as unusable:
        raise file.problem(("segmenter",), unusable) from unusable


def _check_judges(file: ConfigFile, panel: Panel) -> None:
    faults: list[ValueError] = []
    for i, spec in enumerate(panel.judges):
        try:
            judge = judges.make(spec.judge, **spec.params)
        except UnknownNameError as unknown:
            raise file.problem(("judges", i, "judge"), unknown) from unknown
        except UnfitParamsError as unfit:
            faults.append(file.problem(("judges", i, "params"), f"judge {spec.name!r}: {unfit}; correct its params"))
            continue
        except PluginError as fault:
            faults.append(file.problem(("judges", i, "judge"), f"judge {spec.name!r}: {fault}"))
            continue
        except (TypeError, ValueError, OSError) as refused:
            reason = f"judge {spec.name!r}: {refused}; correct its params"
            raise file.problem(("judges", i, "params"), reason) from refused
        if judge.needs_endpoint and spec.endpoint is None:
            example = next(iter(panel.endpoints), "NAME")
            raise file.problem(("judges", i), f"judge {spec.name!r} asks a model; give it `endpoint: {example}`")
        if not judge.needs_endpoint and spec.endpoint is not None:
            reason = f"judge {spec.name!r} asks no model; remove its endpoint"
            raise file.problem(("judges", i, "endpoint"), reason)
    if faults:
        # All at once: whoever installs a package wants the whole list, not one line a try.
        raise PanelError("\n".join(map(str, faults)))


def _check_tokenizers(file: ConfigFile, panel: Panel) -> None:
    for endpoint in endpoints_of(panel):
        if endpoint.tokenizer is not None:
            try:
                special_tokens(endpoint)
            except TokenizerError as unreadable:
                raise file.problem(("endpoints", endpoint.name, "tokenizer"), unreadable) from unreadable


def _check_keys(file: ConfigFile, panel: Panel) -> None:
    for endpoint in endpoints_of(panel):
        try:
            api_key(endpoint)
        except KeyMissingError as missing:
            raise file.problem(("endpoints", endpoint.name, "api_key_env"), missing) from missing
