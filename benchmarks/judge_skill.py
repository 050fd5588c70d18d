"""How well the judges judge, against human labels: MR-Ben medicine dev and MEDEC validation.

    tracejury index build open-medicine
    python -m benchmarks.judge_skill run model-free mr-ben       # hours or minutes, resumable: the same command goes on
    python -m benchmarks.judge_skill run embedded mr-ben medec
    python -m benchmarks.judge_skill table --out benchmarks/results/judge_skill.json

`model-free` (data and verifier) hears every labelled step of both sets. `embedded` (two judges on a 135M model beside
them) hears a seeded sample by question: MR-Ben questions until 150 labelled steps are there, and of 100 MEDEC texts one
sentence: the erroneous one where there is one, else one drawn by a seeded generator; all other sentences are context.
Steps without a label are not heard. Nothing is trained here. The split, by question, seeded: one half calibrates (half
of it fits, half certifies), the other half reports what calibration leaves.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import subprocess
from collections.abc import Iterable, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from benchmarks.adaptive_panel import JudgedStep, economy
from tracejury.agents import Calibrator, Panel, Verdict, load_panel
from tracejury.graphs import RunTally, adjudicate
from tracejury.ledger import Ledger, StepRow
from tracejury.reports import NotEnoughLabelsError, SystemScore, calibrate, score
from tracejury.traces import Batch, Trace, read, segment, write_batch

JURY = "jury"
SETS = {"mr-ben": "mr_ben/medicine_dev_subset.json", "medec": "medec"}
MODEL_FREE = """
name: model-free
description: The judges that ask no model.
judges:
  - {name: verifier, judge: verifier}
  - {name: data, judge: data, seat: challenge}
resolver: {}
retrieval: {sources: [open-medicine], k: 3}
case_tokens: 6000
"""
STEPS, TEXTS = 150, 100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--work", type=Path, default=Path("runs/judge-skill"))
    parser.add_argument("--index", type=Path, default=None)
    doing = parser.add_subparsers(dest="do", required=True)
    run = doing.add_parser("run", help="hear a panel on sets")
    run.add_argument("panel", choices=["model-free", "embedded"])
    run.add_argument("sets", nargs="+", choices=SETS)
    table = doing.add_parser("table", help="score what has been heard")
    table.add_argument("--out", type=Path, default=Path("benchmarks/results/judge_skill.json"))
    options = parser.parse_args()
    if options.do == "run":
        for name in options.sets:
            hear(options, options.panel, name)
    else:
        tabulate(options)


def panel_of(options: argparse.Namespace, name: str) -> Panel:
    """Return the panel, from its copy in the work folder: a run of days keeps the panel that it began with."""
    path = options.work / f"{name}.yaml"
    if not path.is_file():
        shipped = resources.files("tracejury.configs") / "panels" / "embedded.yaml"
        path.write_text(MODEL_FREE if name == "model-free" else shipped.read_text("utf-8"), "utf-8")
    return load_panel(path)


def hear(options: argparse.Namespace, panel: str, name: str) -> None:
    folder = options.work / name
    if not (folder / "traces.jsonl").is_file():
        write_batch(read(name, path_of(options.data, name)), folder)
    batch = Batch.open([folder])
    chosen = sample(batch, name) if panel == "embedded" else labelled(batch)
    traces = {trace_id for trace_id, _ in chosen}
    judged_ids = {step_id for _, step_id in chosen}
    skipped = frozenset(s.id for t in batch.traces() if t.id in traces for s in segment(t, "given").steps) - judged_ids
    tally = RunTally()
    run, tally = asyncio.run(
        adjudicate(
            batch,
            panel_of(options, panel),
            store=f"sqlite:///{options.work}/{panel}.db",
            name=name,
            index=options.index,
            only=sorted(traces),
            skip_steps=skipped,
            tally=tally,
        )
    )
    outcomes = dict(tally.outcomes)
    print(f"{panel} on {name}: {len(judged_ids)} steps, {tally.steps} of them judged now, {outcomes} ({run.name})")


def path_of(data: Path, name: str) -> Path:
    path = data / SETS[name]
    return next(path.glob("*ValidationSet*.csv")) if path.is_dir() else path


def labelled(batch: Batch) -> list[tuple[str, str]]:
    return [(t.id, s.id) for t in batch.traces() for s in segment(t, "given").steps if s.label]


def sample(batch: Batch, name: str) -> list[tuple[str, str]]:
    by_question: dict[str, list[Trace]] = {}
    for trace in batch.traces():
        by_question.setdefault(trace.question_id, []).append(trace)
    order = sorted(by_question)
    random.Random(0).shuffle(order)
    chosen: list[tuple[str, str]] = []
    for texts, question in enumerate(order):
        if (name == "mr-ben" and len(chosen) >= STEPS) or (name == "medec" and texts >= TEXTS):
            break
        draw = random.Random(question)
        traces = sorted(by_question[question], key=lambda t: t.id)
        if name == "mr-ben":
            chosen += [(t.id, s.id) for t in traces for s in segment(t, "given").steps if s.label]
        else:
            chosen.append(one_of(draw.choice(traces), draw))
    return chosen


def one_of(note: Trace, draw: random.Random) -> tuple[str, str]:
    steps = segment(note, "given").steps
    wrong = [s for s in steps if s.label and s.label == "error"]
    return note.id, (wrong or [draw.choice(steps)])[0].id


def tabulate(options: argparse.Namespace) -> None:
    result: dict[str, Any] = {
        "command": "python -m benchmarks.judge_skill table",
        "commit": subprocess.check_output(["git", "rev-parse", "--short", "HEAD"], text=True).strip(),
        "split": "by question, seeded: half to calibrate (half of it fits, half certifies), half to report",
        "runs": {},
    }
    for panel in ("model-free", "embedded"):
        path = options.work / f"{panel}.db"
        if not path.is_file():
            continue
        ledger = Ledger(f"sqlite:///{path}")
        for run in ledger.runs():
            rows = [r for r in ledger.rows(run) if r.outcome is not None and r.label is not None]
            deliberations = (d for trace, _, _ in ledger.traces(run) for d in ledger.deliberations(run, trace.id))
            judged_steps = [JudgedStep(d.case.claims, d.opinions) for d in deliberations]
            results = one_run(rows, run.panel) | {
                "economy": economy(judged_steps, run.panel),
                "finished": run.finished is not None,
            }
            result["runs"][f"{panel} on {run.name}"] = results
            show(f"{panel} on {run.name}", results)
    options.out.write_text(json.dumps(result, indent=1) + "\n", "utf-8")


def one_run(rows: Sequence[StepRow], panel: Panel) -> dict[str, Any]:
    """Return the measures of one run: on all labelled steps, and calibrated on the reported half."""
    questions = sorted({r.question_id for r in rows})
    random.Random(1).shuffle(questions)
    first = set(questions[: len(questions) // 2])
    fitting = [r for r in rows if r.question_id in first]
    reported = [r for r in rows if r.question_id not in first]
    every = score(rows)
    out: dict[str, Any] = {
        "steps": every.steps,
        "questions": every.questions,
        "errors": round(every.error_share * every.steps),
        "systems": {s.system: score_row(s) for s in every.systems},
        "reported half": {s.system: score_row(s) for s in score(reported).systems if s.system == JURY},
    }
    for alpha in (0.1, 0.2):
        try:
            calibrator = calibrate(fitting, panel, alpha_supported=alpha, alpha_error=alpha)
        except NotEnoughLabelsError as few:
            out[f"calibrated, alpha {alpha}"] = {"note": str(few)}
            continue
        (jury,) = (s for s in score(apply(calibrator, reported)).systems if s.system == JURY)
        out[f"calibrated, alpha {alpha}"] = score_row(jury) | {
            "supported": calibrator.supported.note,
            "error": calibrator.error.note,
        }
    return out


def apply(calibrator: Calibrator, rows: Iterable[StepRow]) -> list[StepRow]:
    """Return the rows as the calibrated panel would have left them."""
    out = []
    for row in rows:
        before = Verdict.model_construct(outcome=row.outcome, route=row.route, reason=row.reason, citations=())
        after = calibrator.apply(before, row.opinions)
        out.append(row.model_copy(update={"outcome": after.outcome, "confidence": after.confidence}))
    return out


def score_row(score: SystemScore) -> dict[str, Any]:
    named = {"coverage", "accuracy", "balanced_accuracy", "auroc", "kappa", "first_error_accuracy", "detection_f1"}
    chances = {"balanced_accuracy": 0.5, "auroc": 0.5, "kappa": 0.0}
    columns = {k: getattr(score, k).model_dump() for k in sorted(named)}
    low = {k: columns[k]["low"] for k in chances}
    high = {k: columns[k]["high"] for k in chances}
    above = [k for k, chance in chances.items() if low[k] is not None and low[k] > chance]
    below = [k for k, chance in chances.items() if high[k] is not None and high[k] < chance]
    return {"decided": score.decided, "failed": score.failed, **columns, "above chance": above, "below chance": below}


def show(title: str, results: dict[str, Any]) -> None:
    print(f"\n{title}: {results['steps']} steps of {results['questions']} questions, {results['errors']} errors")
    rows = {**results["systems"], **{k: v for k, v in results.items() if k.startswith("calibrated")}}
    for name, row in rows.items():
        if "decided" not in row:
            print(f"  {name}: {row['note']}")
            continue
        print(f"  {name:24} decided {row['decided']:5}  " + "  ".join(f"{k} {span(row[k])}" for k in SHOWN_COLUMNS))
        for outcome in ("supported", "error"):
            if outcome in row:
                print(f"      {outcome}: {row[outcome]}")


SHOWN_COLUMNS = ("coverage", "accuracy", "balanced_accuracy", "auroc", "kappa")


def span(estimate: dict[str, Any]) -> str:
    if estimate["value"] is None:
        return "-"
    ends = "" if estimate["low"] is None else f" [{estimate['low']:.3f}, {estimate['high']:.3f}]"
    return f"{estimate['value']:.3f}{ends}"


if __name__ == "__main__":
    main()
