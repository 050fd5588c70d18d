"""Sheets out and back: blindness, round trips, known agreement recovered, measures against their sources."""

from __future__ import annotations

import csv
import html
import json
import re

import krippendorff
import numpy as np
import pytest
from openpyxl import load_workbook
from sklearn.metrics import cohen_kappa_score
from typer.testing import CliRunner

from tracejury.console.app import app
from tracejury.reports import rater_agreement

runner = CliRunner()
ARMS = {"base": {"error": 0.3, "abstain": 0.2}, "distilled": {"error": 0.5, "abstain": 0.2}}


@pytest.fixture(scope="module")
def sheet(fill, simulated, tmp_path_factory, module_ledger_url):
    """A sheet of 150 steps, as the command writes it: (folder, key, store)."""
    tmp_path = tmp_path_factory.mktemp("review")
    store = module_ledger_url
    fill(store, simulated(ARMS, questions=120, steps=4), "sim")
    out = tmp_path / "review"
    result = runner.invoke(app, ["review", "sample", "sim", "--n", "150", "--out", str(out), "--store", store])
    assert result.exit_code == 0, result.output
    return out, json.loads((out / "key.json").read_text()), store


def test_the_sheet_is_stratified_and_blind(sheet):
    out, key, _ = sheet
    assert len(key["items"]) == 150
    strata = {}
    for keyed in key["items"]:
        strata[keyed["arm"], keyed["outcome"]] = strata.get((keyed["arm"], keyed["outcome"]), 0) + 1
    assert set(strata.values()) == {25}
    page = (out / "sheet.html").read_text()
    cells = [[c.value for c in row] for row in load_workbook(out / "sheet.xlsx")["Steps"].iter_rows()]
    rows = list(csv.reader((out / "sheet.csv").open(encoding="utf-8-sig")))
    assert len(cells) == len(rows) == 151
    for page_text in (page, json.dumps(cells), json.dumps(rows)):
        for hidden in ("distilled", '"base"', ">base<", "abstained", "step_id"):
            assert hidden not in page_text
    # No address is asked for anything, and only the page's own script may run.
    assert not re.search(r'(src|href)="(?!#)', page)
    assert "script-src 'sha256-" in html.unescape(page)


def fill_in(out, key, expert, form, rng, kappa=0.6, skip=()):
    """An expert who agrees with a common truth so often that two of them have the given kappa."""
    truth_rng = np.random.default_rng(9)
    right = np.sqrt(kappa)
    rows = []
    for keyed in key["items"]:
        truth = truth_rng.random() < 0.5
        is_error = truth if rng.random() < right else rng.random() < 0.5
        verdict = "" if keyed["item"] in skip else "error" if is_error else "supported"
        rows.append((keyed["item"], verdict, "factual" if verdict == "error" else ""))
    path = out / f"{expert}.{form}"
    if form == "json":
        body = [{"item": i, "verdict": v, "error_type": t, "note": ""} for i, v, t in rows]
        path.write_text(json.dumps({"sheet": key["sheet"], "expert": expert, "rows": body}))
    elif form == "xlsx":
        book = load_workbook(out / "sheet.xlsx")
        for line, (_, verdict, kind) in enumerate(rows, start=2):
            book["Steps"].cell(line, 6, verdict or None)
            book["Steps"].cell(line, 7, kind or None)
        book.save(path)
    else:
        blank = list(csv.reader((out / "sheet.csv").open(encoding="utf-8-sig")))
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(
                [blank[0], *([*b[:5], v, t, ""] for b, (_, v, t) in zip(blank[1:], rows, strict=True))]
            )
    return path


def test_two_experts_with_known_kappa_recover_it(sheet):
    out, key, _ = sheet
    rng = np.random.default_rng(1)
    paths = [fill_in(out, key, "anna", "json", rng), fill_in(out, key, "ben", "xlsx", rng)]
    labels = out / "labels.jsonl"
    call = ["review", "import", *map(str, paths), "--key", str(out / "key.json"), "--json", "--labels", str(labels)]
    result = runner.invoke(app, call)
    assert result.exit_code == 0, result.output
    scores = json.loads(result.stdout)
    (pair,) = scores["experts_agree"]
    assert pair["raters"] == ["anna", "ben"]
    assert pair["items"] == 150
    assert pair["kappa"]["low"] < 0.6 < pair["kappa"]["high"]
    assert [a["raters"][0] for a in scores["with_jury"]] == ["anna", "ben", "experts' majority"]
    (ordering,) = scores["orderings"]
    assert ordering["difference"]["low"] < 0 < ordering["difference"]["high"]
    steps = {keyed["step_id"] for keyed in key["items"]}
    for line in labels.read_text().splitlines():
        assert json.loads(line)["step_id"] in steps


def test_missing_and_contradictory_rows_are_told(sheet):
    out, key, _ = sheet
    rng = np.random.default_rng(2)
    skipped = [key["items"][0]["item"], key["items"][1]["item"]]
    good = fill_in(out, key, "cleo", "csv", rng, skip=skipped)
    lines = good.read_text(encoding="utf-8").splitlines()
    third, fourth, fifth = (key["items"][i]["item"] for i in (2, 3, 4))
    more = [
        f"{third},,,,,{'supported' if ',error,' in lines[3] else 'error'},,",
        f"{fourth},,,,,maybe,,",
        "S999,,,,,error,factual,",
    ]
    more.append(f"{fifth},,,,,supported,factual,")
    good.write_text("\n".join([*lines, *more]), encoding="utf-8")
    result = runner.invoke(app, ["review", "import", str(good), "--key", str(out / "key.json"), "--draws", "200"])
    assert result.exit_code == 2, result.output
    output = " ".join(result.output.split())
    assert f"{third}: both" in output
    assert "verdict 'maybe'; choose one of supported, error" in output
    assert "'S999' is not on this sheet" in output
    assert "'supported' with the error type 'factual'" in output
    assert f"rows empty: {', '.join(skipped)}" in output


def test_what_is_no_sheet_is_told(sheet, tmp_path):
    out, _, _ = sheet
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    result = runner.invoke(app, ["review", "import", str(tmp_path / "x.csv"), "--key", str(out / "key.json")])
    assert result.exit_code == 1
    assert "no column 'item'" in result.output
    result = runner.invoke(app, ["review", "import", str(tmp_path / "x.csv"), "--key", str(tmp_path / "key.json")])
    assert "review sample" in result.output


def test_measures_agree_with_scikit_learn_and_krippendorff():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 4, 200)
    ratings = np.stack([np.where(rng.random(200) < 0.7, truth, rng.integers(0, 4, 200)) for _ in range(3)], axis=1)
    ratings[rng.random(ratings.shape) < 0.1] = -1
    two = ratings[(ratings[:, :2] >= 0).all(axis=1)][:, :2]
    agreement = rater_agreement(two, np.arange(len(two)), ("a", "b"), categories=4)
    assert agreement.kappa.value == pytest.approx(cohen_kappa_score(two[:, 0], two[:, 1]))
    all_three = rater_agreement(ratings, np.arange(200), ("a", "b", "c"), categories=4)
    with_gaps = np.where(ratings < 0, np.nan, ratings).T
    assert all_three.alpha.value == pytest.approx(
        krippendorff.alpha(reliability_data=with_gaps, level_of_measurement="nominal")
    )


def test_ac1_is_that_of_gwets_table():
    """Gwet 2008, table 1 with 118 and 5 agreed of 125 (the kappa paradox): AC1 = .9405, kappa = .6488... by hand."""
    ratings = np.repeat([[0, 0], [1, 1], [0, 1], [1, 0]], [118, 5, 2, 0], axis=0)
    agreement = rater_agreement(ratings, np.arange(len(ratings)), ("a", "b"), categories=2)
    observed = 123 / 125
    share = (118 + 118 + 2) / 250
    chance = 2 * share * (1 - share)
    assert agreement.ac1.value == pytest.approx((observed - chance) / (1 - chance))
    assert agreement.kappa.value == pytest.approx(cohen_kappa_score(ratings[:, 0], ratings[:, 1]))


def test_labels_of_experts_calibrate_score_and_judge(sheet, tmp_path):
    """From the sheet through simulated experts to a calibrator, on either database."""
    out, key, store = sheet
    truth = {keyed["item"]: keyed["outcome"] == "error" for keyed in key["items"]}
    paths = []
    for expert in ("dora", "emil", "finn"):
        # Each errs on every twentieth item, never on the same: their majority is the truth.
        start = len(paths)
        verdicts = {i: truth[i] ^ (n % 20 == start) for n, i in enumerate(truth)}
        rows = [
            {"item": i, "verdict": "error" if w else "supported", "error_type": "", "note": ""}
            for i, w in verdicts.items()
        ]
        paths.append(tmp_path / f"{expert}.json")
        paths[-1].write_text(json.dumps({"sheet": key["sheet"], "expert": expert, "rows": rows}))
    labels = tmp_path / "labels.jsonl"
    call = ["review", "import", *map(str, paths), "--key", str(out / "key.json"), "--draws", "200"]
    result = runner.invoke(app, [*call, "--labels", str(labels)])
    assert result.exit_code == 0, result.output
    assert len(labels.read_text().splitlines()) == 150
    options = ["--labels", str(labels), "--store", store, "--json"]
    fitted = tmp_path / "calibrator.json"
    result = runner.invoke(
        app, ["quality", "calibrate", "sim", *options, "--alpha-supported", "0.3", "--out", str(fitted)]
    )
    assert result.exit_code == 0, result.output
    assert json.loads(fitted.read_text())["fitted_on"]["run"] == "sim"
    scored = runner.invoke(app, ["quality", "score", "sim", *options])
    assert scored.exit_code == 0, scored.output
    jury = next(s for s in json.loads(scored.stdout)["systems"] if s["system"] == "jury")
    # The experts call wrong what the jury called so, and nothing else.
    assert jury["balanced_accuracy"]["value"] == 1.0
    judged = runner.invoke(app, ["quality", "judges", "sim", *options])
    assert judged.exit_code == 0, judged.output

    lines = labels.read_text().splitlines()
    first = json.loads(lines[0])
    other = json.dumps(first | {"label": "error" if first["label"] == "supported" else "supported"})
    for content, expected in (
        ("\n".join([*lines, other]), f"labels.jsonl:151: step {first['step_id']} has two labels"),
        ("\n".join([*lines, json.dumps(first | {"step_id": "s_elsewhere"})]), "s_elsewhere"),
        ('{"step_id": "s_1", "label": "maybe"}', "labels.jsonl:1: no label (label"),
        ("", "holds no label"),
    ):
        labels.write_text(content)
        wrong = runner.invoke(app, ["quality", "score", "sim", "--labels", str(labels), "--store", store])
        assert wrong.exit_code == 1
        assert expected in " ".join(wrong.output.split())
