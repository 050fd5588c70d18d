"""The report and the gate, made by the commands from a ledger, and looked at in a real browser."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from tracejury.console.app import app

runner = CliRunner()
ARMS = {
    "base": {"error": 0.3, "accuracy": 0.7, "abstain": 0.05, "failed": 0.02},
    "distilled": {"error": 0.55, "accuracy": 0.8, "abstain": 0.05},
    "same": {"error": 0.3, "accuracy": 0.7},
}
HOSTILE = '<script>document.title="broken"</script><img src=x onerror="document.title=1">'


@pytest.fixture(scope="module")
def report_files(fill, simulated, tmp_path_factory):
    """A report in three forms, of a run whose every step carries a script: (folder, store)."""
    out = tmp_path_factory.mktemp("report")
    store = f"sqlite:///{out / 'ledger.db'}"
    rows = (r.model_copy(update={"step_text": HOSTILE}) for r in simulated(ARMS, questions=40, steps=3))
    fill(store, rows, "sim")
    call = ["report", "sim", "--store", store, "--draws", "500", "--figures", str(out / "figures")]
    call += [f"--out={out / f'report.{form}'}" for form in ("html", "md", "json")]
    result = runner.invoke(app, call)
    assert result.exit_code == 0, result.output
    return out, store


def test_the_page_stands_alone_and_runs_nothing(report_files):
    page = (report_files[0] / "report.html").read_text()
    assert len(page) < 5_000_000
    assert not re.search(r'(src|href)="(?!#)', page)
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "default-src 'none'" in page
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_the_three_forms_say_the_same(report_files):
    body = json.loads((report_files[0] / "report.json").read_text())
    for comparison in body["audit"]["comparisons"]:
        for form in ("html", "md"):
            assert comparison["sentence"] in (report_files[0] / f"report.{form}").read_text()
    assert len(body["exhibits"]) == 10
    assert any("uncalibrated" in limit for limit in body["limits"])
    assert {f.stem for f in (report_files[0] / "figures").iterdir()} == {
        "headline",
        "outcomes",
        "conditions",
        "robustness",
    }


@pytest.mark.browser
@pytest.mark.skipif(shutil.which("chromium") is None, reason="Debian's chromium is not installed")
@pytest.mark.parametrize("width", [1440, 390])
def test_a_browser_opens_it_without_an_error(report_files, tmp_path, width):
    call = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    call += [f"--user-data-dir={tmp_path}", "--enable-logging=stderr", "--virtual-time-budget=1000"]
    call += [f"--window-size={width},900", "--dump-dom", f"file://{report_files[0] / 'report.html'}"]
    process = subprocess.run(call, capture_output=True, text=True, timeout=120, check=True)
    assert "CONSOLE" not in process.stderr
    assert "<title>sim: audit</title>" in process.stdout


def test_the_gate_refuses_the_worse_student_and_passes_none_without_proof(report_files, tmp_path):
    store = report_files[1]
    files = ["--junit", str(tmp_path / "gate.xml"), "--markdown", str(tmp_path / "gate.md")]
    worse = runner.invoke(app, ["gate", "sim:distilled", "--baseline", "sim:base", "--store", store, *files])
    assert worse.exit_code == 3, worse.output
    assert "REFUSED" in worse.output
    suite = ElementTree.parse(tmp_path / "gate.xml").getroot().find("testsuite")
    assert suite.get("failures") == "1"
    assert suite.find("testcase[@name='step errors']/failure") is not None
    assert "**failed**" in (tmp_path / "gate.md").read_text()
    call = ["gate", "sim:same", "--baseline", "sim:base", "--store", store]
    unlike = runner.invoke(app, [*call, "--max-step-error-rise", "15"])
    assert unlike.exit_code == 3
    assert "failed  like coverage" in unlike.output
    passed = runner.invoke(app, [*call, "--max-step-error-rise", "15", "--max-coverage-gap", "10"])
    assert passed.exit_code == 0, passed.output
    tight = runner.invoke(app, [*call, "--max-step-error-rise", "0.5"])
    assert tight.exit_code == 3
    few = runner.invoke(app, [*call, "--max-step-error-rise", "15", "--min-coverage", "0.999"])
    assert few.exit_code == 3
    assert "failed  enough verdicts: coverage is" in " ".join(few.output.split("\n"))
