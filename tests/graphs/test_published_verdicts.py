"""`read verdicts`: a bare table of verdicts becomes a run, and a published audit gives its published differences."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from tracejury.console.app import app

QUESTIONS = 100


def published_counts(rate: float, abstained: float, steps: int = 600) -> tuple[int, int, int]:
    """Return counts of error, supported and abstained steps that have these rates."""
    silent = round(abstained * steps)
    errors = round(rate * (steps - silent))
    return errors, steps - silent - errors, silent


# The audited paper at a fifth of its size: Qwen3-8B, Mistral-7B and the sentence chunks of Qwen3-8B.
PUBLISHED = {
    "qwen8": (published_counts(0.310, 0.021), published_counts(0.501, 0.005), 19.1),
    "mistral": (published_counts(0.565, 0.001), published_counts(0.491, 0.149), -7.4),
    "sentences": ((309, 205, 10), (356, 103, 11), 17.4),
}


def write_table(path: Path, arms: dict[str, tuple[int, int, int]]) -> None:
    rng = np.random.default_rng(0)
    lines = ["question,arm,label,count"]
    for arm, counts in arms.items():
        labels = rng.permutation(np.repeat(["error", "supported", "uncertain"], counts))
        for question in range(QUESTIONS):
            words, sizes = np.unique(labels[question::QUESTIONS], return_counts=True)
            lines += [f"q{question},{arm},{word},{n}" for word, n in zip(words, sizes, strict=True)]
    path.write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize("student", PUBLISHED)
def test_the_paper_s_counts_give_its_published_differences(student: str, tmp_path: Path) -> None:
    base, distilled, difference = PUBLISHED[student]
    write_table(tmp_path / f"{student}.csv", {"base": base, "distilled": distilled})
    store = ("--store", f"sqlite:///{tmp_path}/ledger.db")
    command = ["read", "verdicts", str(tmp_path / f"{student}.csv"), *store, "--json"]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    outcomes = json.loads(result.stdout)["outcomes"]
    counts = tuple(base[i] + distilled[i] for i in range(3))
    assert tuple(outcomes[name] for name in ("error", "supported", "abstained")) == counts
    compared = CliRunner().invoke(app, ["compare", student, *store, "--json"])
    assert compared.exit_code == 0, compared.output
    (comparison,) = json.loads(compared.stdout)["comparisons"]
    assert 100 * comparison["majority"]["steps"]["difference"]["value"] == pytest.approx(difference, abs=0.2)
    assert CliRunner().invoke(app, command).exit_code == 1  # the run is there already


def test_judges_vote_experts_label_and_what_is_wrong_is_refused_with_its_line(tmp_path: Path) -> None:
    rows = [
        {"question": "q", "step": i, "judge": j, "label": label, "human": human, "answer": "A", "gold": "B"}
        for i, (labels, human) in enumerate([("EES", "S"), ("ESF", "E"), ("FFF", None)])
        for j, label in zip("abc", labels, strict=True)
    ]
    table = tmp_path / "three.jsonl"
    table.write_text("".join(json.dumps(row) + "\n" for row in rows))
    store = ("--store", f"sqlite:///{tmp_path}/ledger.db")
    words = ("--set", "E=error", "--set", "S=supported", "--set", "F=failed")
    result = CliRunner().invoke(app, ["read", "verdicts", str(table), *words, *store])
    assert result.exit_code == 0, result.output
    exported = CliRunner().invoke(app, ["export", "three", *store])
    steps = [json.loads(line) for line in exported.stdout.splitlines()]
    assert [(s["outcome"], s["label"]) for s in steps] == [
        ("error", "supported"),
        ("failed", "error"),
        ("failed", None),
    ]
    assert {s["answer_correct"] for s in steps} == {False}
    table.write_text(json.dumps(rows[0]) + "\n" + json.dumps(rows[0] | {"label": "S"}) + "\n")
    again = CliRunner().invoke(app, ["read", "verdicts", str(table), "--run", "other", *words, *store])
    assert again.exit_code == 1
    assert "three.jsonl:2: a second verdict of 'a'" in " ".join(again.output.split())
