"""Counting what a reader finds: how many of each thing, and how often each field of it is filled."""

from __future__ import annotations

from collections import Counter
from functools import cache

from pydantic import Field

from tracejury.traces.contracts import ReadItem
from tracejury.traces.records import Problem, Question, Record, Severity, Trace


class FieldCount(Record):
    """How often a field is filled, over the records of its kind."""

    record: str
    field: str
    filled: int
    of: int
    values: dict[str, int] = Field(default_factory=dict)
    """The values and how often each stands, where there are few of them."""
    shortest: int | None = None
    """Characters of a text field (or the number of options or steps); empty ones left out."""
    mean: float | None = None
    longest: int | None = None


class BatchSummary(Record):
    """What was found in a batch; counts."""

    questions: int = 0
    traces: int = 0
    problems: int = 0
    unparsable: int = 0
    """Traces whose final answer could not be found, of questions that ask for one."""
    empty: int = 0
    """Traces without text and steps."""
    labelled_steps: int = 0
    arms: dict[str, int] = Field(default_factory=dict)
    models: dict[str, int] = Field(default_factory=dict)


_FEW = 12
_LISTED = (
    "source",
    "split",
    "gold",
    "model",
    "arm",
    "sample",
    "answer",
    "context",
    "finish_reason",
    "label",
    "error_type",
    "meta.reply",
    "meta.marked_correct",
    "meta.clinifact_label",
)
_MEASURED = ("stem", "text", "explanation", "options", "steps")


class ReadTally:
    """Counts what goes by, in memory that does not grow with it."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._arms: Counter[str] = Counter()
        self._models: Counter[str] = Counter()
        self._fields: dict[tuple[str, str], _Column] = {}
        # Questions that ask for no answer (notes, claims): few sets have them.
        self._unasked: set[str] = set()

    def add(self, item: ReadItem) -> None:
        """Count one thing found."""
        match item:
            case Problem():
                self._counts["problems"] += item.severity is not Severity.NOTE
            case Question():
                self._counts["questions"] += 1
                self._record("question", item, ("key",))
                if not item.options and item.gold is None:
                    self._unasked.add(item.id)
            case Trace():
                self._counts["traces"] += 1
                self._arms[item.arm] += 1
                self._models[item.model] += 1
                self._counts["unparsable"] += item.answer is None and item.question_id not in self._unasked
                self._counts["empty"] += not item.text.strip() and not item.steps
                self._counts["labelled_steps"] += sum(s.label is not None for s in item.steps or ())
                self._record("trace", item, ())
                for step in item.steps or ():
                    self._record("given step", step, ())

    def _record(self, kind: str, item: Record, more: tuple[str, ...]) -> None:
        columns = self._fields
        names = _field_names(type(item))
        values = [(name, getattr(item, name)) for name in (*names, *more)]
        values += [(f"meta.{name}", value) for name, value in getattr(item, "meta", {}).items()]
        for name, value in values:
            column = columns.get((kind, name))
            if column is None:
                column = columns[kind, name] = _Column()
            column.add(name, value)

    def summary(self) -> BatchSummary:
        """Return the counts so far."""
        return BatchSummary(**self._counts, arms=self._arms, models=self._models)

    def fields(self) -> list[FieldCount]:
        """Return how often each field is filled, in the order first seen."""
        of = {"question": self._counts["questions"], "trace": self._counts["traces"]}
        return [
            FieldCount(
                record=kind,
                field=name,
                filled=column.filled,
                of=of.get(kind, column.seen),
                values=dict(column.values.most_common()) if name in _LISTED and len(column.values) <= _FEW else {},
                shortest=column.shortest if name in _MEASURED else None,
                mean=column.total / column.filled if name in _MEASURED and column.filled else None,
                longest=column.longest if name in _MEASURED else None,
            )
            for (kind, name), column in self._fields.items()
        ]


@cache
def _field_names(kind: type[Record]) -> tuple[str, ...]:
    """Return the fields of a record but `meta`; pydantic makes the table of fields anew at every look."""
    return tuple(name for name in kind.model_fields if name != "meta")


class _Column:
    def __init__(self) -> None:
        self.seen = self.filled = self.total = self.longest = 0
        self.shortest: int | None = None
        self.values: Counter[str] = Counter()

    def add(self, name: str, value: object) -> None:
        self.seen += 1
        if value is None or (isinstance(value, str | dict | tuple) and not value):
            return
        self.filled += 1
        if name in _MEASURED and isinstance(value, str | dict | tuple):
            self.total += len(value)
            self.longest = max(self.longest, len(value))
            self.shortest = min(self.shortest or len(value), len(value))
        elif name in _LISTED and len(self.values) <= _FEW:
            self.values[str(value)] += 1
