"""Snapshots of what users read: every `--help`, one export row, the report.

`pytest tests/console/test_snapshots.py --snapshot-update` accepts a change of wording; review the diff.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from made_ledger import demo_pairs, make_run
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode
from typer.main import get_command
from typer.testing import CliRunner

from tracejury.console.app import app
from tracejury.ledger import Ledger

WIDE = {"COLUMNS": "100", "TERM": "dumb", "NO_COLOR": "1"}


class TextFiles(SingleFileSnapshotExtension):
    """One text file a snapshot, so that a diff reads as what a user sees."""

    _write_mode = WriteMode.TEXT
    file_extension = "txt"


@pytest.fixture
def text(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(TextFiles)


def paths(command: object, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    inner = getattr(command, "commands", {})
    return [path, *(deeper for name, c in inner.items() for deeper in paths(c, (*path, name)))]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    url = f"sqlite:///{tmp_path_factory.mktemp('snapshots')}/ledger.db"
    make_run(Ledger(url), demo_pairs())
    return url


@pytest.mark.parametrize("path", paths(get_command(app)), ids=lambda p: "-".join(p) or "tracejury")
def test_help(path: tuple[str, ...], text: SnapshotAssertion) -> None:
    result = CliRunner(env=WIDE).invoke(app, [*path, "--help"])
    assert result.exit_code == 0
    assert "\n".join(line.rstrip() for line in result.output.splitlines()) + "\n" == text


def test_an_export_row(store: str, tmp_path: Path, text: SnapshotAssertion) -> None:
    out = tmp_path / "rows.jsonl"
    assert CliRunner().invoke(app, ["export", "made", "--store", store, "--out", str(out)]).exit_code == 0
    rows = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    row = next(r for r in rows if r["resolver"] and any(o["citations"] for o in r["opinions"]))
    assert json.dumps(row, indent=1, ensure_ascii=False) + "\n" == text


def test_the_report(store: str, tmp_path: Path, text: SnapshotAssertion) -> None:
    out = tmp_path / "report.md"
    command = ["report", "made", "--store", store, "--out", str(out), "--draws", "200"]
    assert CliRunner().invoke(app, command).exit_code == 0
    report = out.read_text("utf-8")
    # The time and the run's id differ from one test run to the next.
    for pattern, mask in (
        (r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(\+00:00|Z| UTC)?", "TIME"),
        (r"`[0-9a-f]{16}`", "`RUN`"),
    ):
        report = re.sub(pattern, mask, report)
    assert report == text
