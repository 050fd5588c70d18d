"""What sources there are: installed, indexed, or both."""

from __future__ import annotations

import inspect
from importlib import import_module

from tracejury.retrieval.manifest import Manifest
from tracejury.retrieval.registered import sources
from tracejury.traces import Entry, Record


class ListedSource(Record):
    """One line of `tracejury sources`."""

    name: str
    package: str
    """The installed package that registers it; "" for one that is indexed and not registered under this name."""
    license: str
    version: str | None = None
    """What is indexed, else what is installed; None where that hangs on the parameters."""
    passages: int | None = None
    """None: not indexed."""
    parameters: tuple[str, ...] = ()
    """`path` where it must be given, `license=` where it may."""


def list_sources(manifest: Manifest) -> list[ListedSource]:
    """List registered sources, each with what is indexed of it, then what else is indexed."""
    listed = []
    for entry in sources.entries():
        done = manifest.sources.get(entry.name)
        made, parameters = _look(entry)
        license_ = done.license if done else getattr(made, "license", None)
        listed.append(
            ListedSource(
                name=entry.name,
                package=f"{entry.package} {entry.version}",
                license=license_ if isinstance(license_, str) else "as given",
                version=done.version if done else getattr(made, "version", None),
                passages=done.passages if done else None,
                parameters=parameters,
            )
        )
    known = {s.name for s in listed}
    others = [
        ListedSource(name=e.name, package=e.factory, license=e.license, version=e.version, passages=e.passages)
        for e in manifest.sources.values()
        if e.name not in known
    ]
    return listed + others


def _look(entry: Entry) -> tuple[object, tuple[str, ...]]:
    """Return the source if it needs no parameter, else its factory; and what parameters the factory takes."""
    module, _, attribute = entry.target.partition(":")
    factory = getattr(import_module(module), attribute)
    taken = inspect.signature(factory).parameters.values()
    parameters = tuple(p.name + ("" if p.default is p.empty else "=") for p in taken)
    needed = any(not p.endswith("=") for p in parameters)
    return (factory if needed else factory()), parameters
