"""`adjudicate` as a user meets it: the dry run, and what is told when something is missing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from local_panel import panel_body, write_panel, write_traces
from typer.testing import CliRunner

from tracejury.console.app import app

STEPS = [["The cough has lasted three days.", "A cough of three days is acute."]] * 3


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> CliRunner:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "1000")
    return CliRunner()


def output_of(cli: CliRunner, *args: object, code: int) -> str:
    result = cli.invoke(app, [str(a) for a in args])
    assert result.exit_code == code, result.output
    return result.output


def test_a_dry_run_asks_nothing_and_says_what_it_would_cost(cli: CliRunner, tmp_path: Path) -> None:
    price = {"prompt": 1.0, "completion": 4.0}
    # Nothing listens at this address: a call would fail the run.
    endpoint = {"price": price, "requests_per_minute": 3}
    panel = write_panel(tmp_path, "http://127.0.0.1:9/v1", endpoint=endpoint, reply_tokens=100)
    traces = write_traces(tmp_path, [[f"{text} ({n})" for text in texts] for n, texts in enumerate(STEPS)])
    dry_run = json.loads(output_of(cli, "adjudicate", traces, "--panel", panel, "--dry-run", "--json", code=0))
    assert (dry_run["traces"], dry_run["steps"], dry_run["calls"]) == (3, 6, 12)
    facts = next(a for a in dry_run["askers"] if a["name"] == "facts")
    assert facts["calls"] == 6
    assert facts["completion_tokens"] == 600
    assert facts["cost_usd"] == pytest.approx((facts["prompt_tokens"] * 1.0 + 600 * 4.0) / 1e6)
    assert dry_run["probe_calls"] == 1
    assert dry_run["minutes"] == 4.0, "twelve calls at three a minute"
    output = output_of(cli, "adjudicate", traces, "--panel", panel, "--dry-run", code=0)
    assert "6 steps" in output
    assert "one server not asked within a day" in output
    assert "4 minutes or more at the configured limits" in output
    assert not (tmp_path / "tracejury.db").exists()


def test_an_unknown_judge_is_told_with_file_line_and_what_is_known(cli: CliRunner, tmp_path: Path) -> None:
    body = panel_body("http://127.0.0.1:9/v1")
    body["judges"][0]["judge"] = "factz"
    path = tmp_path / "panel.yaml"
    path.write_text(yaml.safe_dump(body))
    output = output_of(cli, "adjudicate", write_traces(tmp_path, STEPS[:1]), "--panel", path, code=1)
    assert "panel.yaml:" in output
    assert "facts" in output


def test_a_missing_key_is_told_before_anything_is_asked(
    cli: CliRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    output = output_of(cli, "adjudicate", write_traces(tmp_path, STEPS[:1]), "--panel", "openai", code=1)
    assert "OPENAI_API_KEY" in output


@pytest.mark.parametrize(("name", "content"), [("missing.gguf", None), ("broken.gguf", b"GGUF but not a model")])
def test_a_model_file_that_is_missing_or_broken_fails_its_steps_and_says_so(
    cli: CliRunner, tmp_path: Path, name: str, content: bytes | None
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    body = panel_body("")
    body["endpoints"] = {"local": {"kind": "embedded", "model": str(tmp_path / name), "max_attempts": 1}}
    path = tmp_path / "panel.yaml"
    path.write_text(yaml.safe_dump(body))
    traces = write_traces(tmp_path, STEPS[:1])
    output_of(cli, "adjudicate", traces, "--panel", path, "--run", "r", code=2)
    rows = [json.loads(line) for line in output_of(cli, "export", "r", code=0).splitlines() if line.startswith("{")]
    assert {r["outcome"] for r in rows} == {"failed"}
    step_page = output_of(cli, "show", "r", "--trace", rows[0]["trace_id"], "--step", 1, code=0)
    assert name in step_page


def test_a_question_without_its_trace_and_the_reverse_cost_only_themselves(cli: CliRunner, tmp_path: Path) -> None:
    traces = write_traces(tmp_path, STEPS[:1])
    lines = traces.read_text().splitlines()
    orphan = {"kind": "trace", "question": "nobody", "model": "m", "text": "1. A step without a question at all."}
    lonely = {"kind": "question", "id": "alone", "stem": "A question without a trace?", "options": {"A": "x"}}
    traces.write_text("\n".join([*lines, json.dumps(orphan), json.dumps(lonely)]) + "\n")
    output = output_of(cli, "adjudicate", traces, "--panel", "data", "--run", "r", code=0)
    assert "nobody" in output
    assert f"{traces.name}:3" in output
    assert "1 of 1 traces done" in output
