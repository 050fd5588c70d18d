"""What pages over a million steps ask is answered from indexes: no query goes through a table, none sorts its hits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from made_ledger import demo_pairs, make_run
from sqlalchemy import event

from tracejury.ledger import Browsing, Ledger, StepBrowsing, StepFilter, StepKey, StepLists, TraceFilter
from tracejury.ledger.browsing import Sort

LARGE = ("deliberation", "trace", "d", "t")
"""Tables with a row a step or a trace, whose rows hold whole records."""


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    ledger = Ledger(f"sqlite:///{tmp_path_factory.mktemp('plans')}/ledger.db")
    make_run(ledger, demo_pairs()[:4])
    yield ledger
    ledger.close()


@contextmanager
def queries(ledger: Ledger) -> Iterator[list[tuple[str, Any]]]:
    """Collect the statements that the database is asked."""
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
        asked.append((statement, parameters))

    event.listen(ledger.engine, "before_cursor_execute", note)
    yield asked
    event.remove(ledger.engine, "before_cursor_execute", note)


def plans(ledger: Ledger, ask: Callable[[], object]) -> list[str]:
    """Return each line of the plans of what `ask` asks."""
    with queries(ledger) as asked:
        ask()
    with ledger.engine.connect() as connection:
        return [
            row[3]
            for statement, parameters in asked
            if statement.lstrip().startswith(("SELECT", "WITH"))
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        ]


@pytest.mark.parametrize(
    "step_filter",
    [
        StepFilter(),
        StepFilter(error_type="unsafe_management", grade="full"),
        StepFilter(words="potassium insu", arm="distilled", outcome="error"),
        StepFilter(judge="facts", label="against", disagreement=True),
    ],
    ids=["all", "rare facet", "words and facets", "votes"],
)
def test_a_list_of_steps_reads_one_index_in_its_order(ledger: Ledger, step_filter: StepFilter) -> None:
    run, lists = ledger.run("made"), StepLists(ledger)
    trace_id = Browsing(ledger).traces(run, TraceFilter()).lines[1].trace_id
    asks: list[Callable[[], object]] = [
        lambda: lists.page(run, step_filter),
        lambda: lists.around(run, step_filter, StepKey(trace_id, 1)),
        lambda: lists.in_trace(run, step_filter, trace_id),
    ]
    lines = [line for ask in asks for line in plans(ledger, ask)]
    scans = [line for line in lines if line.startswith("SCAN ")]
    assert scans
    # `M`: by a full-text match; anything else of the index would be gone through entry by entry.
    assert all(
        "VIRTUAL TABLE INDEX" in line and "M" in line.rsplit(":", 1)[1] for line in scans if "step_search" in line
    )
    assert not [line for line in scans if line.split()[1] in LARGE]
    assert not [line for line in lines if "TEMP B-TREE" in line]
    read = [line for line in lines if line.startswith("SEARCH deliberation ")]
    assert all("trace_id=? AND step_index=?" in line for line in read), "each step is looked up by itself"


def test_a_range_of_steps_is_looked_up_and_not_read_through(ledger: Ledger) -> None:
    run = ledger.run("made")
    trace_id = Browsing(ledger).traces(run, TraceFilter()).lines[1].trace_id
    lines = plans(ledger, lambda: StepLists(ledger).in_trace(run, StepFilter(words="the"), trace_id))
    assert any("step_search" in line and ">" in line and "<" in line for line in lines)


def test_the_verdicts_come_from_one_covering_index(ledger: Ledger) -> None:
    opened = ledger.run("made")
    lines = plans(ledger, lambda: list(Browsing(ledger).verdicts(opened)))
    assert any("COVERING INDEX deliberation_by_trace" in line for line in lines)
    assert not [line for line in lines if "TEMP B-TREE" in line]


def test_patterns_of_votes_and_references_come_from_covering_indexes(ledger: Ledger) -> None:
    opened, steps = ledger.run("made"), StepBrowsing(ledger)
    assert any("COVERING INDEX deliberation_by_votes" in line for line in plans(ledger, lambda: steps.patterns(opened)))
    assert any("COVERING INDEX carried_by_evidence" in line for line in plans(ledger, lambda: steps.references(opened)))


@pytest.mark.parametrize(
    ("sort", "index"),
    [
        ("errors", "tally_by_error"),
        ("abstained", "tally_by_abstained"),
        ("disagreements", "tally_by_disagreements"),
        ("steps", "tally_by_steps"),
        ("cost", "tally_by_cost_usd"),
    ],
)
def test_a_sorted_list_of_traces_reads_one_page_of_an_index(ledger: Ledger, sort: Sort, index: str) -> None:
    opened = ledger.run("made")
    lines = plans(ledger, lambda: Browsing(ledger).traces(opened, TraceFilter(sort=sort, page=1)))
    assert f"SCAN tally USING COVERING INDEX {index}" in lines
