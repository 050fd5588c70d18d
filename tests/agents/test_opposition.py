"""The rest of the evidence has a say: a passage that also says the opposite grounds nothing."""

from __future__ import annotations

import asyncio

import pytest
from fixed_checkers import SharedWords, calibrated

from tracejury.agents import (
    Case,
    Citation,
    Claim,
    ClaimSet,
    ContextStep,
    JudgePanel,
    JudgeSpec,
    Label,
    Panel,
    Quote,
    Relation,
    check_citations,
    draft_citations,
)
from tracejury.agents.checkers import LoadedChecker
from tracejury.retrieval import Passage

CLAIM = "Aspirin lowers fever in adults."
DENIAL = "Aspirin does not lowers fever in adults."


def checker(*, discounts: bool) -> LoadedChecker:
    loaded = calibrated(SharedWords())
    assert loaded.calibration is not None
    relations = frozenset({Relation.SUPPORTS, Relation.CONTRADICTS} if discounts else ())
    return LoadedChecker(loaded.checker, loaded.calibration.model_copy(update={"discounted": relations}))


def case(passages: tuple[str, ...], context: tuple[ContextStep, ...] = ()) -> Case:
    claims = ClaimSet(claims=(Claim(handle="C1", text=CLAIM, start=0, end=len(CLAIM)),))
    return Case(
        step_id="s",
        trace_id="t",
        stem="",
        step_index=1,
        step=CLAIM,
        claims=claims,
        context=context,
        passages=tuple(
            Passage(source="tests", title=str(i), text=text, citation="tests", license="none")
            for i, text in enumerate(passages)
        ),
    )


def checked(of: Case, evidence_id: str, quote: str, label: Label, *, discounts: bool = True) -> Citation:
    panel = Panel(name="test", judges=(JudgeSpec(name="a", judge="scripted"),))
    judge_panel = JudgePanel(panel, checker=checker(discounts=discounts))
    drafted = {"a": draft_citations([Quote(evidence_id=evidence_id, quote=quote)], label)}
    (citation,) = asyncio.run(check_citations(of, drafted, judge_panel)).by_judge["a"]
    return citation


@pytest.mark.parametrize(("discounts", "counts"), [(False, True), (True, False)])
def test_a_passage_that_says_both_grounds_neither(discounts: bool, counts: bool) -> None:
    of = case((f"{CLAIM} In later trials of the same group things turned. {DENIAL}",))
    passage = of.passages[0].id
    supports = checked(of, passage, CLAIM, Label.SUPPORTED, discounts=discounts)
    contradicts = checked(of, passage, DENIAL, Label.ERROR, discounts=discounts)
    assert (supports.counts, contradicts.counts) == (counts, counts)
    assert counts or "says the opposite with" in (supports.why_not or "")


def test_another_passage_has_no_say() -> None:
    of = case((CLAIM, DENIAL))
    assert checked(of, of.passages[0].id, CLAIM, Label.SUPPORTED).counts
    assert checked(of, of.passages[1].id, DENIAL, Label.ERROR).counts


def test_what_the_trace_says_elsewhere_takes_nothing_from_a_contradiction() -> None:
    earlier = ContextStep(index=0, text=f"{DENIAL} {CLAIM}")
    assert checked(case((), (earlier,)), "step:0", DENIAL, Label.ERROR).counts
