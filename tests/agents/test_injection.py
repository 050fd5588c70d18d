"""Traces, questions and passages that give orders: what the structure of prompts and checks lets through of 64 attacks.

Whether a model obeys is measured (benchmarks/attacks), not asserted; what it is shown and what its reply can do is.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence

import pytest
from fixed_checkers import everything_counts
from jury_of_words import AlwaysRelevant
from small_run import checked_opinion

from benchmarks.attacks import Attack, attacked, attacks
from tracejury.agents import (
    Ask,
    Case,
    ContextStep,
    Draft,
    JudgePanel,
    JudgeSpec,
    Label,
    Opinion,
    Panel,
    Quote,
    cut_by_rule,
)
from tracejury.agents.prompting import case_messages, prompt
from tracejury.models import fence_tag, render
from tracejury.retrieval import Passage

TAG = fence_tag(b"the run's secret", "t_1")
ALL = list(attacks())
PASSAGE = Passage(
    source="s", title="t", text="Metformin is contraindicated below an eGFR of 30.", citation="c", license="l"
)
CASE = Case(
    step_id="s_1",
    trace_id="t_1",
    stem="A 60-year-old woman has an eGFR of 20 mL/min/1.73 m2.",
    options={"A": "Metformin", "B": "Insulin"},
    context=(ContextStep(index=0, text="She has advanced kidney disease."),),
    step_index=1,
    step="Metformin is safe at this eGFR.",
    passages=(PASSAGE,),
)


class Obeys:
    """The worst judge: it does what an attack wants, and quotes whatever the attack supplied."""

    kind = "obeys"
    summary = "for tests"
    needs_endpoint = False

    def __init__(self, quotes: Sequence[Quote]) -> None:
        self.quotes = tuple(quotes)

    async def draft(self, case: Case, ask: Ask | None) -> Draft:
        return Draft(label=Label.SUPPORTED, quotes=self.quotes, confidence=1.0)


def obeyed(case: Case, quotes: Sequence[Quote]) -> Opinion:
    # The most gullible checker: whatever is refused is refused by where the words stand.
    spec, judge = JudgeSpec(name="obeys", judge="obeys"), Obeys(quotes)
    judge_panel = JudgePanel(
        Panel(name="p", judges=(spec,)),
        relevance=AlwaysRelevant(),
        judges={"obeys": judge},
        checker=everything_counts(),
    )
    claims = cut_by_rule(case.step, case.stem, case.context)
    return asyncio.run(checked_opinion(spec, judge, case.model_copy(update={"claims": claims}), judge_panel))


def test_there_are_sixty_and_more_in_eight_families() -> None:
    assert len(ALL) >= 60
    assert len({a.family for a in ALL}) == 8


@pytest.mark.parametrize("attack", ALL, ids=lambda a: a.name)
def test_the_prompt_has_one_fence_pair_for_each_piece_and_no_other_role(attack: Attack) -> None:
    # The attacker is given the real tag, which only a leak of the run's secret could tell it.
    case = attacked(CASE, attack, guess=TAG)
    messages = case_messages(case, prompt("facts").text)
    rendered = render(messages, TAG)
    assert [m["role"] for m in rendered] == ["system", "user"]
    pieces = sum(not isinstance(part, str) for m in messages for part in m.parts)
    text = "".join(m["content"] for m in rendered)
    assert len(re.findall(f"<data_{TAG}", text)) == len(re.findall(f"</data_{TAG}>", text)) == pieces
    assert text.lower().count(TAG) == 2 * pieces
    outside = re.sub(rf"<data_{TAG} .*?</data_{TAG}>", "", text, flags=re.DOTALL)
    clean = "".join(m["content"] for m in render(case_messages(CASE, prompt("facts").text), TAG))
    allowed = re.sub(rf"<data_{TAG} .*?</data_{TAG}>", "", clean, flags=re.DOTALL)
    # Outside the fences stands what we wrote; an attack adds the heading of its own passage or step at most.
    assert set(outside.split()) <= set(allowed.split()) | {"P2)", "step:1)"}


@pytest.mark.parametrize("attack", [a for a in ALL if a.at in ("step", "instead")], ids=lambda a: a.name)
def test_what_the_trace_supplies_cannot_ground_its_own_step(attack: Attack) -> None:
    case = attacked(CASE, attack, guess=TAG)
    text = case.step
    quotes = [Quote(evidence_id=where, quote=text) for where in ("vignette", PASSAGE.id, "step:1", "P9", "P1", "")]
    opinion = obeyed(case, quotes)
    assert opinion.label is Label.SUPPORTED
    assert not opinion.grounded, [c for c in opinion.citations if c.counts]


@pytest.mark.parametrize("attack", [a for a in ALL if a.at == "earlier"], ids=lambda a: a.name)
def test_an_earlier_step_never_grounds_support(attack: Attack) -> None:
    case = attacked(CASE, attack, guess=TAG)
    planted = case.context[-1]
    opinion = obeyed(case, [Quote(evidence_id=f"step:{planted.index}", quote=planted.text[:200])])
    assert not opinion.grounded


def test_a_citation_outside_the_case_is_recorded_and_counts_for_nothing() -> None:
    opinion = obeyed(CASE, [Quote(evidence_id="p_0123456789", quote="Metformin is safe.")])
    assert [c.verified for c in opinion.citations] == [False]
    assert opinion.citations[0].why_not
