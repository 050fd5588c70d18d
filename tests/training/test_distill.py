"""The whole experiment on a CPU, through the command line."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tracejury.console.app import app
from tracejury.ledger import Ledger
from tracejury.models import is_fetched
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
    by = json.loads((tmp_path / "corpus" / "manifest.json").read_text())["contamination"]["by"]
    assert by == ["n-grams", *(["minilm"] if is_fetched("minilm") else [])]
    # The same command again finds every stage done.
    trained = (tmp_path / "student" / "manifest.json").stat().st_mtime_ns
    assert CliRunner().invoke(app, command).exit_code == 0
    assert (tmp_path / "student" / "manifest.json").stat().st_mtime_ns == trained

    # An edited teacher file: what depends on it is made anew, the base is not.
    teacher = tmp_path / "tiny" / "teacher.jsonl"
    lines = teacher.read_text().splitlines(keepends=True)
    # A quarter of the chains is left, so that the second student is trained in a quarter of the time.
    teacher.write_text("".join(line for i, line in enumerate(lines) if '"kind": "trace"' not in line or i % 8 == 1))
    base = (tmp_path / "base" / "trained" / "manifest.json").stat().st_mtime_ns
    edited = CliRunner().invoke(app, command)
    assert edited.exit_code == 0, edited.output
    assert "corpus: different questions and traces; the earlier one is in" in edited.stderr
    again = json.loads((tmp_path / "manifest.json").read_text())
    assert (tmp_path / "student" / "manifest.json").stat().st_mtime_ns != trained
    assert (tmp_path / "base" / "trained" / "manifest.json").stat().st_mtime_ns == base
    assert (tmp_path / "stale" / "student-1" / "manifest.json").is_file()
    rows = [json.loads((tmp_path / at / "manifest.json").read_text())["rows"] for at in ("stale/corpus-1", "corpus")]
    assert 0 < rows[1]["train"] < rows[0]["train"] / 3
    assert again["runs"]["base"] == manifest["runs"]["base"]
    assert again["runs"]["student"] != manifest["runs"]["student"]


def test_a_dry_run_of_the_papers_experiment_is_what_one_computes_by_hand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {"A": "amoxicillin", "B": "warfarin", "C": "insulin", "D": "digoxin"}
    stems = [f"A {20 + i}-year-old man has had a cough for {i} days. Which drug is the best choice?" for i in range(8)]
    medqa = [{"question": stem, "options": options, "answer_idx": "A", "answer": "amoxicillin"} for stem in stems]
    medmcqa = [
        {"id": f"q{i}", "question": f"Drug of choice for case {i}?", "cop": 0}
        | {f"op{letter.lower()}": text for letter, text in options.items()}
        for i in range(4)
    ]
    files = {"medqa/train.jsonl": medqa, "medqa/test.jsonl": medqa, "medmcqa/train.json": medmcqa}
    for name, rows in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    monkeypatch.setenv("TRACEJURY_DATA", str(tmp_path))
    dry = CliRunner().invoke(app, ["student", "distill", "medqa-qwen3-8b", "--dry-run", "--json"])
    assert dry.exit_code == 0, dry.output
    stages = {stage["stage"]: stage for stage in json.loads(dry.stdout)}
    assert list(stages) == [
        *("teach", "corpus", "train", "sample base", "sample student", "adjudicate base", "adjudicate student")
    ]
    teach, train, sample = stages["teach"], stages["train"], stages["sample student"]
    # 12 questions of both sets, 20 tries of 2,048 tokens each, at 0.28 and 0.42 dollars a million.
    written = 12 * 20 * 2048
    read = teach["tokens"] - written
    assert teach["calls"] == 240
    assert teach["usd"] == pytest.approx((read * 0.28 + written * 0.42) / 1e6, abs=1e-4)
    # 2 chains of 400 tokens behind each question's prompt, 3 epochs; 8 operations a weight and token at 4e14 a second.
    assert stages["corpus"]["tokens"] == 2 * (read / 20 + 12 * 400)
    assert train["tokens"] == 3 * stages["corpus"]["tokens"]
    assert train["hours"] == pytest.approx(8 * 8_190_735_360 * train["tokens"] / 4e14 / 3600)
    # Weights 16.38 GB; LoRA 16 x 36 layers x 81,920 x 16 bytes = 0.75 GB; 6,144 tokens: 36 layer inputs of 4,096 values
    # in 16 bit (1.81 GB) and one layer of 16 x 4,096 + 4 x 12,288 values (1.41 GB); a tenth on top: 20.85 GiB.
    assert train["memory_gib"] == pytest.approx(20.85, abs=0.02)
    assert sample["tokens"] == 8 * 64 * 2048
    # 15.3 GiB of weights, and 65,536 tokens of 147,456 bytes.
    assert sample["memory_gib"] == pytest.approx(15.26 + 9.0, abs=0.05)
    # Every chain as long as a teacher's: 2 operations a weight and token at 1.6e14 a second.
    assert sample["hours"] == pytest.approx(2 * 8_190_735_360 * 8 * 64 * 400 / 1.6e14 / 3600)
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
