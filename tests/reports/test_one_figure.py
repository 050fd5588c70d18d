"""One figure has one value: every face shows the same digits for one ledger."""

from __future__ import annotations

import csv
import json
import re

import pytest

pytest.importorskip("fastapi", reason="the viewer needs the extra `viewer`")

from starlette.testclient import TestClient
from typer.testing import CliRunner

from tracejury.agents import Outcome, Reason
from tracejury.console.app import app
from tracejury.console.viewer import create_app
from tracejury.console.viewer.agreement import pairs
from tracejury.console.viewer.ledger_view import LedgerView
from tracejury.console.viewer.overview import arms_of
from tracejury.ledger import Ledger

runner = CliRunner()


@pytest.fixture(scope="module")
def faces(fill, simulated, tmp_path_factory):
    """Every face's own account of one ledger, with abstained, failed and no-claim steps in it."""
    tmp_path = tmp_path_factory.mktemp("faces")
    store = f"sqlite:///{tmp_path / 'ledger.db'}"
    arms = {"base": {"error": 0.3, "abstain": 0.1, "failed": 0.04}, "distilled": {"error": 0.5, "abstain": 0.15}}
    rows = list(simulated(arms, questions=30))
    silent = [r for r in rows if r.outcome is Outcome.ABSTAINED][::3]
    rows = [r.model_copy(update={"claim": False, "reason": Reason.NO_CLAIM}) if r in silent else r for r in rows]
    fill(store, rows, "sim")

    def called(*words):
        result = runner.invoke(app, [*words, "--store", store])
        assert result.exit_code == 0, result.output
        return result.stdout

    files = {ending: tmp_path / f"report.{ending}" for ending in ("json", "html", "md", "csv", "tex")}
    called("report", "sim", *(f"--out={path}" for path in files.values()), "--draws", "200")
    tables = {ending: tmp_path / f"compare.{ending}" for ending in ("csv", "tex")}
    outputs = ("--csv", str(tables["csv"]), "--latex", str(tables["tex"]))
    called("export", "sim", "--out", str(tmp_path / "rows.csv"))
    gated = ["gate", "sim:distilled", "--baseline", "sim:base", "--json", "--store", store]
    ledger = Ledger(store)
    run = ledger.run("sim")
    return {
        "export": [json.loads(line) for line in called("export", "sim").splitlines()],
        "export csv": list(csv.DictReader((tmp_path / "rows.csv").open(newline=""))),
        "html": files["html"].read_text(),
        "markdown": files["md"].read_text(),
        "terminal": " ".join(called("compare", "sim", "--draws", "200", *outputs).split()),
        "tables": {path: path.read_text() for path in (*tables.values(), files["csv"], files["tex"])},
        "gate": json.loads(runner.invoke(app, gated).stdout),
        "matrix": json.loads(called("compare", "sim", "--matrix", "--json")),
        "page": TestClient(create_app(ledger), base_url="http://127.0.0.1").get("/runs/sim").text,
        "summary": json.loads(called("summary", "sim", "--json")),
        "compare": json.loads(called("compare", "sim", "--json", "--draws", "200", "--controls", "--conditions")),
        "report": json.loads(files["json"].read_text()),
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


def percent(estimate, sign=""):
    """An estimate as every face prints it."""
    value, low, high = (f"{100 * estimate[end]:{sign}.1f}" for end in ("value", "low", "high"))
    return f"{value} [{low}, {high}]"


def plain(page):
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def test_what_is_exported_adds_up_to_the_rates(faces):
    for rows in (faces["export"], faces["export csv"]):
        for arm in faces["summary"]["arms"]:
            claims = [r for r in rows if r["arm"] == arm["name"] and str(r["claim"]) == "True"]
            count = {
                name: sum(r["outcome"] == name for r in claims)
                for name in ("supported", "error", "abstained", "failed")
            }
            steps = arm["steps"]
            assert count == {name: steps[name] for name in count}
            decided = count["error"] + count["supported"]
            assert count["error"] / decided == pytest.approx(steps["error_rate"]["value"])
            assert decided / sum(count.values()) == pytest.approx(steps["coverage"]["value"])


def test_pages_print_the_digits_of_the_summary(faces):
    pages = {name: plain(faces[name]) for name in ("html", "markdown", "page")}
    for arm in faces["summary"]["arms"]:
        for name in ("error_rate", "abstention_rate", "failure_rate"):
            for face, text in pages.items():
                assert percent(arm["steps"][name]) in text, (face, name)
        for face in ("html", "markdown"):
            assert percent(arm["steps"]["coverage"]) in pages[face]


def test_tables_files_and_the_gate_print_the_difference_of_the_comparison(faces):
    (compared,) = faces["compare"]["comparisons"]
    difference = compared["majority"]["steps"]["difference"]
    for face in ("html", "markdown", "terminal"):
        text = plain(faces[face])
        assert percent(difference, "+") in text, face
        assert compared["sentence"] in text, face
    cells = [f"{100 * difference[end]:+.1f}" for end in ("value", "low", "high")]
    for path, table in faces["tables"].items():
        assert (",".join(cells) if path.suffix == ".csv" else " & ".join(cells)) in table, path
    assert faces["gate"][0]["sentence"] == compared["sentence"]
    (cell,) = faces["matrix"]["cells"]
    assert cell["difference"] == difference


def test_the_headline_and_the_lines_below_have_one_coverage(faces):
    """Both arms have all questions here, so that the coverage of the paired questions is that of the summary."""
    (compared,) = faces["compare"]["comparisons"]
    shares = {a["name"]: 100 * a["steps"]["coverage"]["value"] for a in faces["summary"]["arms"]}
    assert [100 * c for c in compared["majority"]["coverage"]] == pytest.approx([shares["base"], shares["distilled"]])
    line = f"coverage of the paired questions {shares['base']:.1f} -> {shares['distilled']:.1f} %"
    assert line in faces["terminal"]
    assert line.replace("->", "\u2192").capitalize() in plain(faces["html"])
    (finding,) = (c["finding"] for c in faces["gate"][0]["checks"] if c["name"] == "like coverage")
    assert f"coverage {shares['base']:.1f} and {shares['distilled']:.1f} %" in finding


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
