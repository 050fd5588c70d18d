"""What the end of the demo says of itself: held against the first version, with what was not looked at told apart."""

from __future__ import annotations

import json
import re
from pathlib import Path

import yaml

from tracejury.agents import load_panel
from tracejury.console.demo import Before, DemoScore, _progress, read_labels
from tracejury.console.demo_ending import ArmCounts, next_lines, planted_truth

FOLDER = Path(__file__).parents[2] / "configs" / "demo"
FIRST_VERSION = yaml.safe_load((FOLDER / "spine.yaml").read_text("utf-8"))


def test_the_first_version_was_counted_on_today_s_demo() -> None:
    labels = read_labels(FOLDER / "labels.jsonl").values()
    first = DemoScore(**FIRST_VERSION["first"])
    assert first.errors == sum(p.label == "error" for p in labels)
    assert first.correct == sum(p.label == "supported" for p in labels)
    assert first.caught + first.abstained + first.missed + first.failed == first.errors


def test_the_questions_that_were_not_looked_at_are_the_second_half_and_those_written_later() -> None:
    from benchmarks.data_judge import in_half

    questions = [json.loads(line) for line in (FOLDER / "questions.jsonl").read_text("utf-8").splitlines()]
    later = {q["id"] for q in questions[15:]}
    assert later == set(FIRST_VERSION["written_later"])
    assert {q["id"] for q in questions if in_half(q["stem"]) == 1} - later == set(FIRST_VERSION["unseen"])


def test_the_readme_shows_what_the_demo_ends_with() -> None:
    root = FOLDER.parents[1]
    shown = [" ".join(line.split()) for line in (root / "README.md").read_text("utf-8").splitlines()]
    sets = json.loads((root / "benchmarks" / "results" / "data_judge.json").read_text("utf-8"))["sets"]
    parts = [sets[f"demo, planted errors, {part}"]["errors caught"].split(" of ") for part in ("looked at", "held out")]
    first, caught = DemoScore(**FIRST_VERSION["first"]), sum(int(n) for n, _ in parts)
    steps = first.errors + first.correct
    ends = f"0 0 0 of {first.correct}"
    assert f"first version {steps} {first.errors} {first.caught} {first.abstained} {ends}" in shown
    assert f"demo-all-steps {steps} {first.errors} {caught} {first.errors - caught} {ends}" in shown
    assert f"on the {parts[1][1]} errors" in " ".join(shown)
    assert f"it catches {parts[1][0]}." in " ".join(shown)


def test_the_end_says_when_it_is_no_better() -> None:
    before = Before("abc", DemoScore(10, 3, 7, 0, 0, 20, 0, 0), DemoScore(4, 0, 4, 0, 0, 8, 0, 0), frozenset({"q"}))
    unseen = DemoScore(4, 1, 3, 0, 0, 8, 0, 0)
    assert _progress(DemoScore(10, 5, 5, 0, 0, 20, 0, 0), unseen, before).startswith("Better than")
    assert _progress(DemoScore(10, 5, 5, 0, 0, 20, 1, 0), unseen, before).startswith("NOT better than")
    line = _progress(DemoScore(10, 3, 7, 0, 0, 20, 0, 0), unseen, before)
    assert line.startswith("NOT better than")
    assert "6 of these errors in view" in line
    assert "1 of 4" in line


def test_the_next_command_pulls_the_model_that_its_panel_asks_for() -> None:
    (pull, *_), panel = list(next_lines(FOLDER))[1:], load_panel("ollama")
    assert {endpoint.model for endpoint in panel.endpoints.values()} == set(re.findall(r"ollama pull (\S+)", pull))
    assert "--panel ollama" in pull


def test_the_planted_truth_is_marked_as_planted() -> None:
    truth = planted_truth(ArmCounts(16, 30, 41, 151), ArmCounts(26, 30, 74, 183))
    assert truth.startswith("[planted, not measured] answers +33.3 points, step errors +13.3 points")
