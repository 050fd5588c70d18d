"""What befalls a run changes none of its verdicts: the short form of benchmarks/endurance.py."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from conftest import ROOT
from servers.model_server import ModelServer

from benchmarks.endurance import FAULTS, Course

STEPS = 60


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Course]:
    with ModelServer() as server:
        yield Course(tmp_path_factory.mktemp("endurance"), server, STEPS)


@pytest.mark.parametrize("fault", FAULTS)
def test_no_verdict_is_lost_doubled_or_wrong(course: Course, fault: str) -> None:
    row = FAULTS[fault](course, STEPS / 2_000)
    assert row["expected"] == STEPS
    assert (row["lost"], row["doubled"], row["wrong"]) == (0, 0, 0), row
    assert row["injected"] > 0, row


def test_the_expected_verdicts_are_of_every_kind(course: Course) -> None:
    """A comparison of verdicts that are all alike would show little."""
    assert {v.outcome for v in course.expected.values()} == {"supported", "error", "abstained"}
    assert len(set(course.expected.values())) >= 4


def test_the_documented_table_is_the_measured_one() -> None:
    faults = json.loads((ROOT / "benchmarks" / "results" / "endurance.json").read_text())["faults"]
    page = (ROOT / "docs" / "ledger.md").read_text()
    for name, row in faults.items():
        if name == "swapped":
            assert f"{row['injected']} such replies in {row['expected']} steps made {row['wrong']} verdicts" in page
            continue
        assert (row["lost"], row["doubled"], row["wrong"]) == (0, 0, 0), name
        figures = f"{row['injected']:,} | {row['expected']:,} | 0 | 0 | 0 | {row['commands']}"
        paid = row.get("calls_paid_twice", row.get("shorter", {}).get("calls_paid_twice", "not counted"))
        assert f"| {row['fault']} | {figures} | {paid}" in page
