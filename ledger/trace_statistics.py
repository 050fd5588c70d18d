"""Tables that the viewer's pages read, updated with every commit: one tally per trace, cited evidence, words.

A page over a million steps must not parse a million deliberations. So the counts that pages filter and sort by are
stored per trace, and the text of traces goes into the database's own full-text index (FTS5, or a Postgres tsvector).
"""

from __future__ import annotations

from enum import StrEnum
from functools import reduce
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    bindparam,
    case,
    func,
    insert,
    literal,
    select,
    text,
    tuple_,
    update,
)

from tracejury.agents import Deliberation, Outcome, Reason
from tracejury.ledger.tables import carried, deliberation_table, evidence, tally
from tracejury.retrieval import Passage
from tracejury.storage import insert_new
from tracejury.traces import ErrorType, Question, Trace

SPENT = ("calls", "prompt_tokens", "cached_tokens", "completion_tokens")

_WORD_INDEXES = {"trace_words": "INTEGER", "step_words": "BIGINT"}
"""Index of words -> the type of its row numbers on Postgres."""
_CREATE = {
    "sqlite": (
        # Contentless: the words are indexed, the text itself stands in the trace already.
        "CREATE VIRTUAL TABLE IF NOT EXISTS {name} USING fts5(words, content='', tokenize='unicode61')",
    ),
    "postgresql": (
        "CREATE TABLE IF NOT EXISTS {name} (n {number} PRIMARY KEY, words tsvector NOT NULL)",
        "CREATE INDEX IF NOT EXISTS {name}_index ON {name} USING gin (words)",
    ),
}
_PUT = {
    "sqlite": "INSERT INTO {name} (rowid, words) VALUES (:n, :words)",
    "postgresql": "INSERT INTO {name} (n, words) VALUES (:n, to_tsvector('simple', :words)) ON CONFLICT DO NOTHING",
}
PUT_WORDS = {
    (dialect, name): text(statement.format(name=name)) for dialect, statement in _PUT.items() for name in _WORD_INDEXES
}
_FOUND = {
    "sqlite": "SELECT rowid FROM {name} WHERE {name} MATCH :words",
    "postgresql": "SELECT n FROM {name} WHERE words @@ to_tsquery('simple', :words)",
}
STEPS_A_TRACE = 1 << 20
"""A step stands in its index of words under its trace's number in `tally` times this, plus its place in the trace."""
_POSTGRES_WORDS = 900_000
"""Characters; a tsvector holds at most 1 MB."""


def create_word_indexes(connection: Connection) -> None:
    """Create the full-text indexes, which SQLAlchemy's metadata cannot express."""
    for name, number in _WORD_INDEXES.items():
        for statement in _CREATE[connection.dialect.name]:
            connection.execute(text(statement.format(name=name, number=number)))


def add_trace(connection: Connection, row: dict[str, Any], question: Question, trace: Trace) -> None:
    """Insert the tally of a new trace, and index the words of the trace and of its question."""
    shared = ("run_id", "question_id", "model", "arm", "sample", "steps")
    values = {name: row[name] for name in shared} | {"trace_id": row["id"], "correct": row["answer_correct"]}
    values["answered"] = row["answer"] is not None
    n = connection.execute(insert(tally).values(values).returning(tally.c.n)).scalar_one()
    words = " \n".join((question.key, question.stem, *question.options.values(), trace.text))
    _put_words(connection, "trace_words", n, words)


def add_deliberation(connection: Connection, run_id: str, deliberation: Deliberation, *, again: bool) -> None:
    """Update the tally of the step's trace, index the step's words, and record which evidence its verdict rests on.

    Args:
        connection: An open transaction.
        run_id: The run.
        deliberation: It has just been written.
        again: The step had failed before, so that its words are indexed already.
    """
    connection.execute(_TALLY, {"of_run": run_id, "of_trace": deliberation.step.trace_id})
    add_cited_evidence(connection, run_id, deliberation)
    if not again:
        add_step_words(connection, run_id, deliberation)


def add_step_words(connection: Connection, run_id: str, deliberation: Deliberation) -> None:
    """Index the words of a step; a trace has at most `STEPS_A_TRACE` steps that can be searched for."""
    step = deliberation.step
    n = connection.execute(_NUMBER, {"of_run": run_id, "of_trace": step.trace_id}).scalar()
    if n is not None and step.index < STEPS_A_TRACE:
        _put_words(connection, "step_words", n * STEPS_A_TRACE + step.index, step.text)


def _put_words(connection: Connection, name: str, n: int, words: str) -> None:
    dialect = connection.dialect.name
    if dialect == "postgresql":
        words = words[:_POSTGRES_WORDS].replace("\0", " ")
    connection.execute(PUT_WORDS[dialect, name], {"n": n, "words": words})


def add_cited_evidence(connection: Connection, run_id: str, deliberation: Deliberation) -> None:
    """Record which evidence a verdict rests on."""
    cited = {c.evidence_id: c for c in deliberation.verdict.citations}
    if not cited:
        return
    passages = _passages(deliberation)
    dialect = connection.dialect.name
    connection.execute(
        insert_new(dialect, evidence),
        [
            {
                "run_id": run_id,
                "id": name,
                "source": c.source,
                "citation": c.citation,
                "body": passages[name].model_dump_json() if name in passages else "",
            }
            for name, c in cited.items()
        ],
    )
    connection.execute(
        insert_new(dialect, carried),
        [
            {
                "run_id": run_id,
                "evidence_id": name,
                "step_id": deliberation.step.id,
                "trace_id": deliberation.step.trace_id,
                "step_index": deliberation.step.index,
                "outcome": deliberation.verdict.outcome.value,
            }
            for name in cited
        ],
    )


def recount_tallies(connection: Connection, run_id: str) -> None:
    """Recompute all tallies of a run, after deliberations were written in bulk."""
    connection.execute(_TALLY_ALL, {"of_run": run_id})


def has_name(column: Any, name: StrEnum) -> ColumnElement[bool]:
    """Return the condition that `name` is among the names that a column holds."""
    condition: ColumnElement[bool] = column.contains(f"|{name.value}|", autoescape=True)
    return condition


def matches(dialect: str, search: str) -> tuple[str, str] | None:
    """Return (SQL condition on `tally` with the parameter `words`, its value) for a user's search words.

    All words must occur, the last one perhaps only begun; quotes and operators are words like others.
    """
    words = _search_words(dialect, search)
    return (f"tally.n IN ({_FOUND[dialect].format(name='trace_words')})", words) if words else None


def matches_steps(dialect: str, search: str) -> tuple[str, str] | None:
    """Return (SQL query for the numbers of the steps with the parameter `words`, its value) for search words."""
    words = _search_words(dialect, search)
    return (_FOUND[dialect].format(name="step_words"), words) if words else None


def _search_words(dialect: str, search: str) -> str | None:
    parts = search.split()
    if dialect == "sqlite":
        quoted = ['"' + part.replace('"', '""') + '"' for part in parts if any(c.isalnum() for c in part)]
        return " ".join(quoted) + "*" if quoted else None
    plain = ["".join(c if c.isalnum() else " " for c in part).split() for part in parts]
    lexemes = [word for words in plain for word in words]
    return " & ".join(lexemes) + ":*" if lexemes else None


def _passages(deliberation: Deliberation) -> dict[str, Passage]:
    passages = deliberation.case.passages if deliberation.case else ()
    return {p.id: p for p in (*passages, *deliberation.further_passages)}


def _counts() -> dict[str, Any]:
    """Return the tally's columns as aggregates over a trace's deliberations."""
    d = deliberation_table.c

    def count(condition: Any) -> Any:
        return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)

    def names(column: Any, members: type[StrEnum], condition: Any) -> Any:
        parts: list[Any] = [
            func.coalesce(func.max(case((condition & (column == name.value), f"{name.value}|"), else_="")), "")
            for name in members
        ]
        return literal("|").concat(reduce(lambda text, part: text.concat(part), parts))

    no_verdict = d.outcome.in_([Outcome.ABSTAINED.value, Outcome.FAILED.value])
    return {
        "judged": func.count(),
        **{o.value: count(d.claim & (d.outcome == o.value)) for o in Outcome},
        "no_claim": count(~d.claim),
        "disagreements": count(d.disagreement),
        "resolved": count(d.resolver),
        "first_error": func.min(case((d.outcome == Outcome.ERROR.value, d.step_index))),
        "error_type_names": names(d.error_type, ErrorType, d.outcome == Outcome.ERROR.value),
        "reason_names": names(d.reason, Reason, no_verdict),
        **{name: func.coalesce(func.sum(d[name]), 0) for name in SPENT},
        "cost_usd": func.coalesce(func.sum(d.cost_usd), 0.0),
        "committed": func.max(d.committed),
    }


def _tally() -> Any:
    counts = _counts()
    d = deliberation_table.c
    mine = select(*counts.values()).where(d.run_id == tally.c.run_id, d.trace_id == tally.c.trace_id)
    changed = {tuple_(*(tally.c[name] for name in counts)): mine.scalar_subquery()}
    return update(tally).where(tally.c.run_id == bindparam("of_run")).values(changed)


_TALLY_ALL = _tally()
_TALLY = _TALLY_ALL.where(tally.c.trace_id == bindparam("of_trace"))
_NUMBER = select(tally.c.n).where(tally.c.run_id == bindparam("of_run"), tally.c.trace_id == bindparam("of_trace"))
