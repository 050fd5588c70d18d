"""Whom to ask next: early stop and cascades against asking everybody, by enumeration."""

from __future__ import annotations

from itertools import product

import pytest

from tracejury.agents import (
    JudgeSpec,
    Opinion,
    Outcome,
    Panel,
    Policy,
    Seat,
    Verdict,
    asks_every_judge,
    decide,
    judge_order,
    next_judges,
    settle,
    unasked_votes,
)
from tracejury.agents.truth_table import CLAIMS, RESOLUTIONS, STATES, opinion, resolution


def panel(*judges: JudgeSpec, **update: object) -> Panel:
    seated = judges or tuple(JudgeSpec(name=f"j{i}", judge="data") for i in range(3))
    return Panel.model_validate({"name": "p", "judges": seated, "full_share": 0.0, **update})


def opinions_of(panel: Panel, states: dict[str, str], step: str = "s") -> list[Opinion]:
    opinions: list[Opinion] = []
    while batch := next_judges(panel, step, opinions, CLAIMS):
        opinions += [opinion(states[j.name], j.name).model_copy(update={"seat": j.seat}) for j in batch]
    return opinions


def verdict(panel: Panel, opinions: list[Opinion], resolver: str) -> Verdict:
    decision = decide(opinions, CLAIMS, unasked_votes(panel, opinions), policy=panel.policy)
    if isinstance(decision, Verdict):
        return decision
    return settle(decision, opinions, CLAIMS, resolution(resolver), policy=panel.policy)


@pytest.mark.parametrize("policy", list(Policy))
@pytest.mark.parametrize("resolver", RESOLUTIONS)
def test_early_stop_changes_no_outcome_and_saves_calls(resolver: str, policy: Policy) -> None:
    quick, full = panel(early_stop=True, policy=policy), panel(policy=policy)
    calls = 0
    for i, states in enumerate(product(STATES, repeat=3)):
        states_by_judge = {f"j{k}": s for k, s in enumerate(states)}
        early, whole = opinions_of(quick, states_by_judge, f"s{i}"), opinions_of(full, states_by_judge, f"s{i}")
        calls += len(early)
        ours, theirs = verdict(quick, early, resolver), verdict(full, whole, resolver)
        assert (ours.outcome, ours.reason, ours.claim) == (theirs.outcome, theirs.reason, theirs.claim), states
        assert ours.majority_outcome is theirs.majority_outcome, states
        assert len(whole) == 3
    assert calls < 3 * len(STATES) ** 3


def test_early_stop_changes_no_outcome_with_a_judge_who_only_challenges() -> None:
    seated = (*(JudgeSpec(name=f"j{i}", judge="data") for i in range(3)), CHALLENGER)
    quick, full = panel(*seated, early_stop=True), panel(*seated)
    for i, states in enumerate(product(STATES, repeat=4)):
        states_by_judge = dict(zip(("j0", "j1", "j2", "c"), states, strict=True))
        ours = verdict(quick, opinions_of(quick, states_by_judge, f"s{i}"), "supported+")
        theirs = verdict(full, opinions_of(full, states_by_judge, f"s{i}"), "supported+")
        assert (ours.outcome, ours.reason, ours.claim) == (theirs.outcome, theirs.reason, theirs.claim), states
        assert ours.majority_outcome is theirs.majority_outcome, states


def test_early_stop_never_asks_one_judge_too_many() -> None:
    five = panel(*(JudgeSpec(name=f"j{i}", judge="data") for i in range(5)), early_stop=True)
    assert len(next_judges(five, "s", [], CLAIMS)) == 3
    assert len(opinions_of(five, {f"j{i}": "error+" for i in range(5)})) == 3
    assert len(opinions_of(five, {f"j{i}": "supported+" for i in range(5)})) == 5


def test_without_early_stop_all_are_asked_at_once() -> None:
    assert len(next_judges(panel(), "s", [], CLAIMS)) == 3


def test_a_seeded_share_is_put_to_every_judge_all_the_same() -> None:
    sharing = panel(early_stop=True, full_share=0.25)
    steps = [f"s{i}" for i in range(2000)]
    sampled = [s for s in steps if asks_every_judge(sharing, s)]
    assert 0.22 < len(sampled) / len(steps) < 0.28
    assert sampled == [s for s in steps if asks_every_judge(sharing, s)]
    states_by_judge = dict.fromkeys(("j0", "j1", "j2"), "error+")
    assert len(opinions_of(sharing, states_by_judge, sampled[0])) == 3


def test_the_order_of_asking_is_seeded_and_not_that_of_the_file() -> None:
    orders = {tuple(j.name for j in judge_order(panel(), f"s{i}")) for i in range(60)}
    assert len(orders) == 6
    turned = panel(*reversed(panel().judges))
    assert judge_order(turned, "s") == judge_order(panel(), "s")


CHALLENGER = JudgeSpec(name="c", judge="data", seat=Seat.CHALLENGE)
CASCADE = (
    JudgeSpec(name="j0", judge="data"),
    JudgeSpec(name="j1", judge="data"),
    JudgeSpec(name="dear", judge="data", only_if="disputed"),
)


@pytest.mark.parametrize(
    ("first", "second", "asks_third"),
    [
        ("supported+", "supported", False),
        ("error+", "error", False),
        ("no_claim", "no_claim", False),
        ("supported", "supported", True),
        ("supported+", "error", True),
        ("unclear", "unclear", True),
        ("supported+", "failed", True),
    ],
)
def test_a_cascade_asks_the_expensive_judge_only_where_the_cheap_ones_do_not_decide(
    first: str, second: str, asks_third: bool
) -> None:
    opinions = opinions_of(panel(*CASCADE), {"j0": first, "j1": second, "dear": "supported+"})
    assert ("dear" in {o.judge for o in opinions}) is asks_third


def test_a_verdict_of_a_cascade_is_a_majority_of_the_whole_panel() -> None:
    lone = panel(
        JudgeSpec(name="j0", judge="data"),
        *(JudgeSpec(name=f"d{i}", judge="data", only_if="disputed") for i in range(2)),
    )
    opinions = opinions_of(lone, {"j0": "supported+", "d0": "supported", "d1": "error"})
    assert len(opinions) == 3, "one of three is no majority"
    verdict = decide(opinions, CLAIMS)
    assert isinstance(verdict, Verdict)
    assert verdict.outcome is Outcome.SUPPORTED


def test_an_unsure_first_stage_goes_on() -> None:
    cautious = panel(*CASCADE, unsure_below=0.6)
    sure = [opinion("supported+", n).model_copy(update={"confidence": 0.9}) for n in ("j0", "j1")]
    unsure = [o.model_copy(update={"confidence": 0.5}) for o in sure]
    assert next_judges(cautious, "s", sure, CLAIMS) == ()
    assert [j.name for j in next_judges(cautious, "s", unsure, CLAIMS)] == ["dear"]


def test_a_listed_judge_makes_no_first_stage_sure() -> None:
    listed = JudgeSpec(name="l", judge="data", seat=Seat.LISTED)
    cautious = panel(*CASCADE, listed, unsure_below=0.6)
    unsure = [opinion("supported+", n).model_copy(update={"confidence": 0.5}) for n in ("j0", "j1")]
    loud = opinion("supported+", "l").model_copy(update={"confidence": 1.0, "seat": Seat.LISTED})
    assert [j.name for j in next_judges(cautious, "s", [*unsure, loud], CLAIMS)] == ["dear"]


def test_a_panel_may_ask_its_judges_in_their_own_order() -> None:
    steps = [f"s{i}" for i in range(20)]
    ordered = panel(ask_in_order=True, early_stop=True, policy="consensus")
    assert {tuple(j.name for j in judge_order(ordered, step)) for step in steps} == {("j0", "j1", "j2")}
    assert len({tuple(j.name for j in judge_order(panel(), step)) for step in steps}) > 1
    states = {"j0": "supported", "j1": "supported", "j2": "error"}
    assert [o.judge for o in opinions_of(ordered, states)] == ["j0", "j1"]
