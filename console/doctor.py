"""`tracejury doctor`: check that this machine has what tracejury needs."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from tracejury.console.failing import Exit, error_text
from tracejury.console.neutral import print_json
from tracejury.console.options import IndexPath, Json, Store


class SetupCheck(NamedTuple):
    """One line of the check."""

    what: str
    state: str
    """`ok`, `missing` (the main job needs it) or `absent` (an extra)."""
    detail: str


def doctor(
    panel: Annotated[
        str | None, typer.Option(help="Ask each endpoint of this panel once, and say what it refuses.")
    ] = None,
    store: Store = None,
    index: IndexPath = None,
    as_json: Json = False,
) -> None:
    """Check Python, weights, index, ledger, extras, GPU and keys, and say how to get what is missing.

    The exit code is 1 if the embedded panel, or an endpoint of the panel that --panel names, cannot be used here.

    Example: tracejury doctor
    """
    findings = list(_endpoints(panel)) if panel else []
    findings += [*_machine(), *_weights(), *_stores(store, index), *_extras(), *_keys()]
    if as_json:
        print_json(json.dumps([f._asdict() for f in findings], indent=2))
    else:
        from tracejury.console.screen import marked, out

        style = {"ok": "green", "missing": "bold red", "absent": "dim"}
        for finding in findings:
            template = f"[{style[finding.state]}]{finding.state:8}[/]{{}}: {{}}"
            out.print(marked(template, finding.what, finding.detail), soft_wrap=True)
    if any(f.state == "missing" for f in findings):
        raise typer.Exit(Exit.USAGE)


def _endpoints(name: str) -> Iterator[SetupCheck]:
    """Ask the endpoints of a panel; a server that did not answer is never `ok`."""
    import asyncio
    import secrets

    from tracejury.agents import endpoints_of, judge_reply, load_panel
    from tracejury.models import CallStore, Gateway, ProbeResult

    panel = load_panel(name)
    endpoints = [endpoint for endpoint in endpoints_of(panel) if endpoint.kind == "openai"]

    async def ask() -> list[ProbeResult]:
        store = CallStore("sqlite://")
        try:
            async with Gateway(store, secret=secrets.token_bytes(16)) as gateway:
                schema = judge_reply(panel.reply_tokens)
                return list(await asyncio.gather(*(gateway.probe(endpoint, schema) for endpoint in endpoints)))
        finally:
            store.close()

    for result in asyncio.run(ask()):
        yield SetupCheck(f"endpoint {result.endpoint.name}", "ok" if result.problem is None else "missing", str(result))
    if not endpoints:
        yield SetupCheck(f"panel {name}", "ok", "no judge needs a server")


def _machine() -> Iterator[SetupCheck]:
    from importlib.metadata import version

    yield SetupCheck("tracejury", "ok", f"{version('tracejury')} on Python {sys.version.split()[0]}")
    free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    yield SetupCheck("machine", "ok", f"{cores} cores, {free:.1f} GiB of memory free")
    gpu = shutil.which("nvidia-smi")
    yield SetupCheck("GPU", "ok" if gpu else "absent", gpu or "none; students train on the CPU back end")


def _weights() -> Iterator[SetupCheck]:
    from tracejury.models import weights_path

    for name in ("minilm", "smollm2-135m"):
        try:
            yield SetupCheck(f"weights {name}", "ok", str(weights_path(name)))
        except (LookupError, OSError, ValueError, RuntimeError) as error:
            yield SetupCheck(f"weights {name}", "missing", error_text(error))


def _stores(store: str | None, index: Path | None) -> Iterator[SetupCheck]:
    from tracejury.ledger import DEFAULT_STORE, Ledger
    from tracejury.retrieval import Index
    from tracejury.storage import hide_password

    url = store or DEFAULT_STORE
    file = url.removeprefix("sqlite:///")
    if url.startswith("sqlite") and not Path(file).exists():
        yield SetupCheck("ledger", "absent", f"{hide_password(url)}: the first run creates it")
    else:
        try:
            yield SetupCheck("ledger", "ok", f"{hide_password(url)}: {len(Ledger(url).runs())} runs")
        except Exception as error:  # noqa: BLE001 - whatever a database driver raises is the finding
            yield SetupCheck("ledger", "missing", f"{hide_password(url)}: {error}")
    try:
        manifest = Index.open(index).manifest()
    except (LookupError, OSError, ValueError, RuntimeError) as error:
        yield SetupCheck("index", "missing", error_text(error))
        return
    if not manifest.sources:
        yield SetupCheck("index", "absent", "empty: `tracejury index build open-medicine`, or the first run builds it")
    for entry in manifest.sources.values():
        yield SetupCheck(f"index {entry.name}", "ok", f"{entry.passages} passages, version {entry.version}")


def _extras() -> Iterator[SetupCheck]:
    needs = {
        "local": "xllamacpp",
        "viewer": "fastapi",
        "reports": "statsmodels",
        "postgres": "psycopg",
        "train": "trl",
        "unsloth": "unsloth",
        "ray": "ray",
    }
    for extra, module in needs.items():
        here = importlib.util.find_spec(module) is not None
        state = "ok" if here else "missing" if extra == "local" else "absent"
        yield SetupCheck(f"extra {extra}", state, "installed" if here else f"pip install 'tracejury[{extra}]'")


def _keys() -> Iterator[SetupCheck]:
    from tracejury.agents import load_panel, panel_names
    from tracejury.models import is_fetched

    for name in panel_names():
        endpoints = load_panel(name, keys=False).endpoints.values()
        keys = {e.api_key_env for e in endpoints if e.api_key_env}
        unset = sorted(key for key in keys if not os.environ.get(key))
        detail = f"set {', '.join(unset)} to use it" if unset else "its keys are set" if keys else "it needs no key"
        if missing := [e.model for e in endpoints if e.kind == "embedded" and not is_fetched(e.model)]:
            reason = f"no model for it is fetched ({', '.join(sorted(missing))}): tracejury models list"
            yield SetupCheck(f"panel {name}", "absent", reason)
            continue
        has_server = any(e.kind == "openai" for e in endpoints)
        if not unset and has_server:
            detail += f"; its servers were not asked: tracejury doctor --panel {name}"
        if models := sorted(e.model for e in endpoints if e.kind == "embedded"):
            detail += f"; its model is {', '.join(models)}"
        yield SetupCheck(f"panel {name}", "absent" if unset or has_server else "ok", detail)
