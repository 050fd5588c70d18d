"""What sources there are: installed, indexed, or both."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from importlib import import_module
from typing import NamedTuple

from tracejury.retrieval import sources
from tracejury.retrieval.manifest import IndexManifest
from tracejury.retrieval.records import Trust
from tracejury.retrieval.trust import source_trust
from tracejury.traces import Entry, Record


class ListedSource(Record):
    """One line of `tracejury index sources`."""

    name: str
    package: str
    """The installed package that registers it; "" for one that is indexed and not registered under this name."""
    license: str
    version: str | None = None
    """What is indexed, else what is installed; None where that hangs on the parameters."""
    passages: int | None = None
    """None: not indexed."""
    trust: Trust
    """`listed`: its passages ground nothing until the user writes `trust: full`."""
    parameters: tuple[str, ...] = ()
    """`path` where it must be given, `license=` where it may."""


def list_sources(manifest: IndexManifest) -> list[ListedSource]:
    """List registered sources, each with what is indexed of it, then what else is indexed."""
    listed = []
    for entry in sources.entries():
        indexed = manifest.sources.get(entry.name)
        facts = _look(entry)
        listed.append(
            ListedSource(
                name=entry.name,
                package=f"{entry.package} {entry.version}",
                license=indexed.license if indexed else facts.license,
                version=indexed.version if indexed else facts.version,
                passages=indexed.passages if indexed else None,
                trust=indexed.trust if indexed else source_trust(entry.name),
                parameters=facts.parameters,
            )
        )
    names = {s.name for s in listed}
    others = [
        ListedSource(
            name=e.name, package=e.factory, license=e.license, version=e.version, passages=e.passages, trust=e.trust
        )
        for e in manifest.sources.values()
        if e.name not in names
    ]
    return listed + others


class _SourceFacts(NamedTuple):
    license: str
    version: str | None
    parameters: tuple[str, ...]


def _look(entry: Entry) -> _SourceFacts:
    """Look at a factory; make the source only where that needs no parameter. One broken package spoils no list."""
    module, _, attribute = entry.target.partition(":")
    try:
        factory = getattr(import_module(module), attribute)
        signature = inspect.signature(factory).parameters.values()
        parameters = tuple(p.name + ("" if p.default is p.empty else "=") for p in signature)
        instance = factory if any(not p.endswith("=") for p in parameters) else _instance_or_factory(factory)
        license_ = getattr(instance, "license", None)
    except Exception as broken:  # noqa: BLE001 - a stranger's module may raise anything
        return _SourceFacts(f"cannot be loaded: {broken}", None, ())
    return _SourceFacts(license_ if isinstance(license_, str) else "as given", _version(instance), parameters)


def _instance_or_factory(factory: Callable[[], object]) -> object:
    """Return what the factory makes; itself where it wants one of several parameters (a query, or a list of ids)."""
    try:
        return factory()
    except ValueError:
        return factory


def _version(instance: object) -> str | None:
    try:
        version = getattr(instance, "version", None)
    except (ImportError, OSError) as missing:
        return str(missing)
    return version if isinstance(version, str) else None
