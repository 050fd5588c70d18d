"""Making checkers by name, the wrapper around a stranger's, and the two that must agree."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from tracejury.agents import Panel
from tracejury.agents.checkers import CheckerError, Pair, Probabilities, checkers, make_checker
from tracejury.console.app import app
from tracejury.traces import UnknownNameError

PAIR = Pair("Colchicine treats gout.", ("Gout is treated with colchicine.",))


def test_built_ins_are_registered_as_a_stranger_s_is(stranger: Callable[[], None]) -> None:
    stranger()
    packages = {entry.name: entry.package for entry in checkers.entries()}
    assert packages == {
        **dict.fromkeys(("both", "hub", "llm", "nli"), "tracejury"),
        **dict.fromkeys(("broken", "lookup", "nameless"), "tracejury-lookup"),
    }
    with pytest.raises(UnknownNameError, match="did you mean 'lookup'"):
        make_checker("lookups")


@pytest.mark.parametrize(
    ("params", "complaint"),
    [
        ({"answers": [(0.5, 0.5, 0.5)]}, "sum to 1"),
        ({"answers": [(1.5, -0.5, 0.0)]}, "from 0 to 1"),
        ({"answers": [(float("nan"), 0.5, 0.5)]}, "from 0 to 1"),
        ({"answers": [(0.5, 0.5, 0.0)], "can_contradict": False}, "cannot find any"),
        ({"answers": []}, "0 answers for 1 pairs"),
    ],
)
def test_an_answer_that_is_none_names_the_package(
    stranger: Callable[[], None], params: dict[str, object], complaint: str
) -> None:
    stranger()
    checker = make_checker("lookup", params)
    with pytest.raises(CheckerError, match=f"'lookup' of package 'tracejury-lookup' returned .*{complaint}"):
        asyncio.run(checker.probabilities([PAIR], None))


def test_what_breaks_inside_a_checker_names_the_package(stranger: Callable[[], None]) -> None:
    stranger()
    with pytest.raises(CheckerError, match="'broken' of package 'tracejury-lookup' raised RuntimeError: no disk"):
        asyncio.run(make_checker("broken").probabilities([PAIR], None))
    with pytest.raises(CheckerError, match=r"'nameless' of package 'tracejury-lookup' .*`kind` must be a str"):
        make_checker("nameless")
    with pytest.raises(CheckerError, match=r"'lookup' of package 'tracejury-lookup' .*its params .*'colour'"):
        make_checker("lookup", {"colour": "red"})


def test_of_two_checkers_the_less_sure_one_decides_each_relation(stranger: Callable[[], None]) -> None:
    stranger()
    two: list[dict[str, Any]] = [
        {"name": "lookup", "params": {"answers": [(0.7, 0.1, 0.2)], "identity": "x@1"}},
        {"name": "lookup", "params": {"answers": [(0.2, 0.5, 0.3)], "identity": "y@2"}},
    ]
    checker = make_checker("both", {"first": two[0], "second": two[1]})
    (answer,) = asyncio.run(checker.probabilities([PAIR], None))
    assert answer == pytest.approx(Probabilities(0.2, 0.1, 0.7))
    assert (checker.identity, checker.can_contradict, checker.needs_endpoint) == ("x@1 + y@2", True, False)
    two[1]["params"] |= {"can_contradict": False, "answers": [(0.9, 0.0, 0.1)]}
    checker = make_checker("both", {"first": two[0], "second": two[1]})
    assert asyncio.run(checker.probabilities([PAIR], None)) == [pytest.approx(Probabilities(0.7, 0.0, 0.3))]
    assert not checker.can_contradict
    with pytest.raises(CheckerError, match="is no checker; write"):
        make_checker("both", {"first": {"params": {}}, "second": two[0]})


def test_a_checker_with_a_model_needs_an_endpoint() -> None:
    checker = make_checker("both", {"first": {"name": "nli"}, "second": {"name": "llm"}})
    assert checker.needs_endpoint
    with pytest.raises(CheckerError, match="name its endpoint"):
        asyncio.run(checker.probabilities([PAIR], None))


def test_the_command_line_lists_them_also_where_params_are_needed(stranger: Callable[[], None]) -> None:
    stranger()
    result = CliRunner().invoke(app, ["panels", "checkers", "--json"])
    assert result.exit_code == 0, result.output
    asks = {row["checker"]: row["asks"] for row in json.loads(result.stdout)}
    assert asks["llm"] == "a model"
    assert asks["nli"] == asks["hub"] == asks["lookup"] == "no model"
    assert asks["both"] == "as its params say"


@pytest.mark.parametrize("field", ["checker", "claims"])
def test_a_panel_s_checker_and_claims_name_an_endpoint_of_the_panel(field: str) -> None:
    panel = {"name": "p", "judges": [{"name": "one", "judge": "data"}], field: {"endpoint": "small"}}
    with pytest.raises(ValidationError, match=f"{field}: no endpoint 'small'"):
        Panel.model_validate(panel)
    panel["endpoints"] = {"small": {"name": "small", "model": "m"}}
    assert getattr(Panel.model_validate(panel), field).endpoint == "small"
