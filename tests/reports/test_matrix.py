"""The matrix, tables to take away, the methods paragraph, and arms that were not judged alike."""

from __future__ import annotations

import csv
import json

import pytest
from typer.testing import CliRunner

from tracejury.console.app import app
from tracejury.ledger import Ledger
from tracejury.reports import (
    ArmKey,
    NotComparableError,
    Settings,
    check_judged_shares,
    compare,
    compare_matrix,
    csv_table,
    gather,
    latex_table,
)
from tracejury.traces import TextCoverage

runner = CliRunner()


def mixed(simulated, run, seed, students):
    """Rows of a run over two benchmarks: even questions are of MedQA, odd ones of MedMCQA."""
    for row in simulated({"base": {"error": 0.3}, **students}, questions=80, seed=seed, run=run):
        source = "medqa" if int(row.question_id[1:]) % 2 else "medmcqa"
        yield row.model_copy(update={"meta": {**row.meta, "question_source": source}})


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return f"sqlite:///{tmp_path_factory.mktemp('matrix') / 'ledger.db'}"


@pytest.fixture(scope="module")
def runs(fill, simulated, store):
    students = {"small": {"error": 0.5}, "large": {"error": 0.45}}
    for run, panel, seed in (("one", "p", 1), ("two", "q", 2)):
        fill(store, mixed(simulated, run, seed, students), run, panel=panel)
    return Ledger(store)


def test_each_cell_is_a_comparison_within_its_run_and_benchmark(simulated, runs):
    students = {"small": {"error": 0.5}, "large": {"error": 0.45}}
    rows = [row for run, seed in (("one", 1), ("two", 2)) for row in mixed(simulated, run, seed, students)]
    matrix = compare_matrix(gather(rows), [runs.run("one"), runs.run("two")])
    assert len(matrix.cells) == 2 * 2 * 2
    cell = next(c for c in matrix.cells if (c.run, c.benchmark, c.student) == ("one", "medqa", "small"))
    alone = [r for r in rows if r.run == "one" and r.meta["question_source"] == "medqa" and r.arm in ("base", "small")]
    by_hand = compare(gather(alone), ArmKey("one", "base"), [ArmKey("one", "small")], Settings(draws=200))[0]
    assert cell.difference == by_hand.steps.difference
    assert (cell.panel, cell.questions) == ("p", 40)
    h = matrix.heterogeneity
    assert h.up == h.cells == 8
    assert h.mean.low < 0.18 < h.mean.high
    assert 0 <= h.i2 <= 1
    assert h.q_p > 0.001


def test_the_command_writes_tables_and_a_forest(runs, store, tmp_path):
    files = {name: tmp_path / f"matrix.{name}" for name in ("csv", "tex", "svg")}
    call = ["compare", "one", "two", "--matrix", "--store", store, "--csv", str(files["csv"])]
    outputs = ["--latex", str(files["tex"]), "--forest", str(files["svg"]), "--methods"]
    result = runner.invoke(app, [*call, *outputs])
    assert result.exit_code == 0, result.output
    text = " ".join(result.output.split())
    assert "cells up" in text
    assert "by the panel 'p' of 3 judges (facts (no model)" in text
    assert "and by the panel 'q' of 3 judges" in text
    assert "Each of the 8 cells is one student on one benchmark under one panel" in text
    assert "permutation" not in text
    table = list(csv.DictReader(files["csv"].open()))
    as_json = json.loads(runner.invoke(app, [*call[:-2], "--json"]).stdout)
    assert len(table) == len(as_json["cells"])
    assert float(table[0]["difference"]) == round(100 * as_json["cells"][0]["difference"]["value"], 1)
    assert files["tex"].read_text().count("\\\\") == len(table) + 1
    assert files["svg"].read_text().startswith("<svg")


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["compare", "one", "--forest", "f.svg"], "add --matrix"),
        (["compare", "one", "--matrix", "--controls"], "leave out --matrix"),
        (["compare", "one", "--matrix", "--baseline", "nobody"], "Arms: one:base, one:large"),
        (["compare", "one:base", "one:base"], "one:base is named twice"),
        (["gate", "one:base", "--baseline", "one:base"], "one:base is named twice"),
        (["gate", "one:nobody", "--baseline", "one:base"], "Arms: one:base, one:large"),
    ],
)
def test_what_cannot_be_compared_is_refused_with_the_next_step(runs, store, words, reason):
    refused = runner.invoke(app, [*words, "--store", store])
    assert refused.exit_code == 1
    assert reason in " ".join(refused.output.split())


def test_a_comparison_and_a_report_can_be_pasted(runs, store, tmp_path):
    call = ["--store", store, "--draws", "200"]
    result = runner.invoke(app, ["compare", "one", *call, "--methods", "--csv", str(tmp_path / "c.csv")])
    assert result.exit_code == 0, result.output
    assert "sign-flip permutation test" in " ".join(result.output.split())
    assert "80 of 80 paired questions" in " ".join(result.output.split())
    paths = [tmp_path / f"r.{ending}" for ending in ("csv", "tex", "html", "json")]
    result = runner.invoke(app, ["report", "one", *call, *(w for p in paths for w in ("--out", str(p)))])
    assert result.exit_code == 0, result.output
    assert paths[0].read_text() == (tmp_path / "c.csv").read_text()
    methods = json.loads(paths[3].read_text())["methods"]
    assert "Methods, to paste" in paths[2].read_text()
    assert "the panel 'p' of 3 judges" in methods


def test_cells_of_tables_are_inert():
    assert csv_table(("a",), [("=1+1",)]).splitlines()[1] == "'=1+1"
    assert r"50\% \& more\_" in latex_table(("a",), [("50% & more_",)])


def test_arms_of_unlike_judged_share_are_refused():
    arms = [ArmKey("r", "base"), ArmKey("r", "distilled")]
    coverage = {
        arms[0]: TextCoverage(traces=1, text_chars=1000, judged_chars=960),
        arms[1]: TextCoverage(traces=1, text_chars=1000, judged_chars=866),
    }
    with pytest.raises(NotComparableError, match=r"96\.0 % in base, 86\.6 % in distilled"):
        check_judged_shares(coverage, arms)
    assert len(check_judged_shares(coverage, arms, allowed=True)) == 1
    assert check_judged_shares({arms[0]: coverage[arms[0]]}, arms) == []


def test_exported_quotes_can_be_checked_against_the_exported_evidence(runs, store, tmp_path):
    rows, evidence = tmp_path / "rows.jsonl", tmp_path / "evidence.jsonl"
    call = ["export", "one", "--store", store, "--out", str(rows), "--with-passages", str(evidence)]
    assert runner.invoke(app, call).exit_code == 0
    texts = {(e["evidence_id"], e["step_id"]): e["text"] for e in map(json.loads, evidence.read_text().splitlines())}
    checked = 0
    for row in map(json.loads, rows.read_text().splitlines()):
        for opinion in row["opinions"]:
            for citation in opinion["citations"]:
                name = citation["evidence_id"]
                text = texts.get((name, None)) or texts[name, row["step_id"]]
                assert citation["quote"] in text
                checked += 1
    assert checked > 100
