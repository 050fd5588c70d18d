"""Both back ends on the same model, data and batch: tokens a second, peak memory, loss curves, the ratio.

    python benchmarks/training.py --out benchmarks/results/training          # on a CUDA machine, all cases
    python benchmarks/training.py --out /tmp/t --scale cpu --backends trl    # a minute on a CPU: does it run?

Every case is a process of its own, with a time limit; results are written as they come, so one that breaks costs
nothing but itself. The model is a randomly initialised Qwen3 (nothing is downloaded). `--rows` takes JSON lines of
`{"user": ..., "reply": ...}`, real chains for instance; without it, seeded synthetic text of like length is used.
The SFT modules need only the training stack: put the checkout's `src` on PYTHONPATH, nothing has to be installed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tracejury.training.chat import render
from tracejury.training.recipe import Lora, Recipe, Schedule, Shape, Student
from tracejury.training.rows import SftRow, hash_files, write_json, write_rows
from tracejury.training.weights import make_random_student

SHAPES = {
    "qwen3-0.6b": Shape(
        vocab_size=151_936,
        hidden_size=1024,
        intermediate_size=3072,
        layers=28,
        heads=16,
        kv_heads=8,
        head_dim=128,
        bf16=True,
    ),
    "cpu": Shape(),
}
SCALES = {
    "gpu": {"shape": "qwen3-0.6b", "steps": 30, "max_length": 3072},
    "cpu": {"shape": "cpu", "steps": 6, "max_length": 1024},
}
CASES: dict[str, dict[str, Any]] = {
    # The paper's batch (docs/PROTOCOL.md); one chain a row.
    "chains": {"join": 1, "batch": 2, "accumulation": 8},
    # The same rows a step, but five chains in each reply and all in one batch: fewer, larger kernels.
    "long": {"join": 5, "batch": 16, "accumulation": 1},
    # Short rows gathered into sequences of max_length.
    "packed": {"join": 1, "batch": 2, "accumulation": 1, "packing": True},
}


def main() -> int:
    """Run all cases, or (`case`) one of them in this process."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--rows", type=Path)
    parser.add_argument("--scale", choices=SCALES, default="gpu")
    parser.add_argument("--backends", nargs="+", default=["trl", "unsloth"])
    parser.add_argument("--cases", nargs="+", default=list(CASES), choices=CASES)
    parser.add_argument("--steps", type=int)
    parser.add_argument(
        "--deadline", type=float, default=3600.0, help="seconds for everything; later cases are skipped"
    )
    parser.add_argument("--limit", type=float, default=600.0, help="seconds for one case")
    parser.add_argument("--commit", default=None, help="recorded where the checkout has no repository")
    parser.add_argument("--one", nargs=2, metavar=("CASE", "BACKEND"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    work = Path(os.environ.get("TRACEJURY_BENCH_WORK", given.out / "work"))
    steps = given.steps or SCALES[given.scale]["steps"]
    if given.one:
        return run_one(work, given.one[0], given.one[1], given.scale, steps)
    started = time.monotonic()
    given.out.mkdir(parents=True, exist_ok=True)
    make_inputs(work, given.rows, given.scale, given.cases, steps)
    results: list[dict[str, Any]] = []
    for case in given.cases:
        for backend in given.backends:
            left = given.deadline - (time.monotonic() - started)
            results.append(run_apart(work, case, backend, given, min(given.limit, left)))
            summarise(given, work, results)
    print(table(results))
    return 0 if all(r["status"] == "done" for r in results) else 2


def make_inputs(work: Path, rows: Path | None, scale: str, cases: Sequence[str], steps: int) -> None:
    """Write one corpus a case, all with the same random student."""
    pairs = read_pairs(rows) if rows else synthetic_pairs(800)
    student_folder = work / "student"
    shape = SHAPES[SCALES[scale]["shape"]]
    make_random_student(student_folder, shape, (f"{u}\n{r}" for u, r in pairs))
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(student_folder)
    student = Student(model="random", think="empty")
    for case in cases:
        settings = CASES[case]
        folder = work / case / "corpus"
        folder.mkdir(parents=True, exist_ok=True)
        join = settings["join"]
        wanted = steps * settings["batch"] * settings["accumulation"] * (8 if settings.get("packing") else 1)
        made = []
        for i in range(wanted):
            picked = [pairs[(i * join + j) % len(pairs)] for j in range(join)]
            text = render(tokenizer, student, picked[0][0], "\n\n".join(reply for _, reply in picked))
            made.append(SftRow(id=str(i), question_id=str(i), prompt=text.prompt, completion=text.completion))
        write_rows(folder / "train.jsonl", made)
        write_rows(folder / "heldout.jsonl", [])
        digest = hash_files([folder / "train.jsonl", folder / "heldout.jsonl"])
        write_json(folder / "manifest.json", {"data_sha256": digest})


def read_pairs(path: Path) -> list[tuple[str, str]]:
    lines = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())
    return [(line["user"], line["reply"]) for line in lines]


def synthetic_pairs(count: int) -> list[tuple[str, str]]:
    rng = random.Random(0)
    words = ["".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=rng.randint(2, 9))) for _ in range(4000)]

    def text(n: int) -> str:
        return " ".join(rng.choices(words, k=n))

    return [(text(rng.randint(80, 200)), text(rng.randint(60, 260))) for _ in range(count)]


def run_one(work: Path, case: str, backend: str, scale: str, steps: int) -> int:
    """Train one case in this process, through the very function that `tracejury student train` calls."""
    from tracejury.training.sft import train

    settings = {k: v for k, v in CASES[case].items() if k != "join"}
    recipe = Recipe(
        name=f"{case}-{backend}",
        student=Student(model="random", think="empty"),
        lora=Lora(),
        schedule=Schedule(
            **settings, max_steps=steps, max_length=SCALES[scale]["max_length"], learning_rate=2e-4, save_every=10**6
        ),
    )
    train(
        recipe,
        work / case / "corpus",
        work / case / backend,
        backend=backend,
        weights=str(work / "student"),
        report=lambda step, total, logs: print(step, total, logs.get("loss"), flush=True) if "loss" in logs else None,
    )
    return 0


def run_apart(work: Path, case: str, backend: str, given: argparse.Namespace, limit: float) -> dict[str, Any]:
    """Run one case in a process of its own and read what it left."""
    result: dict[str, Any] = {"case": case, "backend": backend}
    if limit < 30:
        return result | {"status": "skipped: no time left"}
    log = work / f"{case}-{backend}.log"
    command = [sys.executable, __file__, "--out", str(given.out), "--scale", given.scale, "--one", case, backend]
    command += ["--steps", str(given.steps)] if given.steps else []
    with log.open("w", encoding="utf-8") as out:
        try:
            done = subprocess.run(
                command,
                stdout=out,
                stderr=subprocess.STDOUT,
                timeout=limit,
                env=os.environ | {"TRACEJURY_BENCH_WORK": str(work)},
            )
        except subprocess.TimeoutExpired:
            return result | {"status": f"stopped after {limit:.0f} s"}
    if done.returncode:
        return result | {"status": f"exit {done.returncode}", "tail": log.read_text(encoding="utf-8")[-3000:]}
    folder = work / case / backend
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    timed = json.loads((folder / "steps.json").read_text(encoding="utf-8"))
    history = [json.loads(line) for line in (folder / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    kept = (
        "steps",
        "loss",
        "first_step_s",
        "precision",
        "tokens_an_epoch",
        "versions",
        "hardware",
        "data_sha256",
        "weights",
    )
    memory = {k: v for k, v in manifest.items() if k.endswith("_gib")}
    return result | {
        "status": "done",
        **{k: manifest[k] for k in kept},
        **memory,
        **speed(timed["seconds"], timed["tokens"]),
        "losses": [h["loss"] for h in history if "loss" in h],
        "settings": manifest["recipe"]["schedule"] | {"lora": manifest["recipe"]["lora"]},
    }


def speed(seconds: list[float], tokens: list[int], warmup: int = 3) -> dict[str, Any]:
    """Return tokens a second after the warm-up, with a 95 % bootstrap interval over steps."""
    steps = list(zip(seconds[warmup:], tokens[warmup:], strict=True))
    if not steps or not sum(tokens):
        return {"tokens_per_s": None, "tokens_per_s_95": None, "seconds": seconds, "tokens": tokens}
    rng = random.Random(0)
    drawn = sorted(_rate(rng.choices(steps, k=len(steps))) for _ in range(2000))
    return {
        "tokens_per_s": round(_rate(steps)),
        "tokens_per_s_95": [round(drawn[50]), round(drawn[1949])],
        "median_step_s": round(statistics.median(s for s, _ in steps), 4),
        "seconds": [round(s, 4) for s in seconds],
        "tokens": tokens,
    }


def _rate(steps: Sequence[tuple[float, int]]) -> float:
    return sum(t for _, t in steps) / sum(s for s, _ in steps)


def summarise(given: argparse.Namespace, work: Path, results: list[dict[str, Any]]) -> None:
    """Write what is known so far: JSON, and the loss curves of each case as a picture."""
    from tracejury.training.machine import commit
    from tracejury.training.plots import plot_losses

    content = {
        "command": "python benchmarks/training.py " + " ".join(sys.argv[1:]),
        "commit": given.commit or commit(),
        "when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "model": SHAPES[SCALES[given.scale]["shape"]].model_dump(),
        "rows": given.rows.name if given.rows else "synthetic",
        "results": results,
        "ratios": ratios(results),
    }
    write_json(given.out / "training.json", content)
    for case in {r["case"] for r in results if r["status"] == "done"}:
        done = [r["backend"] for r in results if r["case"] == case and r["status"] == "done"]
        plot_losses({b: work / case / b / "log.jsonl" for b in done}, given.out / f"training-{case}.png")


def ratios(results: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Return Unsloth over TRL by case: speed, memory, and how far the loss curves lie apart."""
    found: dict[str, dict[str, float]] = {}
    by = {(r["case"], r["backend"]): r for r in results if r["status"] == "done"}
    for case in {case for case, _ in by}:
        mine, plain = by.get((case, "unsloth")), by.get((case, "trl"))
        if not mine or not plain:
            continue
        gaps = [abs(a - b) for a, b in zip(mine["losses"], plain["losses"], strict=False)]
        found[case] = {"largest_loss_gap": round(max(gaps), 4), "last_loss_gap": round(gaps[-1], 4)}
        if mine["tokens_per_s"] and plain["tokens_per_s"]:
            found[case]["speed"] = round(mine["tokens_per_s"] / plain["tokens_per_s"], 3)
        if "gpu_allocated_gib" in mine:
            found[case]["memory"] = round(mine["gpu_allocated_gib"] / plain["gpu_allocated_gib"], 3)
    return found


def table(results: list[dict[str, Any]]) -> str:
    lines = [
        f"{'case':8} {'backend':8} {'tokens/s':>9} {'95 %':>17} {'peak GiB':>9} {'loss':>15} {'first s':>8}  status"
    ]
    for r in results:
        if r["status"] != "done":
            lines.append(f"{r['case']:8} {r['backend']:8} {'':62} {r['status']}")
            lines += [r["tail"][-1500:]] if "tail" in r else []
            continue
        memory = r.get("gpu_allocated_gib", r.get("resident_gib"))
        lines.append(
            f"{r['case']:8} {r['backend']:8} {r['tokens_per_s'] or 0:9} {r['tokens_per_s_95']!s:>17} {memory:9.2f} "
            f"{r['losses'][0]:7.3f}>{r['losses'][-1]:7.3f} {r['first_step_s']:8.2f}  done"
        )
    return "\n".join([*lines, json.dumps(ratios(results))])


if __name__ == "__main__":
    sys.exit(main())
