"""The benchmarks that wait for a GPU run on a CPU: the same code, at a scale that shows only that it runs."""

import json
from pathlib import Path

import pytest

from benchmarks.gpu_ratio import BUSY, SHAPES, STEPS, make_weights, ratio, time_cell
from benchmarks.gpu_session import main

pytestmark = pytest.mark.train


def test_a_cell_of_the_ratio_trains_packed_rows_and_claims_no_ratio_without_a_gpu(tmp_path: Path) -> None:
    make_weights(tmp_path / "cpu", SHAPES["cpu"])
    cell = time_cell(tmp_path / "cpu", "cpu", "trl", tmp_path / "cell")
    assert (cell["status"], len(cell["losses"]), cell["device"]) == ("done", STEPS, "cpu")
    assert cell["tokens_per_s"] > 0
    assert ratio([cell, {**cell, "backend": "unsloth"}])["speed"] is None
    busy = {**cell, "gpu_busy": BUSY + 0.1, "peak_gib": 30.0}
    faster = {**busy, "backend": "unsloth", "tokens_per_s": 2 * cell["tokens_per_s"], "peak_gib": 15.0}
    order = [busy, faster, faster, busy]
    assert ratio(order) == {"speed": 2.0, "pairs": [2.0, 2.0], "memory": 0.5}
    idle = {**faster, "gpu_busy": BUSY - 0.1}
    assert ratio([busy, faster, idle, busy])["speed"] is None, "one idle cell is enough"


def test_the_gpu_session_goes_from_chains_to_comparisons(tmp_path: Path) -> None:
    for part in ("student", "grpo", "audit"):
        assert main(["--out", str(tmp_path), "--scale", "cpu", "--inside", part]) == 0
    figures = {part: json.loads((tmp_path / f"{part}.json").read_text()) for part in ("student", "grpo", "audit")}
    assert figures["student"]["adapter_bytes"] > 0
    assert len(figures["grpo"]["rewards"]) == figures["grpo"]["steps"] == 2
    assert list(figures["audit"]) == ["base -> student", "student -> reinforced", "base -> reinforced"]
    assert all("comparisons" in comparison for comparison in figures["audit"].values()), figures["audit"]


def test_a_part_that_breaks_costs_the_others_nothing(tmp_path: Path) -> None:
    options = ["--out", str(tmp_path), "--scale", "cpu", "--parts", "checker", "student"]
    assert main([*options, "--chains", str(tmp_path / "none.jsonl")]) == 2
    parts = json.loads((tmp_path / "session.json").read_text())["parts"]
    assert parts["checker"]["status"] == "left out: --pairs and --minilm are not there"
    assert parts["student"]["status"] == "exit 1"
    assert any("none.jsonl" in line for line in parts["student"]["log"])
