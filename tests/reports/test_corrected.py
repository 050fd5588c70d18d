"""Corrected error rates: a judge that errs by style fakes no difference, and labels of two kinds agree."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from benchmark_module import load_benchmark
from typer.testing import CliRunner

from tracejury.agents import Outcome
from tracejury.console.app import app
from tracejury.reports import ArmKey, Settings, compare, corrected_rate, gather, summarise


@pytest.fixture(scope="module")
def benchmark():
    return load_benchmark("corrected")


@pytest.mark.parametrize("case", [{"questions": 120, "labels": 80}, {"questions": 120, "other": 60}])
def test_a_judge_that_errs_by_style_fakes_no_difference(benchmark, case):
    results = benchmark.coverage(12, 5, **case)
    assert results["raw_difference"]["covered_percent"] == 0
    assert results["raw_difference"]["mean_points"] > 10
    # At a true coverage of 95 %, 12 draws fall below 9 hits once in 400 times.
    assert results["difference"]["covered_percent"] >= 75
    assert abs(results["difference"]["mean_points"]) < 8


def rows(step_row, plan, labels):
    """Rows of one arm: `plan` has a verdict a step, `labels` its label or None; 4 steps a question."""
    verdicts = {"e": Outcome.ERROR, "s": Outcome.SUPPORTED}
    return [
        step_row(
            question_id=f"q{i // 4}", trace_id=f"t{i // 4}", step_id=f"s{i}", step_index=i % 4,
            outcome=verdicts[verdict], label=label,
        )
        for i, (verdict, label) in enumerate(zip(plan, labels, strict=True))
    ]  # fmt: skip


def test_the_rate_is_the_hand_counted_one(step_row):
    """40 of 100 verdicts are errors; of 20 labelled ones 15 are wrong, of 30 labelled supported ones 3 are."""
    rng = np.random.default_rng(0)
    plan = np.array(list("e" * 40 + "s" * 60))[rng.permutation(100)]
    labels = np.full(100, None, dtype=object)
    errors, supports = np.flatnonzero(plan == "e")[:20], np.flatnonzero(plan == "s")[:30]
    labels[errors], labels[supports] = "error", "supported"
    labels[errors[:5]], labels[supports[:3]] = "supported", "error"
    columns = gather(rows(step_row, plan, labels))
    rate = corrected_rate(columns, 0)
    assert rate.labelled == 50
    assert rate.rate.value == pytest.approx(0.4 * 15 / 20 + 0.6 * 3 / 30)
    assert rate.sensitivity.value == pytest.approx(15 / 18)
    assert rate.specificity.value == pytest.approx(27 / 32)
    assert rate.rate.low < rate.rate.value < rate.rate.high
    elsewhere = corrected_rate(columns, 0, labels=columns)
    assert elsewhere.rate.value == pytest.approx((0.4 + 27 / 32 - 1) / (15 / 18 + 27 / 32 - 1))


def test_with_all_steps_labelled_the_rate_is_that_of_the_labels(step_row):
    plan = list("eses" * 20)
    labels = ["error" if i % 8 == 0 else "supported" for i in range(80)]
    assert corrected_rate(gather(rows(step_row, plan, labels)), 0).rate.value == pytest.approx(1 / 8)


def test_verdicts_that_tell_nothing_are_not_corrected(step_row):
    plan = list("es" * 40)
    labels = ["error" if i % 4 < 2 else "supported" for i in range(80)]
    columns = gather(rows(step_row, plan, labels))
    rate = corrected_rate(columns, 0, labels=columns)
    assert rate.rate.value is None
    assert "tell too little of the truth" in rate.note


def test_without_labels_nothing_is_corrected(simulated):
    columns = gather(simulated({"base": {"error": 0.3}, "distilled": {"error": 0.5}}, questions=30))
    assert all(arm.corrected is None for arm in summarise(columns).arms)
    assert compare(columns, ArmKey("r", "base"), [ArmKey("r", "distilled")], Settings(draws=200))[0].corrected is None


def test_the_commands_show_it_beside_the_raw_rate(fill, simulated, store):
    arms = {"base": {"error": 0.3}, "distilled": {"error": 0.5}}
    labelled = [
        r.model_copy(update={"label": "error" if r.outcome is Outcome.ERROR and i % 5 else "supported"})
        for i, r in enumerate(simulated(arms, questions=30))
    ]
    fill(store, labelled, "labelled")
    fill(store, simulated(arms, questions=30, seed=4), "plain")
    fill(store, simulated(arms, questions=30), "other", panel="q")
    runner = CliRunner()
    own = json.loads(runner.invoke(app, ["summary", "labelled", "--store", store, "--json"]).stdout)
    assert own["arms"][0]["corrected"]["method"] == "labels of these steps"
    call = ["--store", store, "--draws", "200"]
    result = runner.invoke(app, ["compare", "plain", *call, "--labels-from", "labelled"])
    assert result.exit_code == 0, result.output
    assert "corrected for the jury's errors" in result.output
    assert "labels of another run" in result.output
    refused = runner.invoke(app, ["summary", "plain", "--store", store, "--labels-from", "other"])
    assert refused.exit_code == 1
    assert "another panel" in refused.output


def test_the_figures_show_it_beside_the_raw_rate(fill, simulated, store, tmp_path):
    labelled = [
        r.model_copy(update={"label": "error" if r.outcome is Outcome.ERROR and i % 5 else "supported"})
        for i, r in enumerate(simulated({"base": {"error": 0.3}, "distilled": {"error": 0.5}}, questions=30))
    ]
    fill(store, labelled, "labelled")
    runner = CliRunner()
    call = ["--store", store, "--draws", "200"]
    report_command = ["report", "labelled", *call, "--out", str(tmp_path / "r.html"), "--figures", str(tmp_path)]
    assert runner.invoke(app, report_command).exit_code == 0
    matrix_command = ["compare", "labelled", *call, "--matrix", "--forest", str(tmp_path / "matrix.svg")]
    matrix = runner.invoke(app, [*matrix_command, "--csv", str(tmp_path / "matrix.csv")])
    assert matrix.exit_code == 0, matrix.output
    for name in ("headline", "robustness", "matrix"):
        assert "corrected for the jury" in (tmp_path / f"{name}.svg").read_text(), name
    assert "corrected" not in (tmp_path / "conditions.svg").read_text()
    (cell,) = csv.DictReader((tmp_path / "matrix.csv").open())
    compared = json.loads(runner.invoke(app, ["compare", "labelled", *call, "--json"]).stdout)["comparisons"][0]
    assert float(cell["corrected"]) == round(100 * compared["corrected"]["difference"]["value"], 1)
