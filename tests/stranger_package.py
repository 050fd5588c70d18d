"""A package of somebody else, installed for a test: a module, its metadata and its entry points."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tracejury.agents import judges
from tracejury.agents.checkers import checkers
from tracejury.retrieval import indexes, scorers, sources
from tracejury.traces import readers, segmenters

REGISTRIES = (judges, readers, segmenters, sources.register, scorers, checkers, indexes)


def write_package(folder: Path, name: str, source: str, groups: Mapping[str, Mapping[str, str]]) -> None:
    """Write a package into a folder of the path: group -> entry point name -> name of an object in the module."""
    module = name.replace("-", "_")
    (folder / f"{module}.py").write_text(source)
    info = folder / f"{module}-0.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.1\n")
    lines = [
        f"[tracejury.{group}]\n" + "".join(f"{entry} = {module}:{target}\n" for entry, target in entries.items())
        for group, entries in groups.items()
    ]
    (info / "entry_points.txt").write_text("\n".join(lines))


@contextmanager
def installed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let this process see the packages in a folder while the block runs."""
    monkeypatch.syspath_prepend(str(folder))
    for registry in REGISTRIES:
        registry.__dict__.pop("_points", None)
    yield
    for registry in REGISTRIES:
        registry.__dict__.pop("_points", None)
