"""Unsloth against plain TRL where the GPU is the limit and not the host: an 8B-shaped model, packed rows, in A B B A.

    python benchmarks/gpu_ratio.py --out benchmarks/results/gpu-ratio              # on a CUDA machine: 9 minutes
    python benchmarks/gpu_ratio.py --shape cpu --backends trl --out /tmp/ratio     # does it run? under a minute

Weights are random and made on the spot, so nothing is downloaded. Each cell is a process of its own, goes through
`load` and `trainer_arguments` of `tracejury student train`, and is timed after its warm-up; its last steps are
profiled and not timed. A cell whose GPU was busy for less than 70 % of the profiled time is the host's speed, and
makes no ratio.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tracejury.training.backends import load, prepare
from tracejury.training.recipe import Lora, Recipe, Schedule, Shape, Student
from tracejury.training.rows import write_json
from tracejury.training.sft import trainer_arguments
from tracejury.training.weights import make_random_student

SHAPES = {
    "8b": Shape(
        vocab_size=151_936,
        hidden_size=4096,
        intermediate_size=12_288,
        layers=36,
        heads=32,
        kv_heads=8,
        head_dim=128,
        tied=False,
        bf16=True,
    ),
    "cpu": Shape(),
}
WARM_UP, TIMED, PROFILED = 2, 4, 1
STEPS = WARM_UP + TIMED + PROFILED
BUSY = 0.7
"""Share of the profiled time from which on a cell says something about the GPU."""
PEAK_FLOPS = 989e12
"""Dense bf16 of an H100 SXM, from its data sheet; for the model-FLOPs utilisation only."""


def main() -> int:
    """Run all cells, or one of them in this process."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--work", type=Path, default=Path("/tmp/tracejury-gpu-ratio"))
    parser.add_argument("--shape", choices=SHAPES, default="8b")
    parser.add_argument("--backends", nargs="+", default=["trl", "unsloth"])
    parser.add_argument("--deadline-s", type=float, default=540)
    parser.add_argument("--commit", default="")
    parser.add_argument("--cell", nargs=2, metavar=("BACKEND", "RESULT"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    weights = given.work / given.shape
    if given.cell:
        backend, result = given.cell
        write_json(Path(result), time_cell(weights, given.shape, backend, given.work / "cell"))
        return 0
    began = time.monotonic()
    if not (weights / "config.json").is_file():
        make_weights(weights, SHAPES[given.shape])
    print(f"weights after {time.monotonic() - began:.0f} s", flush=True)
    cells: list[dict[str, Any]] = []
    for number, backend in enumerate([*given.backends, *reversed(given.backends)]):
        left = given.deadline_s - (time.monotonic() - began)
        cells.append(run_apart(given, backend, given.work / f"cell-{number}.json", left))
        print(json.dumps(cells[-1]), flush=True)
        summary = {"commit": given.commit, "shape": given.shape, "cells": cells, "ratio": ratio(cells)}
        given.out.mkdir(parents=True, exist_ok=True)
        write_json(given.out / "gpu-ratio.json", summary)
    print(json.dumps(ratio(cells)))
    return 0


def make_weights(folder: Path, shape: Shape) -> None:
    """Write a randomly initialised Qwen3 of `shape`, made on the GPU where there is one."""
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    with torch.device(device):
        make_random_student(folder, shape, ["A few words from which a byte-level vocabulary is made."])


def run_apart(given: argparse.Namespace, backend: str, result: Path, limit_s: float) -> dict[str, Any]:
    """Time one cell in a process of its own; say so where there is no time left or it breaks."""
    if limit_s < 60:
        return {"backend": backend, "status": "skipped: no time left"}
    command = [sys.executable, __file__, "--out", str(given.out), "--work", str(given.work), "--shape", given.shape]
    try:
        finished = subprocess.run(
            [*command, "--cell", backend, str(result)], timeout=limit_s, capture_output=True, text=True
        )
    except subprocess.TimeoutExpired:
        return {"backend": backend, "status": f"stopped after {limit_s:.0f} s"}
    if finished.returncode:
        return {"backend": backend, "status": f"exit {finished.returncode}", "tail": finished.stderr[-2000:]}
    return dict(json.loads(result.read_text("utf-8")))


def time_cell(weights: Path, shape: str, backend: str, out: Path) -> dict[str, Any]:
    """Train `STEPS` steps on packed rows; return tokens a second, busy share, peak memory and losses."""
    prepare(backend, out / "compiled")  # type: ignore[arg-type]
    import torch
    from datasets import Dataset
    from transformers import TrainerCallback
    from trl import SFTConfig, SFTTrainer

    small = shape == "cpu"
    length, batch = (256, 2) if small else (3072, 8)
    schedule = Schedule(batch=batch, accumulation=1, packing=True, max_steps=STEPS, max_length=length, save_every=10**6)
    recipe = Recipe(name="ratio", student=Student(model="random"), schedule=schedule, lora=Lora())
    loaded = load(recipe, str(weights), backend)  # type: ignore[arg-type]
    cuda = torch.cuda.is_available()

    class Clock(TrainerCallback):  # type: ignore[misc]
        def __init__(self) -> None:
            self.seconds: list[float] = []
            self.tokens: list[int] = []
            self.busy: float | None = None
            self._tokens_before = 0
            self._profile: Any = None

        def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            _synchronise(cuda)
            self._started = time.perf_counter()
            if cuda and state.global_step == STEPS - PROFILED:
                self._profile = torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA])
                self._profile.__enter__()
                self._profile_started = self._started

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            _synchronise(cuda)
            now = time.perf_counter()
            self.seconds.append(now - self._started)
            self.tokens.append(int(state.num_input_tokens_seen) - self._tokens_before)
            self._tokens_before = int(state.num_input_tokens_seen)
            if self._profile is not None and state.global_step == STEPS:
                self._profile.__exit__(None, None, None)
                kernels = sum(getattr(e, "self_device_time_total", 0) for e in self._profile.key_averages())
                self.busy = kernels / 1e6 / (now - self._profile_started)

    clock = Clock()
    trainer = SFTTrainer(
        model=loaded.model,
        args=SFTConfig(**trainer_arguments(recipe, out, backend, False)),  # type: ignore[arg-type]
        train_dataset=Dataset.from_list(_rows(length, batch, SHAPES[shape].vocab_size)),
        processing_class=loaded.tokenizer,
        callbacks=[clock],
    )
    trainer.train()
    timed = list(zip(clock.seconds, clock.tokens, strict=True))[WARM_UP : WARM_UP + TIMED]
    tokens_per_s = sum(tokens for _, tokens in timed) / sum(seconds for seconds, _ in timed)
    named = loaded.model.named_parameters()
    weights_read = sum(p.numel() for name, p in named if "lora" not in name and "embed" not in name)
    return {
        "backend": backend,
        "status": "done",
        "tokens_per_s": round(tokens_per_s),
        "median_step_s": round(statistics.median(seconds for seconds, _ in timed), 4),
        "seconds": [round(s, 3) for s in clock.seconds],
        "gpu_busy": clock.busy and round(clock.busy, 3),
        "model_flops_share": round(6 * weights_read * tokens_per_s / PEAK_FLOPS, 4),
        "peak_gib": round(torch.cuda.max_memory_allocated() / 2**30, 2) if cuda else None,
        "losses": [round(entry["loss"], 4) for entry in trainer.state.log_history if "loss" in entry],
        "device": torch.cuda.get_device_name() if cuda else "cpu",
        "versions": _versions(),
    }


def ratio(cells: list[dict[str, Any]]) -> dict[str, Any]:
    """Return Unsloth's speed and memory over TRL's, or why there is none."""
    finished = [c for c in cells if c["status"] == "done"]
    by_backend = {b: [c for c in finished if c["backend"] == b] for b in ("unsloth", "trl")}
    if not all(by_backend.values()):
        return {"speed": None, "note": "a back end has no finished cell"}
    if any((c["gpu_busy"] or 0) < BUSY for c in finished):
        return {"speed": None, "note": f"a cell kept the GPU busy for less than {BUSY:.0%}: the host's speed"}
    mean = {b: statistics.mean(c["tokens_per_s"] for c in by_backend[b]) for b in by_backend}
    pairs = [
        u["tokens_per_s"] / t["tokens_per_s"] for u, t in zip(by_backend["unsloth"], by_backend["trl"], strict=False)
    ]
    peak = {b: max(c["peak_gib"] for c in by_backend[b]) for b in by_backend}
    return {
        "speed": round(mean["unsloth"] / mean["trl"], 3),
        "pairs": [round(p, 3) for p in pairs],
        "memory": round(peak["unsloth"] / peak["trl"], 3),
    }


def _rows(length: int, batch: int, vocabulary: int) -> list[dict[str, list[int]]]:
    """Return random token rows of uneven length, enough for every step once packed; 45 % are the completion."""
    draw = random.Random(0)
    rows: list[dict[str, list[int]]] = []
    tokens_left = STEPS * batch * length * 2
    while tokens_left > 0:
        size = min(length, int(length / 5 * draw.uniform(0.6, 1.4)))
        ids = [draw.randrange(300, vocabulary - 1) for _ in range(size)]
        prompt = int(size * 0.55)
        rows.append({"input_ids": ids, "labels": [-100] * prompt + ids[prompt:]})
        tokens_left -= size
    return rows


def _synchronise(cuda: bool) -> None:
    if cuda:
        import torch

        torch.cuda.synchronize()


def _versions() -> dict[str, str]:
    from importlib.metadata import PackageNotFoundError, version

    versions = {}
    for package in ("torch", "transformers", "trl", "peft", "unsloth"):
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return versions


if __name__ == "__main__":
    sys.exit(main())
