"""Arms and runs may have any name: they are found by RUN:ARM, and no face takes them for anything else."""

from __future__ import annotations

import json

from typer.testing import CliRunner

from tracejury.console.app import app

runner = CliRunner()
BASELINE, STUDENT = "a:b", "=2+3 <b>[red]|_%"


def test_arms_of_any_name_are_compared_gated_and_written(fill, simulated, store, tmp_path):
    rows = simulated({BASELINE: {"error": 0.3}, STUDENT: {"error": 0.5}}, questions=30)
    fill(store, rows, "r:1")
    files = {ending: tmp_path / f"report.{ending}" for ending in ("html", "csv", "tex")}
    pair = [f"r:1:{BASELINE}", f"r:1:{STUDENT}"]
    call = ["--store", store]
    compared = runner.invoke(app, ["compare", *pair, *call, "--draws", "200", "--json"])
    assert compared.exit_code == 0, compared.output
    (comparison,) = json.loads(compared.stdout)["comparisons"]
    assert (comparison["baseline"], comparison["other"]) == (["r:1", BASELINE], ["r:1", STUDENT])
    gate = runner.invoke(app, ["gate", pair[1], "--baseline", pair[0], *call])
    assert gate.exit_code == 3
    assert f"r:1:{STUDENT} against r:1:{BASELINE}" in " ".join(gate.output.split())
    result = runner.invoke(app, ["report", *pair, *call, "--draws", "200", *(f"--out={p}" for p in files.values())])
    assert result.exit_code == 0, result.output
    assert "<b>[red]" not in files["html"].read_text()
    assert "&lt;b&gt;[red]" in files["html"].read_text()
    assert r"<b>[red]|\_\%" in files["tex"].read_text()
    unknown = runner.invoke(app, ["gate", "nobody:at:all", "--baseline", pair[0], *call])
    assert unknown.exit_code == 1
    assert "no run called 'nobody'" in unknown.output
