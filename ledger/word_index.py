"""The full-text indexes: the words of traces, and the words and facets of steps, in FTS5 or in a Postgres tsvector.

A facet of a step (its run, its outcome, what a judge said of it) is a term of the index like a word. So the database
intersects any filter with any words in the order of the steps, and stops after one page.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Connection, Select, column, select, text

from tracejury.agents import Outcome
from tracejury.ledger.votes import read_votes

STEPS_A_TRACE = 1 << 20
"""A step has the number of its trace in `tally` times this, plus its place in the trace."""
FACET_COLUMNS = ("outcome", "claim", "error_type", "reason", "grade", "disagreement", "resolver", "votes")
"""Columns of a deliberation from which a step's facets are derived."""
_POSTGRES_WORDS = 900_000
"""Characters; a tsvector holds at most 1 MB."""

_CREATE = {
    "sqlite": (
        # Contentless: the words are indexed, the text itself stands in the trace already.
        "CREATE VIRTUAL TABLE IF NOT EXISTS trace_words USING fts5(words, content='', tokenize='unicode61')",
        "CREATE VIRTUAL TABLE IF NOT EXISTS step_search USING fts5(words, facets, content='', tokenize='unicode61')",
    ),
    "postgresql": (
        "CREATE TABLE IF NOT EXISTS trace_words (n INTEGER PRIMARY KEY, words tsvector NOT NULL)",
        "CREATE INDEX IF NOT EXISTS trace_words_index ON trace_words USING gin (words)",
        "CREATE TABLE IF NOT EXISTS step_search (n BIGINT PRIMARY KEY, terms tsvector NOT NULL)",
        "CREATE INDEX IF NOT EXISTS step_search_index ON step_search USING gin (terms)",
    ),
}
_PUT_TRACE = {
    "sqlite": text("INSERT INTO trace_words (rowid, words) VALUES (:n, :words)"),
    "postgresql": text(
        "INSERT INTO trace_words (n, words) VALUES (:n, to_tsvector('simple', :words)) ON CONFLICT DO NOTHING"
    ),
}
_PUT_STEP = {
    "sqlite": text("INSERT INTO step_search (rowid, words, facets) VALUES (:n, :words, :facets)"),
    "postgresql": text(
        "INSERT INTO step_search (n, terms)"
        " VALUES (:n, to_tsvector('simple', :words) || array_to_tsvector(string_to_array(:facets, ' ')))"
        " ON CONFLICT DO NOTHING"
    ),
}
_REMOVE_STEP = {
    # An index without content takes the words back that were put in.
    "sqlite": text(
        "INSERT INTO step_search (step_search, rowid, words, facets) VALUES ('delete', :n, :words, :facets)"
    ),
    "postgresql": text("DELETE FROM step_search WHERE n = :n"),
}
_FIND_TRACES = {
    "sqlite": "SELECT rowid AS n FROM trace_words WHERE trace_words MATCH :terms",
    "postgresql": "SELECT n FROM trace_words WHERE words @@ to_tsquery('simple', :terms)",
}
_FIND_STEPS = {
    "sqlite": "SELECT rowid AS n FROM step_search WHERE step_search MATCH :terms",
    "postgresql": (
        "SELECT n FROM step_search WHERE terms @@ (to_tsquery('simple', :words) && CAST(:facets AS tsquery))"
    ),
}


def create_word_indexes(connection: Connection) -> None:
    """Create the full-text indexes, which SQLAlchemy's metadata cannot express."""
    for statement in _CREATE[connection.dialect.name]:
        connection.execute(text(statement))


class StepEntry(NamedTuple):
    """What the index holds of a step."""

    n: int
    """The step's number: see `STEPS_A_TRACE`."""
    words: str
    facets: str
    """Terms, separated by spaces."""


def put_trace_words(connection: Connection, n: int, words: str) -> None:
    """Index the words of the trace with this number in `tally`."""
    connection.execute(_PUT_TRACE[connection.dialect.name], {"n": n, "words": _storable(connection, words)})


def put_steps(connection: Connection, entries: Sequence[StepEntry]) -> None:
    """Index steps."""
    if not entries:
        return
    rows = [entry._replace(words=_storable(connection, entry.words))._asdict() for entry in entries]
    connection.execute(_PUT_STEP[connection.dialect.name], rows)


def remove_step(connection: Connection, entry: StepEntry) -> None:
    """Take a step out of the index again; `entry` is what was put in."""
    connection.execute(_REMOVE_STEP[connection.dialect.name], entry._asdict())


def step_facets(run_id: str, arm: str, model: str, row: Mapping[Any, Any]) -> str:
    """Return the facets of a step.

    Args:
        run_id: The run.
        arm: The arm of the trace.
        model: The model that wrote the trace.
        row: The step's `FACET_COLUMNS`.
    """
    facets = [facet("run", run_id), facet("arm", arm), facet("model", model)]
    facets.append(facet("outcome", row["outcome"] if row["claim"] else "no_claim"))
    facets += [facet(name, row[name]) for name in ("error_type", "reason", "grade") if row[name] is not None]
    facets += [facet(name, "yes") for name in ("disagreement", "resolver") if row[name]]
    for vote in read_votes(row["votes"]):
        labels = [None, vote.label]
        if {vote.label, row["outcome"]} == {Outcome.SUPPORTED.value, Outcome.ERROR.value}:
            labels.append("against")
        facets += [vote_facet(judge, label) for judge in (None, vote.judge) for label in labels]
    return " ".join(dict.fromkeys(facets))


@lru_cache(maxsize=4096)
def facet(name: str, value: str) -> str:
    """Return the term of a facet. No word of a trace equals it: words have no `=`."""
    return "=" + blake2b(f"{name}={value}".encode(), digest_size=8).hexdigest()


def vote_facet(judge: str | None, label: str | None) -> str:
    """Return the term of the steps that a judge gave a label; None: any judge, any label."""
    return facet("vote", f"{judge or ''}|{label or ''}")


def steps_matching(connection: Connection, facets: Sequence[str], words: str = "") -> Select[Any] | None:
    """Return a query for the numbers `n` of the steps with all these facets and words; None: `words` has no word.

    Args:
        connection: A connection to the ledger.
        facets: Terms; at least one.
        words: As a user typed them. Where no step has the last one, steps match that have a word that begins so.
    """
    if connection.dialect.name == "sqlite":
        within = "facets : (" + " AND ".join(f'"{term}"' for term in facets) + ")"
        forms = [{"terms": f"{within} AND words : ({terms})"} for terms in _search_words("sqlite", words)]
        all_steps = {"terms": within}
    else:
        within = " & ".join(f"'{term}'" for term in facets)
        forms = [{"words": terms, "facets": within} for terms in _search_words("postgresql", words)]
        all_steps = {"words": "", "facets": within}
    return _first_with_rows(connection, _FIND_STEPS, forms if words.strip() else [all_steps])


def traces_matching(connection: Connection, words: str) -> Select[Any] | None:
    """Return a query for the numbers `n` of the traces with all these words, as `steps_matching` reads them."""
    forms = [{"terms": terms} for terms in _search_words(connection.dialect.name, words)]
    return _first_with_rows(connection, _FIND_TRACES, forms)


def _first_with_rows(
    connection: Connection, statements: Mapping[str, str], forms: Sequence[Mapping[str, str]]
) -> Select[Any] | None:
    """Return the query of the first form that something matches, else of the last one."""
    statement = text(statements[connection.dialect.name])
    queries = [select(statement.bindparams(**form).columns(column("n", BigInteger)).subquery()) for form in forms]
    for query in queries[:-1]:
        if connection.execute(query.limit(1)).first() is not None:
            return query
    return queries[-1] if queries else None


def _search_words(dialect: str, search: str) -> Iterator[str]:
    """Return a user's words as the database searches them: all as they are, then the last one as a beginning.

    Quotes and operators are words like others. A beginning is looked up only where it must be: the index merges the
    lists of all words that begin so, which takes a second for one letter and a million steps.
    """
    parts = search.replace("\0", " ").split()
    if dialect == "sqlite":
        terms = ['"' + part.replace('"', '""') + '"' for part in parts if any(c.isalnum() for c in part)]
        both, begun = " AND ".join(terms), "*"
    else:
        plain = ["".join(c if c.isalnum() else " " for c in part).split() for part in parts]
        terms = [word for words in plain for word in words]
        both, begun = " & ".join(terms), ":*"
    if terms:
        yield both
        yield both + begun


def _storable(connection: Connection, words: str) -> str:
    return words[:_POSTGRES_WORDS].replace("\0", " ") if connection.dialect.name == "postgresql" else words
