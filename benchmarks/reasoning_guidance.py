"""The audit end to end on real traces: Llama-3.1-8B before and after distillation (reasoning-guidance), by commands.

    python benchmarks/reasoning_guidance.py --work runs/reasoning-guidance --pairs 30

Reads all 200 questions, takes a seeded sample of pairs, adjudicates both arms, then `compare`, `report`, `gate`. The
same command goes on after an interruption.

The panel is the embedded one (data, facts and inference, both on a 135M model) without references and without the
demand for grounding: with that demand next to every verdict becomes an abstention (benchmarks/results/coverage.json),
and the comparison says `not enough verdicts to compare`. A model of this size cannot judge medicine: what this run
shows is the way from real traces to headline, figure and gate, not what distillation did to Llama-3.1-8B.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

TRACEJURY = str(Path(sys.executable).with_name("tracejury"))
PANEL = """
description: "The embedded panel's judges, ungrounded: for the way of an audit, not for its verdicts."
endpoints:
  small:
    kind: embedded
    model: smollm2-135m
    prefix_cache: true
    max_concurrency: 1
    timeout_s: 180
    context_window: 4096
    params: {repeat_penalty: 1.1}
judges:
  - {name: data, judge: data}
  - {name: facts, judge: facts, endpoint: small}
  - {name: inference, judge: inference, endpoint: small}
resolver: null
require_grounding: false
retrieval: {sources: []}
case_tokens: 2000
reply_tokens: 96
"""
ARMS = {"base": "base_medmcqa_first200.json", "distilled": "finetuned_medmcqa_first200.json"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/reasoning_guidance"))
    parser.add_argument("--work", type=Path, default=Path("runs/reasoning-guidance"))
    parser.add_argument("--pairs", type=int, default=30)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/reasoning_guidance.json"))
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    batch, panel, store = options.work / "batch", options.work / "panel.yaml", f"sqlite:///{options.work}/ledger.db"
    panel.write_text(PANEL, "utf-8")
    if not (batch / "traces.jsonl").is_file():
        run("read", "reasoning-guidance", str(options.data), "--out", str(batch))
    traces = [json.loads(line) for line in (batch / "traces.jsonl").read_text("utf-8").splitlines()]
    questions = random.Random(0).sample(sorted({t["question"] for t in traces}), options.pairs)
    chosen = [part for question in questions for part in ("--only", question)]
    arms = [part for arm in ARMS for part in ("--arm", arm)]
    at = ["--store", store]
    run("adjudicate", str(batch), "--panel", str(panel), *arms, *chosen, "--run", "audit", *at, ok=(0, 2))
    report = [part for kind in ("html", "md", "json") for part in ("--out", str(options.work / f"report.{kind}"))]
    run("report", "audit", "--baseline", "base", *report, *at)
    compared = json.loads(run("compare", "audit", "--baseline", "base", "--json", *at))
    gated = subprocess.run([TRACEJURY, "gate", "audit:distilled", "--baseline", "audit:base", *at], check=False)
    result = {
        "command": f"python benchmarks/reasoning_guidance.py --pairs {options.pairs}",
        "commit": subprocess.check_output(["git", "rev-parse", "--short", "HEAD"], text=True).strip(),
        "panel": "embedded, ungrounded: a 135M model; not a finding about Llama-3.1-8B",
        "compare": compared,
        "gate exit code": gated.returncode,
        "accuracy of all 200": {arm: accuracy(options.data / file, traces, arm) for arm, file in ARMS.items()},
    }
    options.out.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    print(json.dumps({k: v for k, v in result.items() if k != "compare"}, indent=1))


def run(*command: str, ok: tuple[int, ...] = (0,)) -> str:
    print("tracejury", *command[:3], "...", flush=True)
    process = subprocess.run([TRACEJURY, *command], stdout=subprocess.PIPE, text=True, check=False)
    if process.returncode not in ok:
        sys.exit(f"exit code {process.returncode}: {process.stdout}")
    return process.stdout


def accuracy(file: Path, traces: list[dict[str, Any]], arm: str) -> dict[str, int]:
    """Return the right answers of an arm; tests/reports/test_answers.py counts them a second way."""
    ours = {t["text"]: t.get("answer") for t in traces if t.get("arm", "base") == arm}
    rows = json.loads(file.read_text("utf-8"))
    letters = [ours.get(row["output"].strip()) for row in rows]
    right = sum(a == row["answer_idx"] for a, row in zip(letters, rows, strict=True))
    return {"n": len(rows), "right": right, "no answer found": letters.count(None)}


if __name__ == "__main__":
    main()
