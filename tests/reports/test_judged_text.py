"""Every word of a trace is accounted for: what was judged and what was not stands on every face, by arm."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from tracejury.console.app import app
from tracejury.console.viewer.ledger_view import LedgerView
from tracejury.console.viewer.pages import Pages
from tracejury.ledger import Ledger

runner = CliRunner()
PANEL = "judges: [{name: data, judge: data}]\nresolver: null\nretrieval: {sources: []}\nsegmenter: numbered\n"


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """A run of two arms under the protocol's segmenter: one arm has 60 paragraphs, far beyond the cap."""
    folder = tmp_path_factory.mktemp("judged")
    paragraphs = [f"In paragraph {i} the cough has lasted for three days and nothing else is said." for i in range(60)]
    lines = [{"kind": "question", "id": "q", "stem": "A man has had a cough for three days.", "gold": "A"}]
    for arm, parts in (("base", paragraphs[:3]), ("thinks", paragraphs)):
        text = "\n\n".join(parts)
        lines.append({"kind": "trace", "question": "q", "model": "m", "arm": arm, "text": text, "answer": "A"})
    (folder / "traces.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (folder / "panel.yaml").write_text(PANEL)
    store = f"sqlite:///{folder}/ledger.db"
    command = ["adjudicate", str(folder / "traces.jsonl"), "--panel", str(folder / "panel.yaml"), "--run", "r"]
    end = runner.invoke(app, [*command, "--store", store])
    assert end.exit_code == 0, end.output
    return folder, store, end.output


def sentences(store):
    ledger = Ledger(store)
    coverage = ledger.text_coverage(ledger.run("r"))
    assert coverage["thinks"].capped > 40
    assert coverage["thinks"].judged_share < 0.3
    return [part.sentence() for part in coverage.values()]


@pytest.mark.parametrize("face", ["end", "show", "summary", "compare", "report.md", "report.html", "viewer"])
def test_the_judged_share_of_each_arm_is_on_every_face(judged, face):
    folder, store, end = judged
    if face == "end":
        text = end
    elif face == "viewer":
        view = LedgerView(Ledger(store))
        text = Pages(view, lambda path, **query: path).run(view.ledger.run("r"))
    elif face.startswith("report"):
        words = ["report", "r", "--out", str(folder / face), "--draws", "200", "--allow-different-runs"]
        assert runner.invoke(app, [*words, "--store", store]).exit_code == 0
        text = (folder / face).read_text()
    else:
        more = ["--allow-different-runs", "--draws", "200"] if face == "compare" else []
        text = runner.invoke(app, [face, "r", *more, "--store", store]).output
    text = " ".join(text.split())
    for sentence in sentences(store):
        assert sentence in text


@pytest.mark.parametrize("command", [["compare", "r"], ["compare", "r", "--matrix"], ["gate", "r:thinks"]])
def test_unlike_judged_shares_are_refused(judged, command):
    store = judged[1]
    more = ["--baseline", "r:base"] if command[0] == "gate" else []
    result = runner.invoke(app, [*command, *more, "--store", store])
    assert result.exit_code == 1
    assert "stand for unlike shares of their text" in " ".join(result.output.split())


def test_exported_rows_have_the_judged_share_of_their_trace(judged, tmp_path):
    store = judged[1]
    assert runner.invoke(app, ["export", "r", "--out", str(tmp_path / "r.jsonl"), "--store", store]).exit_code == 0
    rows = [json.loads(line) for line in (tmp_path / "r.jsonl").read_text().splitlines()]
    summary = json.loads(runner.invoke(app, ["summary", "r", "--json", "--store", store]).stdout)
    assert {row["arm"]: row["judged_share"] for row in rows} == summary["judged_share"]
