"""The audit's commands on real ledgers with simulated verdicts."""

from __future__ import annotations

import json

from typer.testing import CliRunner

from tracejury.console.app import app

runner = CliRunner()


def test_summary_prints_tables_and_json(fill, simulated, store):
    arms = {"base": {"error": 0.3, "abstain": 0.1}, "distilled": {"error": 0.5, "failed": 0.05}}
    fill(store, simulated(arms, questions=20), "sim")
    shown = runner.invoke(app, ["summary", "sim", "--store", store])
    assert shown.exit_code == 0, shown.output
    for word in (
        "uncalibrated",
        "error rate",
        "bounds over abstentions",
        "distilled",
        "hypothesis generation",
        "facts, m1",
    ):
        assert word in shown.output
    made = json.loads(runner.invoke(app, ["summary", "sim", "--store", store, "--json"]).stdout)
    assert [arm["name"] for arm in made["arms"]] == ["base", "distilled"]
    papers = json.loads(runner.invoke(app, ["summary", "--store", store, "--json", "--paper-convention"]).stdout)
    assert papers["arms"][1]["steps"]["failed"] == 0
    assert papers["arms"][1]["steps"]["abstained"] == made["arms"][1]["steps"]["failed"] > 0


def test_summary_says_what_is_wrong(fill, simulated, store):
    fill(store, simulated({"base": {"error": 0.3}}, questions=3), "sim")
    unknown = runner.invoke(app, ["summary", "other", "--store", store])
    assert unknown.exit_code == 1
    assert "Runs: sim" in unknown.output
    table = runner.invoke(app, ["summary", "sim", "--store", store, "--by", "colour"])
    assert table.exit_code == 1
    assert "Tables: arm" in table.output
