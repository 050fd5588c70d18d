"""One figure has one value: every face shows the same digits for one ledger."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from tracejury.agents import Outcome, Reason
from tracejury.console.app import app
from tracejury.console.viewer.agreement import pairs
from tracejury.console.viewer.ledger_view import LedgerView
from tracejury.console.viewer.overview import arms_of
from tracejury.ledger import Ledger

runner = CliRunner()


@pytest.fixture
def faces(fill, simulated, step_row, store, tmp_path):
    """Every face's own account of one ledger, with abstained, failed and no-claim steps in it."""
    arms = {"base": {"error": 0.3, "abstain": 0.1, "failed": 0.04}, "distilled": {"error": 0.5, "abstain": 0.15}}
    rows = list(simulated(arms, questions=30))
    silent = [r for r in rows if r.outcome is Outcome.ABSTAINED][::3]
    rows = [r.model_copy(update={"claim": False, "reason": Reason.NO_CLAIM}) if r in silent else r for r in rows]
    fill(store, rows, "sim")

    def called(*words):
        result = runner.invoke(app, [*words, "--store", store])
        assert result.exit_code == 0, result.output
        return result.stdout

    called("report", "sim", "--out", str(tmp_path / "report.json"), "--draws", "200")
    ledger = Ledger(store)
    run = ledger.run("sim")
    return {
        "summary": json.loads(called("summary", "sim", "--json")),
        "compare": json.loads(called("compare", "sim", "--json", "--draws", "200", "--controls", "--conditions")),
        "report": json.loads((tmp_path / "report.json").read_text()),
        "show": json.loads(called("show", "sim", "--json")),
        "judges": json.loads(called("quality", "judges", "sim", "--json")),
        "runs": json.loads(called("ledger", "runs", "--json")),
        "viewer": arms_of(LedgerView(ledger), run),
        "pairs": pairs(run.panel, LedgerView(ledger).patterns(run)),
    }


def test_counts(faces):
    arms = {a["name"]: a["steps"] for a in faces["summary"]["arms"]}
    (progress,) = faces["runs"]
    for name in ("supported", "error", "abstained", "failed", "no_claim"):
        by_show = {arm: sum(t[name] for t in faces["show"] if t["arm"] == arm) for arm in arms}
        by_viewer = {a.name: a.counts[name] for a in faces["viewer"]}
        assert by_show == by_viewer == {arm: steps[name] for arm, steps in arms.items()}
        in_all = progress["no_claim"] if name == "no_claim" else progress["outcomes"][name]
        assert in_all == sum(by_show.values())


def test_rates_and_their_intervals(faces):
    summary = {a["name"]: a for a in faces["summary"]["arms"]}
    report = {a["name"]: a for a in faces["report"]["summary"]["arms"]}
    answers = {a["name"]: a["accuracy"] for a in faces["report"]["answers"]}
    for arm in faces["viewer"]:
        steps = summary[arm.name]["steps"]
        assert steps == report[arm.name]["steps"]
        for name in ("error_rate", "abstention_rate", "failure_rate"):
            assert getattr(arm, name).model_dump() == pytest.approx(steps[name])
        assert list(arm.bounds) == pytest.approx(steps["bounds"])
        assert arm.accuracy.model_dump() == pytest.approx(summary[arm.name]["answers"]["accuracy"])
        assert answers[arm.name] == pytest.approx(summary[arm.name]["answers"]["accuracy"])


def test_differences(faces):
    (compared,), (reported,) = (
        (faces[name]["comparisons"] for name in ("compare",)),
        (faces["report"]["audit"]["comparisons"],),
    )
    assert compared[0]["majority"]["steps"]["difference"] == reported[0]["majority"]["steps"]["difference"]
    assert compared[0]["answers"]["difference"] == reported[0]["answers"]["difference"]
    main = faces["compare"]["controls"][0][0]
    assert main["difference"] == compared[0]["majority"]["steps"]["difference"]
    pool = compared[0]["majority"]["pool"]
    summary = {a["name"]: a["steps"]["error_rate"] for a in faces["summary"]["arms"]}
    assert (pool["baseline"], pool["other"]) == (summary["base"], summary["distilled"])


def test_agreement_of_judges(faces):
    reported = {tuple(p["judges"]): p["agreement"]["kappa"] for p in faces["report"]["judges"]}
    for pair in faces["judges"]["agreement"]:
        kappa = reported[pair["one"], pair["other"]]
        assert pair["kappa"] == kappa
        assert faces["pairs"][pair["one"], pair["other"]].kappa == pytest.approx(kappa["value"])


def test_a_run_with_failed_steps_is_not_called_finished(faces):
    (progress,) = faces["runs"]
    failing = {t["trace_id"] for t in faces["show"] if t["failed"]}
    assert progress["closed"] == progress["traces"] - len(failing)
