"""Failures and what endpoints refused stand in the end line, `summary`, report and viewer; a bad row costs itself."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from local_panel import GOOD, write_panel, write_traces
from servers.model_server import ModelServer
from typer.testing import CliRunner

from tracejury.console.app import app
from tracejury.ledger import Ledger

STEPS = [["The cough has lasted three days.", "This step is <declined>."], ["A cough of three days is acute."]]


def call(*arguments: str | Path) -> str:
    result = CliRunner().invoke(app, [str(a) for a in arguments])
    assert result.exit_code in (0, 2), result.output
    return " ".join(result.output.split())


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("run")
    url = f"sqlite:///{folder}/l.db"
    with ModelServer(reply=GOOD, match={"<declined>": "refusal"}, refuses=["temperature"]) as server:
        panel, traces = write_panel(folder, server.url), write_traces(folder, STEPS)
        ended = call("adjudicate", traces, "--panel", panel, "--store", url, "--log", folder / "run.log")
    assert_told(ended)
    assert "without temperature" in (folder / "run.log").read_text()
    return url


def assert_told(text: str) -> None:
    assert "2 failed opinions: refused" in text
    assert "I cannot help with that" in text
    assert "name another model for the endpoint" in text
    assert "differ from the panel: without temperature" in text


def test_summary_report_and_viewer_say_why_opinions_failed(store: str, tmp_path: Path) -> None:
    assert_told(call("summary", "--store", store))
    summary = json.loads(CliRunner().invoke(app, ["summary", "--store", store, "--json"]).output)
    assert summary["arms"][0]["failures"]["refused"][0] == 2
    call("report", "last", "--store", store, "--out", tmp_path / "r.html")
    call("view", "--store", store, "--export", tmp_path / "site")
    pages = (tmp_path / "r.html").read_text(), (tmp_path / "site" / "index.html").read_text()
    if "I cannot help" not in pages[1]:
        pages = pages[0], "".join(p.read_text() for p in (tmp_path / "site").rglob("*.html"))
    for page in pages:
        assert "I cannot help with that" in page
        assert "without temperature" in page


def test_one_bad_row_costs_its_own_step_and_is_named(
    store: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "broken.db"
    with sqlite3.connect(store.removeprefix("sqlite:///")) as good, sqlite3.connect(path) as copy:
        good.backup(copy)
        ((step, trace),) = copy.execute(
            "SELECT step_id, trace_id FROM deliberation WHERE outcome = 'failed'"
        ).fetchall()
        copy.execute(
            "UPDATE deliberation SET body = replace(body, '\"refused\"', '\"refuzed\"') WHERE step_id = ?", [step]
        )
    url = f"sqlite:///{path}"
    exported = call("export", "--store", url, "--out", tmp_path / "rows.jsonl")
    assert "2 rows ->" in exported
    call("summary", "--store", url)
    call("view", "--store", url, "--export", tmp_path / "site")
    call("show", "last", "--trace", trace, "--store", url)
    named = [record.getMessage() for record in caplog.records if step in record.getMessage()]
    assert len(named) >= 4
    assert all("cannot be read and is left out" in line for line in named)


def test_adaptations_are_in_the_manifest_and_change_no_name(store: str) -> None:
    run = Ledger(store).run()
    assert run.manifest.adaptations == {"local": ("without temperature",)}
    assert not run.manifest.differences(run.manifest.model_copy(update={"adaptations": {}}))
