"""What a reader and a segmenter are. Built-ins and strangers' packages register the same way, by entry point."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from tracejury.traces.records import Problem, Question, Segmentation, Trace

ReadItem = Question | Trace | Problem


class Reader(Protocol):
    """Reads one published format. Entry point group `tracejury.readers`; the entry is a factory `(**params) -> Reader`.

    `read` streams: a question comes before the traces that refer to it by `question.id`; what cannot be read is
    yielded as a `Problem` (file, line, reason, next step) and reading goes on.
    """

    name: str
    summary: str
    """One line for `tracejury read --list`."""

    def read(self, path: Path) -> Iterator[ReadItem]:
        """Yield everything found under `path` (a file, or a folder where the format is one)."""
        ...


class Segmenter(Protocol):
    """Cuts a trace into steps. Entry point group `tracejury.segmenters`; the entry is a factory `(**params)`."""

    name: str

    def segment(self, trace: Trace) -> Segmentation:
        """Cut `trace`; a trace without a step gives a segmentation without steps, never an error."""
        ...
