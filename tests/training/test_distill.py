"""The whole experiment on a CPU, through the command line."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tracejury.console.app import app
from tracejury.ledger import Ledger
from tracejury.traces import Batch

pytestmark = [pytest.mark.train, pytest.mark.slow]


def test_tiny_experiment_runs_from_teacher_to_paired_runs(tmp_path: Path) -> None:
    command = ["student", "distill", "tiny", "--out", str(tmp_path), "--json"]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["stages"][:3] == ["base", "corpus", "train"]
    with Batch.open(tmp_path / "sampled" / "base") as base, Batch.open(tmp_path / "sampled" / "student") as student:
        texts = [[t.text for t in batch.traces()] for batch in (base, student)]
        answers = [[t.answer for t in batch.traces()] for batch in (base, student)]
    assert all(sum(a is not None for a in arm) >= len(arm) / 2 for arm in answers)
    assert sum(a != b for a, b in zip(*texts, strict=True)) > len(texts[0]) / 2
    ledger = Ledger(manifest["store"])
    for arm, run in manifest["runs"].items():
        rows = list(ledger.rows(ledger.run(run)))
        assert len({r.trace_id for r in rows}) >= 20, arm
        assert sum(r.outcome is not None for r in rows) >= 60, arm
        assert {r.arm for r in rows} == {arm}
    ledger.close()
    # The same command again finds every stage done.
    trained = (tmp_path / "student" / "manifest.json").stat().st_mtime_ns
    assert CliRunner().invoke(app, command).exit_code == 0
    assert (tmp_path / "student" / "manifest.json").stat().st_mtime_ns == trained
