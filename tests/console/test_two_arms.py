"""`tracejury audit`: two models with planted rates of errors, by sampling and from files, killed on the way."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from servers.model_server import ModelServer
from typer.testing import CliRunner

from tracejury.console.app import app

QUESTIONS = 24
AGES = [31 + n for n in range(QUESTIONS)]


def stem(n: int) -> str:
    return f"A {AGES[n]}-year-old man comes because of a cough. His temperature is 38.5°C. He weighs {60 + n} kg."


def chain(n: int, is_wrong: bool) -> str:
    """Two steps, of which the data judge decides the second: where `is_wrong`, the weight is not the vignette's."""
    weight = 90 + n if is_wrong else 60 + n
    return f"1. The patient is {AGES[n]} years old.\n2. The patient weighs {weight} kg.\nThe answer is (A)."


CHAINS = {
    "base": [chain(n, n % 6 == 0) for n in range(QUESTIONS)],
    "student": [chain(n, n % 6 != 0) for n in range(QUESTIONS)],
}
RATES = {"base": 4 / QUESTIONS, "student": 20 / QUESTIONS}
"""Planted errors per step that the panel decides."""


@pytest.fixture
def questions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    lines = [
        {"kind": "question", "id": f"q{n}", "stem": stem(n), "options": {"A": "x", "B": "y"}, "gold": "A"}
        for n in range(QUESTIONS)
    ]
    path = tmp_path / "questions.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def arm_server(arm: str, **behaviour: Any) -> ModelServer:
    return ModelServer(reply_for={stem(n): {"text": text} for n, text in enumerate(CHAINS[arm])}, **behaviour)


def check_rates(report: Path) -> None:
    comparison = json.loads(report.read_text())["audit"]["comparisons"][0]
    steps = comparison["majority"]["steps"]
    for arm, side in (("base", "baseline"), ("student", "other")):
        assert steps[side]["value"] == pytest.approx(RATES[arm]), arm
        assert steps[side]["low"] <= RATES[arm] <= steps[side]["high"]


PANEL = """
judges:
  - {{name: data, judge: data}}
  - {{name: facts, judge: facts, endpoint: server, seat: listed}}
endpoints:
  server: {{base_url: "{url}", model: m, max_concurrency: 4}}
retrieval: {{sources: []}}
"""
PARALLEL = 4


def kill_when(command: list[str], server: ModelServer, calls: int, how: signal.Signals) -> str:
    """Start the audit, end it once a server has had so many calls, and return what it wrote to standard error."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        while server.counts()["calls"] < calls and process.poll() is None:
            time.sleep(0.05)
        process.send_signal(how)
        _, errors = process.communicate(timeout=120)
    assert process.returncode == (130 if how is signal.SIGTERM else -how), errors
    return errors


def paid_twice(server: ModelServer) -> int:
    return sum(times - 1 for times in server.counts()["paid"].values())


def test_two_endpoints_become_a_report_and_nothing_is_paid_twice(questions: Path, tmp_path: Path) -> None:
    """Ended four times: by SIGTERM and by SIGKILL, while chains are sampled and while they are judged."""
    with (
        arm_server("base", latency_s=0.4) as base,
        arm_server("student", latency_s=0.4) as student,
        ModelServer(latency_s=0.15) as judge,
    ):
        panel = tmp_path / "panel.yaml"
        panel.write_text(PANEL.format(url=judge.url))
        command = [
            *(sys.executable, "-c", "from tracejury.console.app import main; main()", "audit"),
            *("--base", base.url, "--student", student.url, "--questions", str(questions), "--panel", str(panel)),
            *("--out", str(tmp_path / "mine"), "--parallel", str(PARALLEL)),
        ]
        kill_when(command, base, 6, signal.SIGTERM)
        assert 6 <= base.counts()["calls"] < QUESTIONS
        kill_when(command, student, 6, signal.SIGKILL)
        kill_when(command, judge, 10, signal.SIGTERM)
        assert paid_twice(judge) == 0
        kill_when(command, judge, judge.counts()["calls"] + 10, signal.SIGKILL)
        result = subprocess.run(command, capture_output=True, text=True, timeout=300)
        assert result.returncode == 0, result.stderr
        assert (paid_twice(base), len(base.counts()["paid"])) == (0, QUESTIONS)
        # What was under way when the process was killed has never reached it, and replies wait for a commit that they
        # share; nothing else is asked for again.
        assert paid_twice(student) <= 2 * PARALLEL
        assert paid_twice(judge) <= 2 * PARALLEL
    assert (tmp_path / "mine" / "report.html").stat().st_size > 10_000
    check_rates(tmp_path / "mine" / "report.json")
    assert "16.7" in result.stdout
    assert "83.3" in result.stdout
    assert "step errors +66.7 points" in " ".join(result.stdout.split())


def test_two_files_become_a_report(questions: Path, tmp_path: Path) -> None:
    """The chains have no questions beside them and fields of their own names."""
    for arm, texts in CHAINS.items():
        rows = [{"nr": f"q{n}", "said": text} for n, text in enumerate(texts)]
        (tmp_path / f"{arm}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    rows = [
        {"key": f"q{n}", "question": stem(n), "options": {"A": "x", "B": "y"}, "gold": "A"} for n in range(QUESTIONS)
    ]
    Path("asked.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    command = [
        *("audit", "--base", "base.jsonl", "--student", "student.jsonl", "--panel", "data", "--out", "files"),
        *("--questions", "asked.jsonl", "--map", "text=said", "--join", "nr=key", "--json"),
    ]
    dry_run = CliRunner().invoke(app, [*command, "--dry-run"])
    assert dry_run.exit_code == 0, dry_run.output
    in_words = " ".join(CliRunner().invoke(app, [*command[:-1], "--dry-run"]).output.split())
    assert f"base: {QUESTIONS} chains are read from base.jsonl, nothing is sampled; {QUESTIONS} of" in in_words
    assert f"With verdicts on {QUESTIONS} questions in both arms, a difference of" in in_words
    assert re.search(r"from 20 steps: checker 'nli' finds counting support .* of \d+ \(\d+%, \d+% to \d+%\)", in_words)
    forecast = json.loads(dry_run.stdout)
    assert (forecast["questions"], forecast["judging"]["steps"]) == (QUESTIONS, 4 * QUESTIONS)
    # The age of every first step stands in the vignette; the second step is wrong as often as planted.
    assert forecast["grounded"]["steps"] == 20
    assert not (tmp_path / "files").exists()
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["comparisons"]
    check_rates(tmp_path / "files" / "report.json")
    other = CliRunner().invoke(app, [*command, "--n", "20"])
    assert other.exit_code == 1
    assert "was begun with different questions" in " ".join(other.output.split())


def test_a_dry_run_says_cost_and_what_so_many_questions_can_show(questions: Path, tmp_path: Path) -> None:
    with arm_server("base") as server:
        command = [
            *("audit", "--base", server.url, "--student", server.url, "--questions", str(questions), "--dry-run"),
            *("--panel", "data", "--price", "1", "2", "--max-tokens", "1000", "--out", str(tmp_path / "dry")),
        ]
        result = CliRunner(env={"COLUMNS": "200"}).invoke(app, command)
        assert result.exit_code == 0, result.output
        assert server.counts()["calls"] == 0
    output = " ".join(result.output.split())
    assert "base: 24 calls of m" in output
    assert "at most 24,000 completion tokens and $0.05" in output
    assert f"{2 * QUESTIONS} traces, {2 * 8 * QUESTIONS} steps" in output
    assert "a difference of 15.8 points" in output
    assert "Grounded coverage to expect is not known: there are no chains yet" in output
    assert not (tmp_path / "dry").exists()


def rows_of(texts: list[str], prefix: str = "") -> str:
    rows = [{"question": prefix + stem(n), "options": {"A": "x", "B": "y"}, "response": t} for n, t in enumerate(texts)]
    return "".join(json.dumps(row) + "\n" for row in rows)


FILES = {
    "base.jsonl": rows_of(CHAINS["base"]),
    "student.jsonl": rows_of(CHAINS["student"]),
    "other.jsonl": rows_of(CHAINS["student"], "Elsewhere. "),
    "partly.jsonl": rows_of(CHAINS["student"][:4]),
    "asked.jsonl": "".join(json.dumps({"question": stem(n), "options": {"A": "x", "B": "y"}}) + "\n" for n in range(4)),
    "both.jsonl": "".join(
        json.dumps({"question": stem(n), "base_response": CHAINS["base"][n], "student_response": CHAINS["student"][n]})
        + "\n"
        for n in range(4)
    ),
}
FIRST_TRIES = {
    "no such file": ("base.jsonl", "nothere.jsonl", "nothere.jsonl does not exist"),
    "the same file twice": ("base.jsonl", "base.jsonl", "both arms are the same chains"),
    "other questions": ("base.jsonl", "other.jsonl", "no question is common to base.jsonl, other.jsonl"),
    "questions and no chains": ("base.jsonl", "asked.jsonl", "asked.jsonl holds 4 question(s) and no chain"),
    "two arms in one file": ("both.jsonl", "student.jsonl", "both.jsonl holds the arms base, student"),
    "an address without its beginning": ("base.jsonl", "localhost:8000/v1", "its address is http://localhost:8000/v1"),
    "an address with a slip": ("htp://x", "student.jsonl", "an address begins with http:// or https://"),
    "a server without questions": ("base.jsonl", "http://127.0.0.1:9/v1", "--questions FILE"),
}


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in FILES.items():
        Path(name).write_text(text)


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize("slip", FIRST_TRIES)
def test_a_first_try_that_cannot_work_says_why(slip: str) -> None:
    base, student, sentence = FIRST_TRIES[slip]
    result = CliRunner().invoke(app, ["audit", "--base", base, "--student", student, "--panel", "data", "--dry-run"])
    assert result.exit_code == 1
    assert sentence in " ".join(result.output.split())


@pytest.mark.usefixtures("files")
def test_questions_of_one_arm_alone_are_told_and_an_output_that_is_a_file_is_refused() -> None:
    command = ["audit", "--base", "base.jsonl", "--student", "partly.jsonl", "--panel", "data", "--dry-run"]
    result = CliRunner().invoke(app, command)
    assert "base.jsonl: 20 question(s) have no chain in the other arm and are left out" in " ".join(
        result.output.split()
    )
    refused = CliRunner().invoke(app, [*command, "--out", "base.jsonl"]).output
    assert "Invalid value for '--out': base.jsonl is a file; name a folder" in " ".join(
        refused.replace("│", " ").split()
    ), refused
