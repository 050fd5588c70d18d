"""Enums are stored by name, and every place that spells their members out has all of them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest
from conftest import ROOT
from made_ledger import demo_pairs, make_run
from sqlalchemy import select, update

from tracejury.agents import Label, Outcome, Reason, Route
from tracejury.agents.replies import WrongAs
from tracejury.agents.truth_table import RESOLUTIONS, STATES
from tracejury.console.wording import WHY
from tracejury.ledger import Browsing, Ledger, TraceFilter
from tracejury.ledger.tables import deliberation_table, tally
from tracejury.traces import ErrorType, Role

COLUMNS = {"outcome": Outcome, "error_type": ErrorType, "route": Route, "reason": Reason, "role": Role}


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    ledger = Ledger(f"sqlite:///{tmp_path}/ledger.db")
    make_run(ledger, demo_pairs()[:6])
    return ledger


def test_what_a_ledger_stores_does_not_depend_on_the_order_of_an_enum(ledger: Ledger) -> None:
    """Columns hold the members' values, which stay when a member is added before them."""
    run = ledger.run("made")
    rows = list(ledger.rows(run))
    with ledger.engine.connect() as connection:
        stored = connection.execute(select(tally.c.trace_id, tally.c.error_type_names, tally.c.reason_names)).all()
    for trace_id, error_types, reasons in stored:
        own = [row for row in rows if row.trace_id == trace_id]
        assert set(filter(None, error_types.split("|"))) == {r.error_type.value for r in own if r.error_type}
        open_steps = [row for row in own if row.outcome in ("abstained", "failed")]
        assert set(filter(None, reasons.split("|"))) == {row.reason.value for row in open_steps if row.reason}


def test_a_filter_takes_no_name_for_a_part_of_another(ledger: Ledger) -> None:
    run = ledger.run("made")
    with ledger.engine.connect().execution_options(write=True) as connection, connection.begin():
        connection.execute(update(tally).values(reason_names="|not_grounded_yet|"))
    assert Browsing(ledger).traces(run, TraceFilter(reason=Reason.NOT_GROUNDED)).total == 0


@pytest.mark.parametrize("name", COLUMNS)
def test_every_member_fits_into_its_column(name: str) -> None:
    """Postgres refuses a longer one, SQLite would not notice."""
    assert max(len(member.value) for member in COLUMNS[name]) <= deliberation_table.c[name].type.length


def test_a_model_may_name_every_error_type() -> None:
    assert set(get_args(WrongAs)) == {"none", *ErrorType}


@pytest.mark.parametrize("page", ["agents/prompts/rules.md", "configs/demo/README.md"])
def test_a_page_explains_every_error_type(page: str) -> None:
    assert set(re.findall(r"^(?:- |\| `)(\w+)", (ROOT / page).read_text(), re.MULTILINE)) >= set(ErrorType)


def test_every_reason_has_words_for_people_and_stands_in_the_policy() -> None:
    assert set(WHY) == set(Reason)
    policy = (ROOT / "docs" / "policy.md").read_text()
    assert [reason for reason in Reason if reason.value not in policy] == []


def test_the_truth_table_goes_through_every_label() -> None:
    for states in (STATES, RESOLUTIONS):
        labels = {state.rstrip("+~") for state in states} - {"failed", "no resolver"}
        assert labels >= {Label.SUPPORTED, Label.ERROR, Label.UNCLEAR}
    assert {state.rstrip("+~") for state in STATES} == {*Label, "failed"}
