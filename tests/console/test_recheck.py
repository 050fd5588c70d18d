"""`recheck`: another checker on stored opinions gives what a fresh run with it gives, and asks no judge."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from local_panel import GOOD, panel_body, write_traces
from made_ledger import demo_pairs, make_run
from servers.model_server import ModelServer
from typer.testing import CliRunner

from tracejury.agents.checkers import CheckerSpec, load_checker
from tracejury.console.app import app
from tracejury.ledger import Ledger

STEPS = [["The cough has lasted three days.", "The cough has not lasted three days."]] * 3


def calibration(folder: Path, threshold: float) -> str:
    """Write a calibration of the shipped checker with one threshold for everything."""
    path = folder / f"nli-{threshold}.json"
    body = {
        "checker": "nli", "identity": load_checker(CheckerSpec(name="nli")).identity, "can_contradict": True,
        "scale": 1.0, "offsets": {}, "alpha": 0.05, "n": 1, "groups": 1, "evidence": {}, "fitted_from": "a test",
        "thresholds": {"supports": [threshold] * 3, "contradicts": [threshold] * 3},
    }  # fmt: skip
    path.write_text(json.dumps(body))
    return str(path)


def called(*args: object, code: int = 0) -> str:
    result = CliRunner().invoke(app, [str(a) for a in args])
    assert result.exit_code == code, result.output
    return result.stdout


def rows(run: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in called("export", run).splitlines()]


def decisions(run: str) -> list[tuple[object, ...]]:
    names = ("outcome", "majority_outcome", "route", "reason", "evidence", "evidence_gap", "claims", "citations")
    return [tuple(row[name] for name in names) for row in rows(run)]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_recheck_decides_as_a_fresh_run_does_and_asks_nobody(folder: Path) -> None:
    strict, loose = calibration(folder, 1.0), calibration(folder, 0.0)
    texts = [[f"{text} (case {n})" for text in steps] for n, steps in enumerate(STEPS)]
    traces = write_traces(folder, texts)

    def panel(path: str) -> Path:
        body = panel_body(server.url, policy="grounded", checker={"name": "nli", "calibration": path})
        target = folder / f"{Path(path).stem}.yaml"
        target.write_text(yaml.safe_dump(body))
        return target

    with ModelServer(reply=GOOD) as server:
        called("adjudicate", traces, "--panel", panel(strict), "--run", "strict")
        called("adjudicate", traces, "--panel", panel(loose), "--run", "loose")
        before = rows("strict")
    # The models are gone now: a call to a judge would fail its step.
    result = json.loads(called("recheck", "strict", "--calibration", loose, "--json"))
    assert {row["reason"] for row in before} == {"not_grounded"}
    assert "supported" in {row["outcome"] for row in rows("loose")}
    assert decisions("strict@nli") == decisions("loose")
    assert result["changed"] == sum(row["outcome"] != "abstained" for row in rows("loose"))
    # The run that was rechecked stays as it was, and its calls are not paid a second time.
    assert rows("strict") == before
    assert sum(row["cost_usd"] for row in rows("strict@nli")) == 0
    # The same command resumes: there is nothing left to do.
    assert json.loads(called("recheck", "strict", "--calibration", loose, "--json"))["steps"] == 0
    # Another calibration under the same name is another run.
    assert "give another --run" in CliRunner().invoke(app, ["recheck", "strict", "--calibration", strict]).output


def test_a_resolver_s_citations_are_checked_again(folder: Path) -> None:
    ledger = Ledger(f"sqlite:///{folder}/tracejury.db")
    make_run(ledger, demo_pairs()[:10])
    # A step of the run has failed, and stays so.
    called("recheck", "made", "--calibration", calibration(folder, 0.0), code=2)
    before = {row["step_id"]: row for row in rows("made")}
    after = {row["step_id"]: row for row in rows("made@nli")}
    assert after.keys() == before.keys()
    resolved = [row for row in after.values() if row["resolver"] and row["resolver"]["citations"]]
    assert resolved
    checked = []
    for row in resolved:
        earlier = before[row["step_id"]]["resolver"]
        assert earlier["queries"] == row["resolver"]["queries"]
        by_quote = {c["quote"]: c for c in earlier["citations"]}
        checked += [(c["p"], by_quote[c["quote"]]["p"]) for c in row["resolver"]["citations"]]
    # The probabilities are those of this checker; a quote that is no statement has none.
    assert any(now is not None for now, _ in checked)
    assert all(now != then for now, then in checked)


def test_a_run_that_is_not_finished_is_refused(folder: Path) -> None:
    make_run(Ledger(f"sqlite:///{folder}/tracejury.db"), demo_pairs()[:1], finish=False)
    result = CliRunner().invoke(app, ["recheck", "made"])
    assert result.exit_code == 1
    assert "is not finished" in result.output


def test_a_source_has_the_trust_that_the_index_says_now(folder: Path) -> None:
    """The judges cite a folder that nobody vouches for; the user vouches for it, and takes that back."""
    (folder / "ward").mkdir()
    (folder / "ward" / "cough.md").write_text("A cough of three days is acute.")
    finding = GOOD["findings"][0] | {"evidence": "P1", "quote": "A cough of three days is acute."}
    body_of = {"policy": "grounded", "checker": {"name": "nli", "calibration": calibration(folder, 0.0)}}
    retrieval = {"sources": ["ward"], "k": 1}
    traces = write_traces(folder, [["A cough of three days is acute, it is thought by all."]])

    def build(*trust: str) -> None:
        called("index", "build", "documents", "--set", f"path={folder / 'ward'}", "--set", "name=ward", *trust)

    def recheck(*options: str) -> tuple[str, str]:
        result = CliRunner().invoke(app, ["recheck", "ward", *options])
        assert result.exit_code == 0, result.output
        (row,) = rows(options[-1])
        return str(row["outcome"]), result.output

    build()
    with ModelServer(reply=GOOD | {"findings": [finding]}) as server:
        panel = folder / "panel.yaml"
        panel.write_text(yaml.safe_dump(panel_body(server.url, **body_of, retrieval=retrieval)))
        called("adjudicate", traces, "--panel", panel, "--run", "ward")
    (row,) = rows("ward")
    assert (row["outcome"], row["reason"]) == ("abstained", "not_grounded")
    build("--trust", "full")
    outcome, output = recheck("--run", "vouched")
    assert outcome == "supported"
    assert "source ward: listed in the run, full now" in output
    assert recheck("--stored-trust", "--run", "stored")[0] == "abstained"
    # The folder says something else by now: nobody has vouched for the passages of the run.
    (folder / "ward" / "cough.md").write_text("A cough of three days is chronic.")
    build("--trust", "full")
    outcome, output = recheck("--run", "other")
    assert outcome == "abstained"
    assert "other passages in the index than in the run" in output
    outcome, output = recheck("--index", str(folder / "none"), "--run", "none")
    assert outcome == "abstained"
    assert "source ward is not in the index" in output
    assert not (folder / "none").exists()
