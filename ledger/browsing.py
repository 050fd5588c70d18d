"""Pages of a run's traces: filtered, searched and sorted, by arm and by question.

Every query reads the narrow tally table, never the deliberations' bodies, so its cost does not
depend on the length of what judges wrote.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, reduce
from typing import Any, Literal, NamedTuple

from pydantic import Field
from sqlalchemy import ColumnElement, Connection, and_, case, false, func, select

from tracejury.agents import Outcome, Reason
from tracejury.ledger.reader import LedgerReading
from tracejury.ledger.runs import Run, RunProgress
from tracejury.ledger.stored_records import read_stored
from tracejury.ledger.tables import deliberation_table, question_table, tally
from tracejury.ledger.trace_statistics import SPENT, has_name
from tracejury.ledger.word_index import traces_matching
from tracejury.traces import ErrorType, Question, Record

PAGE = 50
_UNREADABLE = "(the stored question cannot be read)"
COUNTS = ("supported", "error", "abstained", "failed", "no_claim")
"""Columns that count steps, in the order of the reports."""

Sort = Literal["order", "errors", "abstained", "disagreements", "first_error", "steps", "cost"]
Answer = Literal["right", "wrong", "unparsable"]


class TraceFilter(Record):
    """Which traces to show, and in which order. Conditions are joined by `and`."""

    words: str = ""
    """All must occur in question or trace, or: the beginning of a trace's or question's id."""
    arm: str | None = None
    model: str | None = None
    outcome: Outcome | Literal["no_claim", "none"] | None = None
    """At least one step has this outcome; `none`: no step of the trace has been judged, or it has no step."""
    error_type: ErrorType | None = None
    reason: Reason | None = None
    """Why no verdict was reached on at least one step."""
    answer: Answer | None = None
    disagreement: bool = False
    resolver: bool = False
    flawed: bool = False
    """The answer is right and at least one step is wrong."""
    sort: Sort = "order"
    page: int = Field(default=1, ge=1, lt=2**31)


class TraceLine(NamedTuple):
    """A trace in a list."""

    trace_id: str
    question_id: str
    question_key: str
    """The source's own name of the question, or its id."""
    stem: str
    model: str
    arm: str
    sample: int
    correct: bool | None
    steps: int
    judged: int
    supported: int
    error: int
    abstained: int
    failed: int
    no_claim: int
    disagreements: int
    resolved: int
    first_error: int | None
    calls: int
    cost_usd: float


class TracePage(NamedTuple):
    """One page of a list of traces."""

    lines: list[TraceLine]
    total: int
    page: int
    pages: int


class ArmCount(NamedTuple):
    """Counts of one arm and model."""

    arm: str
    model: str
    traces: int
    graded: int
    right: int
    flawed: int
    """Right answers with at least one wrong step."""
    judged: int
    supported: int
    error: int
    abstained: int
    failed: int
    no_claim: int
    disagreements: int
    resolved: int


class StepVerdict(NamedTuple):
    """What comparisons count of a step."""

    outcome: str
    claim: bool
    majority_outcome: str | None
    """None where the run did not keep it."""
    grade: str | None
    error_type: str | None


class TraceVerdicts(NamedTuple):
    """A trace's answer, and the verdicts on its steps, in no order; equal ones are one object."""

    question_id: str
    arm: str
    correct: bool | None
    steps: tuple[StepVerdict, ...]


_SORTS: dict[str, tuple[Any, ...]] = {
    "order": (),
    "errors": (tally.c.error.desc(),),
    "abstained": (tally.c.abstained.desc(),),
    "disagreements": (tally.c.disagreements.desc(),),
    "first_error": (tally.c.first_error.is_(None), tally.c.first_error),
    "steps": (tally.c.steps.desc(),),
    "cost": (tally.c.cost_usd.desc(),),
}


class Browsing:
    """Pages of a ledger."""

    def __init__(self, ledger: LedgerReading) -> None:
        self.ledger = ledger
        self.engine = ledger.engine

    def progress(self, run: Run) -> RunProgress:
        """Count a run's steps and traces as `Ledger.progress` does, from the tallies alone."""
        c = tally.c
        closed = func.count().filter(c.judged - c.failed == c.steps)
        empty = func.count().filter(c.steps == 0)
        sums = [func.coalesce(func.sum(c[name]), 0) for name in (*COUNTS, *SPENT, "cost_usd")]
        query = select(func.count(), closed, empty, *sums).where(c.run_id == run.id)
        with self.engine.connect() as connection:
            row = connection.execute(query).one()
        outcomes = dict(zip(COUNTS, (int(n) for n in row[3:8]), strict=True))
        return RunProgress(
            run=run, traces=row[0], closed=row[1], empty=row[2], no_claim=outcomes.pop("no_claim"), outcomes=outcomes,
            calls=row[8], prompt_tokens=row[9], cached_tokens=row[10], completion_tokens=row[11],
            cost_usd=float(row[12]),
        )  # fmt: skip

    def recent_commits(self, run: Run) -> list[str]:
        """Return when the last 50 traces were written to, the latest first (ISO 8601, UTC)."""
        c = tally.c
        query = select(c.committed).where(c.run_id == run.id, c.judged > 0).order_by(c.committed.desc()).limit(50)
        with self.engine.connect() as connection:
            return [str(time) for time in connection.scalars(query)]

    def arms(self, run: Run) -> list[ArmCount]:
        """Count traces, answers and steps by arm and model."""
        c = tally.c
        sums = [func.coalesce(func.sum(c[name]), 0) for name in ("judged", *COUNTS, "disagreements", "resolved")]
        graded = func.count(c.correct)
        right = func.count().filter(c.correct.is_(True))
        flawed = func.count().filter(c.correct.is_(True), c.error > 0)
        query = (
            select(c.arm, c.model, func.count(), graded, right, flawed, *sums)
            .where(c.run_id == run.id)
            .group_by(c.arm, c.model)
            .order_by(c.arm, c.model)
        )
        with self.engine.connect() as connection:
            return [ArmCount(*row) for row in connection.execute(query)]

    def by_question(self, run: Run) -> list[tuple[Any, ...]]:
        """Return (arm, question id, graded, right, counts of steps...) for every arm and question."""
        c = tally.c
        right = func.count().filter(c.correct.is_(True))
        sums = (func.sum(c[name]) for name in COUNTS)
        query = (
            select(c.arm, c.question_id, func.count(c.correct), right, *sums)
            .where(c.run_id == run.id)
            .group_by(c.arm, c.question_id)
        )
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(query)]

    def verdicts(self, run: Run) -> Iterator[TraceVerdicts]:
        """Stream the verdicts on every trace's steps, in the order of the run.

        The database joins the verdicts on a trace to one text, from one covering index, so that a million steps are
        100,000 rows.
        """
        c = tally.c
        texts = select(func.aggregate_strings(_VERDICT, " ")).where(*_SAME_TRACE).scalar_subquery()
        query = select(c.question_id, c.arm, c.correct, texts).where(c.run_id == run.id).order_by(c.n)
        verdict_of = cache(_read_verdict)
        with self.engine.connect() as connection:
            for question_id, arm, correct, verdicts in connection.execution_options(yield_per=1000).execute(query):
                yield TraceVerdicts(question_id, arm, correct, tuple(map(verdict_of, (verdicts or "").split())))

    def traces(self, run: Run, trace_filter: TraceFilter) -> TracePage:
        """Return one page of the traces that pass the filter; a page past the end is the last one."""
        with self.engine.connect() as connection:
            condition = _condition(connection, run, trace_filter)
            # Sorting numbers first and reading rows then: the sort would carry whole rows otherwise.
            # All traces: an expression that no index has, so that SQLite takes the index of the sort and stops early.
            unfiltered = trace_filter.model_copy(update={"sort": "order", "page": 1}) == TraceFilter()
            listed = tally.c.run_id.concat("") == run.id if unfiltered else condition
            chosen = select(tally.c.n).where(listed).order_by(*_SORTS[trace_filter.sort], tally.c.n).limit(PAGE)
            page, total = max(1, trace_filter.page), 0
            numbers: list[int] = []
            # Sorted hits and found words are gone through whole, so that one query gives both the page and the count.
            at_once = not unfiltered and (bool(trace_filter.words) or trace_filter.sort != "order")
            if at_once:
                both = chosen.add_columns(func.count().over()).offset(PAGE * (page - 1))
                ranked = connection.execute(both).all()
                numbers, total = [n for n, _ in ranked], ranked[0][1] if ranked else 0
            if not numbers and (page > 1 or not at_once):
                total = connection.scalar(select(func.count()).select_from(tally).where(condition)) or 0
                page = min(page, max(1, -(-total // PAGE)))
                numbers = list(connection.scalars(chosen.offset(PAGE * (page - 1)))) if total else []
            pages = max(1, -(-total // PAGE))
            rows = connection.execute(
                select(tally).where(tally.c.n.in_(numbers)).order_by(*_SORTS[trace_filter.sort], tally.c.n)
            ).all()
            questions = _questions(connection, {row.question_id for row in rows})
        return TracePage([_line(row, questions) for row in rows], total, page, pages)

    def siblings(self, run: Run, question_id: str) -> list[TraceLine]:
        """Return all traces of one question: arms, models and samples."""
        c = tally.c
        query = select(tally).where(c.run_id == run.id, c.question_id == question_id)
        with self.engine.connect() as connection:
            rows = connection.execute(query.order_by(c.arm, c.model, c.sample).limit(400)).all()
            questions = _questions(connection, {question_id})
        return [_line(row, questions) for row in rows]

    def neighbours(self, run: Run, trace_id: str) -> tuple[str | None, str | None]:
        """Return the ids of the traces before and after one, in the order of the run."""
        c = tally.c
        mine = c.run_id == run.id
        with self.engine.connect() as connection:
            n = connection.execute(select(c.n).where(mine, c.trace_id == trace_id)).scalar_one()
            before = select(c.trace_id).where(mine, c.n < n).order_by(c.n.desc()).limit(1)
            after = select(c.trace_id).where(mine, c.n > n).order_by(c.n).limit(1)
            return connection.execute(before).scalar(), connection.execute(after).scalar()


_SAME_TRACE = (deliberation_table.c.run_id == tally.c.run_id, deliberation_table.c.trace_id == tally.c.trace_id)
_VERDICT = reduce(
    lambda joined, part: joined.concat("|").concat(part),
    (
        deliberation_table.c.outcome,
        case((deliberation_table.c.claim, "claim"), else_=""),
        *(func.coalesce(deliberation_table.c[name], "") for name in ("majority_outcome", "grade", "error_type")),
    ),
)
"""A `StepVerdict` as text; no name of an enum has a space or a bar."""


def _read_verdict(text: str) -> StepVerdict:
    outcome, claim, *others = text.split("|")
    return StepVerdict(outcome, claim == "claim", *(other or None for other in others))


_ANSWERS: dict[str, ColumnElement[bool]] = {
    "right": tally.c.correct.is_(True),
    "wrong": tally.c.correct.is_(False),
    "unparsable": tally.c.answered.is_(False),
}


def _questions(connection: Any, ids: set[str]) -> dict[str, Question]:
    rows = connection.execute(select(question_table.c.id, question_table.c.body).where(question_table.c.id.in_(ids)))
    questions = ((row.id, read_stored(Question, row.body, f"question {row.id}")) for row in rows)
    return {id_: question for id_, question in questions if question is not None}


def _line(row: Any, questions: dict[str, Question]) -> TraceLine:
    question = questions.get(row.question_id)
    key, stem = (question.key or question.id, question.stem) if question else (row.question_id, _UNREADABLE)
    return TraceLine(
        row.trace_id, row.question_id, key, stem, row.model, row.arm, row.sample, row.correct,
        row.steps, row.judged, row.supported, row.error, row.abstained, row.failed, row.no_claim,
        row.disagreements, row.resolved, row.first_error, row.calls, row.cost_usd,
    )  # fmt: skip


def _condition(connection: Connection, run: Run, trace_filter: TraceFilter) -> ColumnElement[bool]:
    """Return the condition that a trace's tally passes the filter."""
    c = tally.c
    conditions: list[ColumnElement[bool]] = [c.run_id == run.id]
    if trace_filter.words.strip():
        conditions.append(_words(connection, trace_filter.words.strip()))
    if trace_filter.arm is not None:
        conditions.append(c.arm == trace_filter.arm)
    if trace_filter.model is not None:
        conditions.append(c.model == trace_filter.model)
    if trace_filter.outcome == "none":
        conditions.append(c.judged == 0)
    elif trace_filter.outcome is not None:
        conditions.append(c[str(trace_filter.outcome)] > 0)
    if trace_filter.error_type is not None:
        conditions.append(has_name(c.error_type_names, trace_filter.error_type))
    if trace_filter.reason is not None:
        conditions.append(has_name(c.reason_names, trace_filter.reason))
    if trace_filter.answer is not None:
        conditions.append(_ANSWERS[trace_filter.answer])
    if trace_filter.disagreement:
        conditions.append(c.disagreements > 0)
    if trace_filter.resolver:
        conditions.append(c.resolved > 0)
    if trace_filter.flawed:
        conditions += [c.correct.is_(True), c.error > 0]
    return and_(*conditions)


def _words(connection: Connection, words: str) -> ColumnElement[bool]:
    if words.startswith(("t_", "q_")):
        column = tally.c.trace_id if words.startswith("t_") else tally.c.question_id
        return column.startswith(words, autoescape=True)
    matching = traces_matching(connection, words)
    return false() if matching is None else tally.c.n.in_(matching)
