"""Trainer callbacks: progress, step times, a log that survives a kill, marks on whole checkpoints."""

from __future__ import annotations

import json
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from transformers import PrinterCallback, ProgressCallback, TrainerCallback

from tracejury.storage import replacing_file

Report = Callable[[int, int, dict[str, float]], None]
"""Receives (step, number of steps, the latest figures)."""

WHOLE = "whole.json"
"""Written into a checkpoint after everything else: a checkpoint without it was interrupted."""


class AddToCheckpoint(TrainerCallback):  # type: ignore[misc]
    """Adds a file to every checkpoint. It must stand before `Watch`, which marks the checkpoint as whole."""

    def __init__(self, folder: Path, save_state: Callable[[Path], None]) -> None:
        self.folder = folder
        self.save_state = save_state

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Call `save_state` with the checkpoint's folder."""
        if state.is_world_process_zero:
            self.save_state(self.folder / "checkpoints" / f"checkpoint-{state.global_step}")


class Watch(TrainerCallback):  # type: ignore[misc]
    """Times every step, reports progress, and marks a checkpoint as whole once all of it is on disk."""

    def __init__(self, folder: Path, report: Report | None = None) -> None:
        self.folder = folder
        self.report = report
        self.seconds: list[float] = []
        self.tokens: list[int] = []
        self._started = 0.0
        self._seen = 0

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Start from the checkpoint's token count."""
        self._seen = int(state.num_input_tokens_seen)

    def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Start the clock."""
        synchronize()
        self._started = time.perf_counter()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Stop the clock."""
        synchronize()
        self.seconds.append(time.perf_counter() - self._started)
        total_tokens = int(state.num_input_tokens_seen)
        self.tokens.append(total_tokens - self._seen)
        self._seen = total_tokens

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float] | None = None, **_: Any) -> None:
        """Rewrite the whole history, which after a resume continues the checkpoint's."""
        if not state.is_world_process_zero:
            return
        write_log(self.folder / "log.jsonl", state.log_history)
        if self.report and logs:
            self.report(int(state.global_step), int(state.max_steps), dict(logs))

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Mark the checkpoint of this step."""
        if not state.is_world_process_zero:
            return
        checkpoint = self.folder / "checkpoints" / f"checkpoint-{state.global_step}"
        (checkpoint / WHOLE).write_text(json.dumps({"step": state.global_step}), encoding="utf-8")

    def speed(self) -> dict[str, float | None]:
        """Return tokens per second without the first step, which compiles and warms up, and step times in seconds."""
        rest, tokens = sum(self.seconds[1:]), sum(self.tokens[1:])
        return {
            "tokens_per_s": round(tokens / rest, 1) if rest and tokens else None,
            "first_step_s": round(self.seconds[0], 3) if self.seconds else None,
            "median_step_s": round(sorted(self.seconds[1:])[len(self.seconds[1:]) // 2], 4) if rest else None,
            "tokens": float(sum(self.tokens)),
        }


def without_printing(trainer: Any) -> Any:
    """Return the trainer without the callbacks that print every logged step to standard output."""
    for printing in (PrinterCallback, ProgressCallback):
        trainer.remove_callback(printing)
    return trainer


def write_log(path: Path, history: list[dict[str, Any]]) -> None:
    """Write the trainer's history as JSON lines, atomically."""
    with replacing_file(path) as partial:
        partial.write_text("".join(json.dumps(entry) + "\n" for entry in history), encoding="utf-8")


def last_whole_checkpoint(folder: Path) -> tuple[Path | None, list[Path]]:
    """Return the newest whole checkpoint, and those that a kill left incomplete."""
    checkpoints = sorted(folder.glob("checkpoint-*"), key=lambda p: int(p.name.rsplit("-", 1)[-1]))
    whole = [p for p in checkpoints if (p / WHOLE).is_file()]
    return (whole[-1] if whole else None), [p for p in checkpoints if not (p / WHOLE).is_file()]


def synchronize() -> None:
    """Wait for the GPU, so that timings measure the work and not its launch."""
    import torch

    if torch.cuda.is_available():
        torch.cuda.synchronize()


def peak_memory() -> dict[str, float]:
    """Return peak memory in GiB: allocated and reserved on a GPU, resident on a CPU."""
    import torch

    if torch.cuda.is_available():
        return {
            "gpu_allocated_gib": round(torch.cuda.max_memory_allocated() / 2**30, 3),
            "gpu_reserved_gib": round(torch.cuda.max_memory_reserved() / 2**30, 3),
        }
    return {"resident_gib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 3)}
