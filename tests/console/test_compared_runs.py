"""Two runs beside each other: which arms `view A B` takes, and that a finding follows its runs."""

from __future__ import annotations

import time

import pytest
from made_ledger import demo_pairs, make_run

pytest.importorskip("fastapi", reason="the viewer needs the extra `viewer`")

from tracejury.console.viewer import comparison_sides
from tracejury.console.viewer.finding import Findings, findings_of, sides_of
from tracejury.console.viewer.ledger_view import LedgerView
from tracejury.console.viewer.stale_cache import StaleWhileRevalidateCache
from tracejury.ledger import Ledger
from tracejury.reports import compare, gather


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    ledger = Ledger(f"sqlite:///{tmp_path_factory.mktemp('two')}/ledger.db")
    pairs = demo_pairs()[:4]
    for name, arms in (
        ("before", {"base", "distilled"}),
        ("after", {"base", "distilled"}),
        ("students", {"distilled"}),
    ):
        make_run(ledger, [(question, trace) for question, trace in pairs if trace.arm in arms], name=name)
    return ledger


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("before", "after", ("before:distilled", "after:distilled")),
        ("before", "students", ("before:distilled", "students:distilled")),
        ("before:base", "after", ("before:base", "after:base")),
        ("before:base", "students", ("before:base", "students:distilled")),
        ("before", "before", ("before:base", "before:distilled")),
        ("before:distilled", "before", ("before:distilled", "before:base")),
    ],
)
def test_an_arm_that_is_not_named_is_the_one_that_both_runs_have(
    ledger: Ledger, first: str, second: str, expected: tuple[str, str]
) -> None:
    sides = comparison_sides(ledger, first, second)
    assert tuple(f"{side.run.name}:{side.arm}" for side in sides) == expected


def test_what_does_not_exist_or_is_the_same_is_refused(ledger: Ledger) -> None:
    with pytest.raises(LookupError, match="base, distilled: name one, as before:ARM"):
        comparison_sides(ledger, "before:tuned", "after")
    with pytest.raises(LookupError, match="nothing to compare"):
        comparison_sides(ledger, "students", "students")


def test_a_finding_stays_until_its_run_goes_on_and_is_then_what_the_rows_say(ledger: Ledger) -> None:
    pairs = demo_pairs()
    run = make_run(ledger, pairs[:10], name="live", finish=False)
    view = LedgerView(ledger)
    baseline, *others = sides_of(view, run)

    def settled(view: LedgerView) -> Findings:
        while (findings := findings_of(view, baseline, others)).items is None:
            time.sleep(0.02)
        return findings

    first = settled(view)
    assert first.computed is None
    assert settled(view).items is first.items, "computed once"
    make_run(ledger, pairs, name="live")
    while settled(view).items is first.items:
        time.sleep(0.05)
    by_rows = compare(gather(ledger.rows(run)), baseline.key, [side.key for side in others])
    for renewed in (settled(view).items, settled(LedgerView(ledger)).items):
        assert [f.comparison and f.comparison.sentence for f in renewed or []] == [c.sentence for c in by_rows]


def test_a_result_of_another_state_says_when_it_was_computed() -> None:
    cache = StaleWhileRevalidateCache()
    assert cache.get_soon(("finding",), lambda: 1, wait_s=10, state="ten traces") == 1
    assert cache.time_of_stale(("finding",), "ten traces") is None
    assert cache.time_of_stale(("finding",), "thirty traces") is not None
    assert cache.get(("finding",), lambda: 2, state="ten traces") == 1, "the same state is never computed again"
