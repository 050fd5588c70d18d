"""Lists of steps hold what the exported rows say, in one order, on SQLite and on Postgres; notes stay with steps."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from made_ledger import demo_pairs, make_run

from tracejury.agents import Grade, Outcome, Reason
from tracejury.ledger import (
    Browsing,
    Ledger,
    Notes,
    Run,
    StepFilter,
    StepKey,
    StepLists,
    StepRow,
    TraceFilter,
)
from tracejury.ledger.step_lists import PAGE
from tracejury.traces import ErrorType


@pytest.fixture(scope="module")
def run(ledger: Ledger) -> Run:
    make_run(ledger, demo_pairs()[:2], name="other")
    return make_run(ledger, demo_pairs()[2:])


@pytest.fixture(scope="module")
def rows(ledger: Ledger, run: Run) -> list[StepRow]:
    order = [trace.id for _, trace in demo_pairs()[2:]]
    return sorted(ledger.rows(run), key=lambda r: (order.index(r.trace_id), r.step_index))


def label_of(row: StepRow, judge: str) -> str | None:
    return next((o.label for o in row.opinions if o.judge == judge), None)


CASES: dict[str, tuple[dict[str, object], Callable[[StepRow], object]]] = {
    "all": ({}, lambda r: True),
    "error": ({"outcome": "error"}, lambda r: r.claim and r.outcome is Outcome.ERROR),
    "no claim": ({"outcome": "no_claim"}, lambda r: not r.claim),
    "type": ({"error_type": "factual"}, lambda r: r.error_type is ErrorType.FACTUAL),
    "reason": ({"reason": "no_majority"}, lambda r: r.reason is Reason.NO_MAJORITY),
    "grade": ({"grade": "full"}, lambda r: r.evidence is Grade.FULL),
    "arm": ({"arm": "base"}, lambda r: r.arm == "base"),
    "resolver": ({"resolver": True}, lambda r: r.resolver is not None),
    "judge": ({"judge": "facts", "label": "error"}, lambda r: label_of(r, "facts") == "error"),
    "against": (
        {"judge": "safety", "label": "against"},
        lambda r: {label_of(r, "safety"), r.outcome} == {"supported", "error"},
    ),
    "words": ({"words": "POTASSIUM"}, lambda r: "potassium" in r.step_text.lower()),
    "a word begun": ({"words": "potassi"}, lambda r: "potassium" in r.step_text.lower()),
    "words and arm": (
        {"words": "the", "arm": "distilled", "outcome": "error"},
        lambda r: (
            re.search(r"\bthe\b", r.step_text.lower()) and r.arm == "distilled" and r.outcome == "error" and r.claim
        ),
    ),
    "no words": ({"words": "!!!"}, lambda r: False),
}


@pytest.mark.parametrize("case", CASES)
def test_a_list_holds_the_rows_that_fit_in_one_order(case: str, ledger: Ledger, run: Run, rows: list[StepRow]) -> None:
    parameters, fits = CASES[case]
    expected = [StepKey(r.trace_id, r.step_index) for r in rows if fits(r)]
    lists, step_filter = StepLists(ledger), StepFilter.model_validate(parameters)
    shown: list[StepKey] = []
    more, page = True, 0
    while more:
        page += 1
        result = lists.page(run, step_filter.model_copy(update={"page": page}))
        shown += [StepKey(line.deliberation.step.trace_id, line.deliberation.step.index) for line in result.lines]
        more = result.more
        assert result.total == len(expected) or not result.lines
    assert shown == expected
    assert page == max(1, -(-len(expected) // PAGE))
    assert case == "no words" or expected
    for at, key in enumerate(expected[:3]):
        before, after = lists.around(run, step_filter, key)
        assert before == (expected[at - 1] if at else None)
        assert after == (expected[at + 1] if at + 1 < len(expected) else None)


@pytest.mark.parametrize("words", ['"', "a\0b", "NOT", "words:the", "the*", "(the", "^the", "-the", "'' & !", "🧠"])
def test_any_text_can_be_searched_for(ledger: Ledger, run: Run, words: str) -> None:
    assert StepLists(ledger).page(run, StepFilter(words=words)).total >= 0
    assert Browsing(ledger).traces(run, TraceFilter(words=words)).total >= 0


def test_verdicts_are_counted_by_trace(ledger: Ledger, run: Run, rows: list[StepRow]) -> None:
    verdicts = [verdict for trace in Browsing(ledger).verdicts(run) for verdict in trace.steps]
    assert len(verdicts) == len(rows)
    assert sum(v.grade == "full" for v in verdicts) == sum(r.evidence is Grade.FULL for r in rows)
    expected = sum(r.majority_outcome is Outcome.ERROR for r in rows)
    assert sum(v.majority_outcome == "error" for v in verdicts) == expected


def test_a_note_stays_with_its_step_until_it_is_emptied(ledger: Ledger, run: Run, rows: list[StepRow]) -> None:
    notes, step = Notes(ledger), rows[0].step_id
    notes.save(run, step, "first")
    notes.save(run, step, "read again:\ndose is right")
    assert [(n.step_id, n.text) for n in notes.in_run(run)] == [(step, "read again:\ndose is right")]
    assert notes.in_run(ledger.run("other")) == []
    notes.save(run, step, "  ")
    assert notes.of(run, step) is None
