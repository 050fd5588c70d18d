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

_WORDS = {
    "sqlite": (
        # Contentless: the words are indexed, the text itself stands in the trace already.
        "CREATE VIRTUAL TABLE IF NOT EXISTS trace_words USING fts5(words, content='', tokenize='unicode61')",
    ),
    "postgresql": (
        "CREATE TABLE IF NOT EXISTS trace_words (n INTEGER PRIMARY KEY, words tsvector NOT NULL)",
        "CREATE INDEX IF NOT EXISTS trace_words_index ON trace_words USING gin (words)",
    ),
}
_PUT_WORDS = {
    "sqlite": text("INSERT INTO trace_words (rowid, words) VALUES (:n, :words)"),
    "postgresql": text("INSERT INTO trace_words (n, words) VALUES (:n, to_tsvector('simple', :words))"),
}
_MATCHES = {
    "sqlite": "tally.n IN (SELECT rowid FROM trace_words WHERE trace_words MATCH :words)",
    "postgresql": "tally.n IN (SELECT n FROM trace_words WHERE words @@ to_tsquery('simple', :words))",
}
_POSTGRES_WORDS = 900_000
"""Characters; a tsvector holds at most 1 MB."""


def create_word_index(connection: Connection) -> None:
    """Create the full-text index, which SQLAlchemy's metadata cannot express."""
    for statement in _WORDS[connection.dialect.name]:
        connection.execute(text(statement))


def add_trace(connection: Connection, row: dict[str, Any], question: Question, trace: Trace) -> None:
    """Insert the tally of a new trace, and index the words of the trace and of its question."""
    shared = ("run_id", "question_id", "model", "arm", "sample", "steps")
    values = {name: row[name] for name in shared} | {"trace_id": row["id"], "correct": row["answer_correct"]}
    values["answered"] = row["answer"] is not None
    n = connection.execute(insert(tally).values(values).returning(tally.c.n)).scalar_one()
    words = " \n".join((question.key, question.stem, *question.options.values(), trace.text))
    dialect = connection.dialect.name
    if dialect == "postgresql":
        words = words[:_POSTGRES_WORDS].replace("\0", " ")
    connection.execute(_PUT_WORDS[dialect], {"n": n, "words": words})


def add_deliberation(connection: Connection, run_id: str, deliberation: Deliberation) -> None:
    """Update the tally of the step's trace, and record which evidence its verdict rests on."""
    connection.execute(_TALLY, {"of_run": run_id, "of_trace": deliberation.step.trace_id})
    add_cited_evidence(connection, run_id, deliberation)


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
    parts = search.split()
    if dialect == "sqlite":
        quoted = ['"' + part.replace('"', '""') + '"' for part in parts if any(c.isalnum() for c in part)]
        return (_MATCHES[dialect], " ".join(quoted) + "*") if quoted else None
    plain = ["".join(c if c.isalnum() else " " for c in part).split() for part in parts]
    lexemes = [word for words in plain for word in words]
    return (_MATCHES[dialect], " & ".join(lexemes) + ":*") if lexemes else None


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
