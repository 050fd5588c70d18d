"""Objects of other packages behind the guard that they are called through: readers and segmenters.

A fault is a `PluginError` that names the package. A reader's fault is a `Problem` of the file, and what was read before
it stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from tracejury.traces.contracts import Reader, ReadItem, Segmenter
from tracejury.traces.plugins import Plugin
from tracejury.traces.records import Problem, Question, Segmentation, Trace
from tracejury.traces.time_limits import plugin_time_limit_s

T = TypeVar("T")

READING_LIMIT = 10
"""Readers and sources may take this many times the limit for one item: they open files and ask servers."""


class Guarded:
    """An object of another package; its other attributes are passed through."""

    def __init__(self, instance: Any, plugin: Plugin) -> None:
        self._instance = instance
        self.plugin = plugin
        self.limit_s = plugin_time_limit_s()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._instance, name)

    def call(self, work: Callable[[], T], limit_s: float | None = None) -> T:
        """Return `work()`, under the time limit.

        Raises:
            PluginError: It took too long or raised; the message names the package.
        """
        return self.plugin.call(work, limit_s or self.limit_s)

    def items(self, iterate: Iterable[Any]) -> Iterator[Any]:
        """Yield what `iterate` yields, each item under the time limit for reading."""
        limit_s = READING_LIMIT * self.limit_s
        end = object()
        iterator = self.call(lambda: iter(iterate), limit_s)
        while (item := self.call(lambda: next(iterator, end), limit_s)) is not end:
            yield item


class GuardedReader(Guarded):
    """A reader of another package."""

    def read(self, path: Path) -> Iterator[ReadItem]:
        """Yield what it yields; what is no record, and what it raises, is a problem."""
        unfit = 0
        try:
            records = self.call(lambda: self._instance.read(path), READING_LIMIT * self.limit_s)
            for item in self.items(records):
                if isinstance(item, Question | Trace | Problem):
                    yield item
                    continue
                unfit += 1
                if unfit == 1:
                    reason = f"it yielded {type(item).__name__}, which is no Question, Trace or Problem"
                    yield self._problem(path, str(self.plugin.fault(reason)), "such items are left out")
        except ValueError as fault:
            yield self._problem(path, str(fault), "reading stopped here; what it yielded before stays")
        if unfit > 1:
            yield self._problem(path, f"{self.plugin}: {unfit} items were no records", "they are left out")

    def _problem(self, path: Path, reason: str, hint: str) -> Problem:
        file, line = getattr(self._instance, "file", None), getattr(self._instance, "line", None)
        return Problem(file=str(file or path), line=line if isinstance(line, int) else None, reason=reason, hint=hint)


class GuardedSegmenter(Guarded):
    """A segmenter of another package."""

    def segment(self, trace: Trace) -> Segmentation:
        """Cut `trace`.

        Raises:
            PluginError: It raised, took too long, or its answer is no segmentation of this trace.
        """
        cut = self.call(lambda: self._instance.segment(trace))
        if not isinstance(cut, Segmentation):
            raise self.plugin.fault(f"it returned {type(cut).__name__}, which is no Segmentation")
        for index, step in enumerate(cut.steps):
            if (step.trace_id, step.index) != (trace.id, index):
                raise self.plugin.fault(f"step {index} is numbered {step.index} or belongs to another trace")
            if step.start >= 0 and trace.text[step.start : step.end] != step.text:
                raise self.plugin.fault(f"step {index} is not the trace's text from {step.start} to {step.end}")
        return cut


def guard_reader(reader: Reader, plugin: Plugin) -> Reader:
    """Return the reader behind its guard."""
    guarded: Any = GuardedReader(reader, plugin)
    return guarded  # type: ignore[no-any-return]


def guard_segmenter(segmenter: Segmenter, plugin: Plugin) -> Segmenter:
    """Return the segmenter behind its guard."""
    guarded: Any = GuardedSegmenter(segmenter, plugin)
    return guarded  # type: ignore[no-any-return]
