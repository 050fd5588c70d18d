"""Tables that the viewer's pages read, updated with every commit: one tally per trace, cited evidence, words.

A page over a million steps must not parse a million deliberations. So the counts that pages filter and sort by are
stored per trace, and the text of traces and steps goes into the database's own full-text index.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    tuple_,
    update,
)

from tracejury.agents import Deliberation, Outcome, Reason
from tracejury.ledger.tables import carried, deliberation_table, evidence, tally
from tracejury.ledger.word_index import (
    STEPS_A_TRACE,
    StepEntry,
    put_steps,
    put_trace_words,
    remove_step,
    step_facets,
)
from tracejury.retrieval import Passage
from tracejury.storage import insert_new
from tracejury.traces import ErrorType, Question, Trace

SPENT = ("calls", "prompt_tokens", "cached_tokens", "completion_tokens")


def add_trace(connection: Connection, row: dict[str, Any], question: Question, trace: Trace) -> None:
    """Insert the tally of a new trace, and index the words of the trace and of its question."""
    shared = ("run_id", "question_id", "model", "arm", "sample", "steps")
    values = {name: row[name] for name in shared} | {"trace_id": row["id"], "correct": row["answer_correct"]}
    values["answered"] = row["answer"] is not None
    n = connection.execute(insert(tally).values(values).returning(tally.c.n)).scalar_one()
    words = " \n".join((question.key, question.stem, *question.options.values(), trace.text))
    put_trace_words(connection, n, words)


def add_deliberations(
    connection: Connection,
    written: Sequence[tuple[Mapping[Any, Any], Deliberation]],
    replaced: Mapping[str, Mapping[Any, Any]],
) -> None:
    """Update the tallies of the steps' traces, index the steps, and record which evidence their verdicts rest on.

    Args:
        connection: An open transaction.
        written: Deliberations of a run with their columns, which have just been written.
        replaced: Step id -> the columns of the failed deliberation that stood there before.
    """
    keys = dict.fromkeys((row["run_id"], row["trace_id"]) for row, _ in written)
    bound = {key: {"of_run": key[0], "of_trace": key[1]} for key in keys}
    connection.execute(_TALLY, list(bound.values()))
    traces = {key: connection.execute(_TRACE, values).one() for key, values in bound.items()}
    entries: list[StepEntry] = []
    for row, deliberation in written:
        add_cited_evidence(connection, row["run_id"], deliberation)
        if row["step_index"] < STEPS_A_TRACE:
            trace, words = traces[row["run_id"], row["trace_id"]], deliberation.step.text
            if (before := replaced.get(row["step_id"])) is not None:
                remove_step(connection, _entry(trace, before, words))
            entries.append(_entry(trace, row, words))
    if entries:
        put_steps(connection, entries)


def _entry(trace: Any, row: Mapping[Any, Any], words: str) -> StepEntry:
    facets = step_facets(row["run_id"], trace.arm, trace.model, row)
    return StepEntry(trace.n * STEPS_A_TRACE + row["step_index"], words, facets)


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

    # Not `in_`, whose list is put into the statement anew each time that it runs.
    no_verdict = (d.outcome == Outcome.ABSTAINED.value) | (d.outcome == Outcome.FAILED.value)
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
_TRACE = select(tally.c.n, tally.c.arm, tally.c.model).where(
    tally.c.run_id == bindparam("of_run"), tally.c.trace_id == bindparam("of_trace")
)
