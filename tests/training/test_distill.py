"""The whole experiment on a CPU, through the command line."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tracejury.console.app import app
from tracejury.ledger import Ledger
from tracejury.traces import Batch

EXPERIMENTS = Path(__file__).resolve().parents[2] / "configs" / "experiments"

pytestmark = [pytest.mark.train, pytest.mark.slow]


def tiny_in(folder: Path) -> Path:
    """Copy the shipped experiment to a folder where its files can be edited; return its file."""
    shutil.copytree(EXPERIMENTS / "tiny", folder / "tiny")
    shutil.copy(EXPERIMENTS / "tiny.yaml", folder)
    return folder / "tiny.yaml"


def test_tiny_experiment_runs_from_teacher_to_paired_runs(tmp_path: Path) -> None:
    experiment = tiny_in(tmp_path)
    command = ["student", "distill", str(experiment), "--out", str(tmp_path), "--json"]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["stages"][:4] == ["base corpus", "base", "corpus", "train"]
    assert "(1 of 8) base corpus" in done.stderr
    assert "(8 of 8) adjudicate student" in done.stderr
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

    # An edited teacher file: what depends on it is made anew, the base is not.
    teacher = tmp_path / "tiny" / "teacher.jsonl"
    lines = teacher.read_text().splitlines(keepends=True)
    teacher.write_text("".join(line for i, line in enumerate(lines) if '"kind": "trace"' not in line or i % 7))
    base = (tmp_path / "base" / "trained" / "manifest.json").stat().st_mtime_ns
    edited = CliRunner().invoke(app, command)
    assert edited.exit_code == 0, edited.output
    assert "corpus: different questions and traces; the earlier one is in" in edited.stderr
    again = json.loads((tmp_path / "manifest.json").read_text())
    assert (tmp_path / "student" / "manifest.json").stat().st_mtime_ns != trained
    assert (tmp_path / "base" / "trained" / "manifest.json").stat().st_mtime_ns == base
    assert (tmp_path / "stale" / "student-1" / "manifest.json").is_file()
    assert again["runs"]["base"] == manifest["runs"]["base"]
    assert again["runs"]["student"] != manifest["runs"]["student"]


def test_a_dry_run_of_the_papers_experiment_counts_every_stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    medqa = tmp_path / "medqa"
    medqa.mkdir()
    rows = [
        {
            "question": f"A {20 + i}-year-old man has had a cough for {i} days. Which drug is the best choice?",
            "options": {"A": "amoxicillin", "B": "warfarin", "C": "insulin", "D": "digoxin"},
            "answer_idx": "A",
            "answer": "amoxicillin",
        }
        for i in range(8)
    ]
    for name in ("train", "test"):
        (medqa / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    monkeypatch.setenv("TRACEJURY_DATA", str(tmp_path))
    dry = CliRunner().invoke(app, ["student", "distill", "medqa-qwen3-8b", "--dry-run", "--json"])
    assert dry.exit_code == 0, dry.output
    stages = {stage["stage"]: stage for stage in json.loads(dry.stdout)}
    assert list(stages) == [
        *("teach", "corpus", "train", "sample base", "sample student", "adjudicate base", "adjudicate student")
    ]
    assert stages["teach"]["calls"] == 8 * 20
    assert stages["teach"]["usd"] > 0
    assert 15 < stages["train"]["memory_gib"] < 60, "an 8B student in 16 bit"
    assert stages["train"]["hours"] > 0
    assert stages["sample student"]["tokens"] == 8 * 64 * 2048
    # 15.3 GiB of weights, and 65,536 tokens of 147,456 bytes.
    assert stages["sample student"]["memory_gib"] == pytest.approx(15.26 + 9.0, abs=0.05)
    assert stages["adjudicate base"]["calls"] >= 8 * 10
    table = CliRunner().invoke(app, ["student", "distill", "medqa-qwen3-8b", "--dry-run"])
    assert "Nothing was called" in table.output
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("line", "instead", "reason"),
    [
        ("panel: tiny/panel.yaml", "panel: nopanel", "no panel called 'nopanel'"),
        ("recipe: tiny\n", "recipe: nobody\n", "no recipe called 'nobody'"),
        ("  recipe: tiny-base", "  recipe: nobody", "no recipe called 'nobody'"),
        ("tiny/teacher.jsonl", "tiny/nofile.jsonl", "no such file or folder; the experiment names it"),
    ],
)
def test_a_misspelt_name_is_told_before_anything_is_trained(
    line: str, instead: str, reason: str, tmp_path: Path
) -> None:
    experiment = tiny_in(tmp_path)
    experiment.write_text(experiment.read_text().replace(line, instead))
    refused = CliRunner().invoke(app, ["student", "distill", str(experiment), "--out", str(tmp_path / "out")])
    assert refused.exit_code == 1
    assert reason in refused.stderr
    assert list((tmp_path / "out").iterdir()) == []


def test_the_first_questions_and_several_sources(tmp_path: Path) -> None:
    from tracejury.training import Experiment
    from tracejury.training.distill import questions_of

    teacher = EXPERIMENTS / "tiny" / "evaluation.jsonl"
    shutil.copy(teacher, tmp_path / "a.jsonl")
    shutil.copy(EXPERIMENTS / "tiny" / "teacher.jsonl", tmp_path / "b.jsonl")
    spec = json.loads((tmp_path / "a.jsonl").read_text().splitlines()[0])
    endpoint = {"name": "t", "model": "m", "base_url": "http://127.0.0.1:9/v1"}
    sources = [{"path": "a.jsonl", "first": 3}, {"path": "b.jsonl", "limit": 2}]
    experiment = Experiment.model_validate(
        {
            "name": "e", "recipe": "tiny", "panel": "embedded", "evaluation": {"path": "a.jsonl"},
            "teacher": {"endpoint": endpoint, "questions": sources},
        }
    )  # fmt: skip
    questions = questions_of(experiment.teacher.questions, tmp_path)
    assert len(questions) == 5
    assert questions[0].stem == spec["stem"]
    with pytest.raises(ValueError, match="not both"):
        Experiment.model_validate(experiment.model_dump() | {"evaluation": {"path": "a.jsonl", "first": 1, "limit": 1}})
