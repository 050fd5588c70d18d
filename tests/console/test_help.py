"""The command line's door: quick, light, and every command teaches."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from tracejury.console.app import app

HEAVY = (
    "torch",
    "chromadb",
    "langgraph",
    "langchain_core",
    "langchain_openai",
    "openai",
    "onnxruntime",
    "sqlalchemy",
    "numpy",
)
VERBS = """
Accept Allow Answer Append Apply Ask Call Certify Check Compare Copy Correct Count Cut Disclose Draw Embed Export
Fetch Filter Find Fit Import Index Install Judge Keep Leave Let Limit List Listen Look Make Measure Name Open Print
Put Rank Read Rebuild Refuse Remove Render Replace Report Require Rerank Reward Rewrite Run Sample Say Score
Search Seed Send Serve Set Show Shuffle Start Stop Sum Take Train Treat Try Upgrade Use Vouch Work Write Cluster Give
"""
MAIN = """import sys
sys.argv = ['tracejury', '--help']
from tracejury.console.app import main
try:
    main()
except SystemExit:
    pass
"""


def test_help_imports_nothing_heavy() -> None:
    code = MAIN + f"loaded = sorted(set({HEAVY!r}) & set(sys.modules)); assert not loaded, loaded"
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)


def leaves(command: object, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], object]]:
    inner = getattr(command, "commands", None)
    if inner is None:
        return [(path, command)]
    return [leaf for name, c in inner.items() for leaf in leaves(c, (*path, name))]


COMMANDS = dict(leaves(get_command(app)))


@pytest.mark.parametrize("path", COMMANDS, ids="-".join)
def test_every_command_says_what_it_is_for(path: tuple[str, ...]) -> None:
    command = COMMANDS[path]
    assert len(getattr(command, "help", None) or "") > 20
    for param in command.params:  # type: ignore[attr-defined]
        assert getattr(param, "help", None), f"{param.name} of {' '.join(path)} has no help"


def test_every_help_line_begins_with_a_verb() -> None:
    for path, command in COMMANDS.items():
        for line in (command.help, *(param.help for param in command.params)):  # type: ignore[attr-defined]
            assert line.split()[0].rstrip(",") in VERBS.split(), f"{' '.join(path)}: {line}"


def test_the_top_level_is_small() -> None:
    assert len(get_command(app).commands) <= 22  # type: ignore[attr-defined]


def test_the_version() -> None:
    result = CliRunner().invoke(app, ["--version"])
    assert (result.exit_code, result.output) == (0, f"tracejury {version('tracejury')}\n")
