"""Controls as arms: does the main result stand when one thing about the protocol is changed?

A control either looks at the same verdicts or opinions in another way (`reanalyse`), or has the traces judged again
under a changed panel (`rejudge`), which makes a run of its own, named RUN@CONTROL.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Literal, NamedTuple

import numpy as np
from pydantic import JsonValue, model_validator

from tracejury.configs.loading import ConfigKind, open_config, shipped_names
from tracejury.reports.columns import Bools, Columns
from tracejury.reports.comparison import Direction, direction_of
from tracejury.reports.differences import Settings, paired_rates
from tracejury.reports.estimates import Estimate
from tracejury.reports.fewer_judges import recount, voting
from tracejury.reports.sides import pair
from tracejury.traces import Record

Analysis = Literal["answer_correct", "question_weighted", "leave_one_out", "judge_family", "benchmark"]


class Rejudge(Record):
    """How the traces are judged again. Exactly one field is set."""

    panel: dict[str, JsonValue] | None = None
    """Fields of the run's own panel to change."""
    whole_panel: str | None = None
    """Another panel."""
    rewrite: Literal["tone-swap"] | None = None
    """The traces are rewritten first; the panel stays."""

    @model_validator(mode="after")
    def _one(self) -> Rejudge:
        if sum(value is not None for value in (self.panel, self.whole_panel, self.rewrite)) != 1:
            raise ValueError("give exactly one of panel, whole_panel and rewrite")
        return self


class Control(Record):
    """One control, as its YAML file says it."""

    name: str
    title: str
    rejudge: Rejudge | None = None
    reanalyse: Analysis | None = None

    @model_validator(mode="after")
    def _one(self) -> Control:
        if (self.rejudge is None) == (self.reanalyse is None):
            raise ValueError("give either rejudge or reanalyse")
        return self


class ControlRow(Record):
    """One line of the robustness table."""

    control: str
    detail: str
    """Which judge, family or benchmark; empty where there is one way only."""
    questions: int
    difference: Estimate | None
    """Of step error rates, in shares; None: not to be had."""
    direction: Direction | None
    """`none`: the interval holds 0. None: no difference to be had."""
    same_direction: bool | None
    """As the main result; None: no difference to be had, or the main result has none."""
    coverage: tuple[float, float] | None
    note: str
    """Why there is no figure, and the command that makes one."""


CONTROLS = ConfigKind("controls", "control")


def load_controls(names: tuple[str, ...] = ()) -> list[Control]:
    """Read the controls called `names`, shipped ones or YAML files; all shipped ones where none is named.

    Raises:
        ValueError: There is no such control, or its file is wrong; the message names file and line.
    """
    opened = (open_config(CONTROLS, name) for name in names or shipped_names(CONTROLS))
    return [file.record(Control, {"name": file.path.stem}) for file in opened]


class Pairing(NamedTuple):
    """What a control looks at."""

    control: Control
    columns: Columns
    before: int
    """Code of the baseline arm."""
    after: int
    settings: Settings


def reanalyses(of: Pairing) -> list[ControlRow]:
    """Return the rows of a control that needs no new verdicts."""
    assert of.control.reanalyse is not None  # noqa: S101 - the caller picks those
    return list(_ANALYSES[of.control.reanalyse](of))


def row(of: Pairing, detail: str = "", mask: Bools | None = None, weighted: bool = False) -> ControlRow:
    """Return the line of one re-analysis: the steps in `mask`, or all; `weighted` by question."""
    sides = pair(of.columns, of.before, of.after, mask)
    difference = paired_rates(sides, of.settings)
    if difference is None:
        return missing(of.control, "no question has verdicts on both sides", detail)
    estimate = difference.by_question if weighted else difference.difference
    decided, claims = (np.array([side[:, :k].sum() for side in sides[:2]]) for k in (2, 4))
    share = decided / np.maximum(claims, 1)
    return ControlRow(
        control=of.control.title,
        detail=detail,
        questions=difference.questions,
        difference=estimate,
        direction=direction_of(estimate),
        same_direction=None,
        coverage=(float(share[0]), float(share[1])),
        note="",
    )


def missing(control: Control, why: str, detail: str = "") -> ControlRow:
    """Return the line of a control without a figure."""
    return ControlRow(
        control=control.title, detail=detail, questions=0, difference=None, direction=None, same_direction=None,
        coverage=None, note=why,
    )  # fmt: skip


def _answer_correct(of: Pairing) -> Iterator[ControlRow]:
    yield row(of, mask=of.columns.traces["correct"][of.columns.steps["trace"]] == 1)


def _question_weighted(of: Pairing) -> Iterator[ControlRow]:
    yield row(of, weighted=True)


def _leave_one_out(of: Pairing) -> Iterator[ControlRow]:
    judges = voting(of.columns)
    if len(judges) < 2:
        yield missing(of.control, "the panel has one voting judge")
        return
    yield _by(of, judges, "all, without the resolver")
    for judge in judges:
        yield _by(of, [j for j in judges if j != judge], f"without {of.columns.judges[judge][0]}")


def _judge_family(of: Pairing) -> Iterator[ControlRow]:
    families: dict[str, list[int]] = {}
    for judge in voting(of.columns):
        name, model = of.columns.judges[judge]
        families.setdefault(model or f"no model ({name})", []).append(judge)
    if len(families) < 2:
        yield missing(of.control, "all judges are of one family")
        return
    for family, judges in sorted(families.items()):
        yield _by(of, judges, family)


def _by(of: Pairing, judges: list[int], detail: str) -> ControlRow:
    return row(of._replace(columns=of.columns.with_kinds(recount(of.columns, judges))), detail)


def _benchmark(of: Pairing) -> Iterator[ControlRow]:
    source = of.columns.traces["source"][of.columns.steps["trace"]]
    codes = np.unique(source)
    if len(codes) < 2:
        yield missing(of.control, "all questions are of one benchmark; adjudicate others into a run of their own")
        return
    for code in codes:
        yield row(of, of.columns.sources[code] or "unnamed", source == code)


_ANALYSES: Mapping[Analysis, Callable[[Pairing], Iterator[ControlRow]]] = {
    "answer_correct": _answer_correct,
    "question_weighted": _question_weighted,
    "leave_one_out": _leave_one_out,
    "judge_family": _judge_family,
    "benchmark": _benchmark,
}
