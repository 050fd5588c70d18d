"""The audit's commands on real ledgers with simulated verdicts."""

from __future__ import annotations

import json

from labelled_runs import labelled_rows
from typer.testing import CliRunner

from tracejury.console.app import app

runner = CliRunner()


def test_summary_prints_tables_and_json(fill, simulated, store):
    arms = {"base": {"error": 0.3, "abstain": 0.1}, "distilled": {"error": 0.5, "failed": 0.05}}
    fill(store, simulated(arms, questions=20), "sim")
    result = runner.invoke(app, ["summary", "sim", "--store", store])
    assert result.exit_code == 0, result.output
    for word in (
        "uncalibrated",
        "error rate",
        "bounds over abstentions",
        "distilled",
        "hypothesis generation",
        "facts, m1",
    ):
        assert word in result.output
    body = json.loads(runner.invoke(app, ["summary", "sim", "--store", store, "--json"]).stdout)
    assert [arm["name"] for arm in body["arms"]] == ["base", "distilled"]
    papers = json.loads(runner.invoke(app, ["summary", "--store", store, "--json", "--paper-convention"]).stdout)
    assert papers["arms"][1]["steps"]["failed"] == 0
    assert papers["arms"][1]["steps"]["abstained"] == body["arms"][1]["steps"]["failed"] > 0


def test_summary_says_how_many_of_all_opinions_were_asked_for(step_row, fill_labelled, store, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    rows = labelled_rows(step_row, 8)
    spared = [r.model_copy(update={"opinions": r.opinions[:2]}) for r in rows[:5]]
    fill_labelled(store, [*spared, *rows[5:]], "spared", None)
    result = runner.invoke(app, ["summary", "spared", "--store", store])
    assert f"{3 * len(rows) - 5} of {3 * len(rows)}" in result.output


def test_summary_says_what_is_wrong(fill, simulated, store):
    fill(store, simulated({"base": {"error": 0.3}}, questions=3), "sim")
    unknown = runner.invoke(app, ["summary", "other", "--store", store])
    assert unknown.exit_code == 1
    assert "Runs: sim" in unknown.output
    table = runner.invoke(app, ["summary", "sim", "--store", store, "--by", "colour"])
    assert table.exit_code == 1
    assert "Tables: arm" in table.output


def test_compare_within_a_run_between_runs_and_across_panels(fill, simulated, store):
    better = {"error": 0.5, "accuracy": 0.9}
    fill(store, simulated({"base": {"error": 0.3}, "distilled": better}, questions=40), "both")
    fill(store, simulated({"base": {"error": 0.3}}, questions=40), "before")
    fill(store, simulated({"base": {"error": 0.3}, "distilled": better}, questions=40), "other", panel="q")
    call = ["--store", store, "--draws", "500"]
    within = runner.invoke(app, ["compare", "both", *call, "--conditions", "--controls"])
    assert within.exit_code == 0, within.output
    for message in (
        "answers +",
        "step errors +",
        "robust to abstentions",
        "Wilcoxon p",
        "how many of them evidence shows",
        "step role",
        "not run: tracejury",
    ):
        assert message in within.output
    between = runner.invoke(app, ["compare", "before", "both:distilled", *call, "--json"])
    comparison = json.loads(between.stdout)["comparisons"][0]
    assert comparison["other"] == ["both", "distilled"]
    assert [t["error_type"] for t in comparison["error_types"]] == ["factual"]
    refused = runner.invoke(app, ["compare", "before", "other:distilled", *call])
    assert refused.exit_code == 1
    assert "panel: p in before, q in other" in refused.output
    assert "--allow-different-runs" in refused.output
    forced = runner.invoke(app, ["compare", "before", "other:distilled", *call, "--allow-different-runs"])
    assert forced.exit_code == 0
    assert "judged differently: panel" in forced.output
    unclear = runner.invoke(app, ["compare", "before", "both", *call])
    assert unclear.exit_code == 1
    assert "name one, as both:ARM" in unclear.output
