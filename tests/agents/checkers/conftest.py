"""A checker of a stranger's package that looks its answers up, installed for a test."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from tracejury.agents.checkers import checkers

SOURCE = """
from tracejury.agents.checkers import Probabilities

class Lookup:
    kind, summary, needs_endpoint = "lookup", "looks its answers up", False

    def __init__(self, answers=(), identity="lookup@1", can_contradict=True):
        self.answers, self.identity, self.can_contradict = list(answers), identity, can_contradict
        self.pairs_read = []

    async def probabilities(self, pairs, ask):
        self.pairs_read += pairs
        return [Probabilities(*self.answers[0])] * len(pairs) if len(self.answers) == 1 else self.answers

class Broken(Lookup):
    kind = "broken"
    async def probabilities(self, pairs, ask):
        raise RuntimeError("no disk")

class Nameless:
    summary = "no checker"
"""


@pytest.fixture
def stranger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Install the package `tracejury-lookup` and have the registry look again."""

    def install() -> None:
        (tmp_path / "lookup_checkers.py").write_text(textwrap.dedent(SOURCE))
        info = tmp_path / "tracejury_lookup-0.1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: tracejury-lookup\nVersion: 0.1\n")
        names = ("lookup", "broken", "nameless")
        lines = "".join(f"{name} = lookup_checkers:{name.capitalize()}\n" for name in names)
        (info / "entry_points.txt").write_text(f"[tracejury.checkers]\n{lines}")
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.delitem(checkers.__dict__, "_points", raising=False)

    yield install
    checkers.__dict__.pop("_points", None)
