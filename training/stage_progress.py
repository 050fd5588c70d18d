"""How far an experiment has come: which stage of how many, and what of it is done. A display reads it at any time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tracejury.graphs import RunTally


@dataclass
class StageProgress:
    """The stage that an experiment is in.

    `str()` of it is one line, such as `(4 of 8) train: 20 of 104, ETA 00:01:20, loss 0.21`.
    """

    stage: str = ""
    number: int = 0
    stages: int = 0
    done: int = 0
    total: int | None = None
    note: str = ""
    tally: RunTally | None = None
    """Of an adjudication, which counts for itself."""
    clock: Callable[[], float] = time.monotonic
    _first: tuple[int, float] | None = field(default=None, init=False)
    """What of the stage was done at its first report, and when: a resumed stage has its pace from there."""

    def begin(self, stage: str, number: int, stages: int) -> None:
        """Enter a stage; nothing of it is done."""
        self.stage, self.number, self.stages = stage, number, stages
        self.done, self.total, self.note, self.tally, self._first = 0, None, "", None, None

    def update(self, done: int, total: int, note: str = "") -> None:
        """Set how much of the stage is done, and a note."""
        self.done, self.total, self.note = done, total, note
        self._first = self._first or (done, self.clock())

    def training_step(self, step: int, total: int, metrics: dict[str, float]) -> None:
        """Set the step of a training and its loss; what a trainer logs without a loss leaves the note as it is."""
        self.update(step, total, f"loss {metrics['loss']:.3f}" if "loss" in metrics else self.note)

    def __str__(self) -> str:
        """Return the state as one line."""
        if not self.stage:
            return "reading recipes, panel and questions"
        done, total, note = self.done, self.total, self.note
        first, since = self._first or (0, 0.0)
        if self.tally is not None:
            done, total = self.tally.traces + self.tally.resumed, self.tally.traces_total
            first, since = self.tally.resumed, self.tally.started
            note = f"{self.tally.steps:,} steps judged"
        counted = f"{done:,} of {total:,}" if total is not None else "beginning"
        pace = (self.clock() - since) / (done - first) if done > first else None
        left = "" if pace is None or total is None else f"ETA {_hours(pace * (total - done))}"
        parts = (f"({self.number} of {self.stages}) {self.stage}: {counted}", left, note)
        return ", ".join(part for part in parts if part)


def _hours(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest:02}"
