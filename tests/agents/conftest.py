"""A case, a passage, and a way to hear a fixed judge on them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from fixed_checkers import SharedWords, calibrated
from small_run import STEM, TEXT, Fixed, Overlap, checked_opinion

from tracejury.agents import (
    Case,
    ContextStep,
    Draft,
    JudgePanel,
    JudgeSpec,
    Opinion,
    Panel,
    cut_by_rule,
)
from tracejury.retrieval import Passage


@pytest.fixture
def passage() -> Passage:
    return Passage(source="guide", title="Gout", text=TEXT, citation="Gout Guide 2024", license="MIT")


@pytest.fixture
def case(passage: Passage) -> Case:
    context = (ContextStep(index=0, text="The joint aspirate shows no crystals at all."),)
    step = "Acute gout is treated with colchicine, as the joint aspirate shows crystals."
    return Case(
        step_id="s_1",
        trace_id="t_1",
        stem=STEM,
        context=context,
        step_index=1,
        step=step,
        claims=cut_by_rule(step, STEM, context),
        passages=(passage,),
    )


@pytest.fixture
def opine(case: Case) -> Callable[..., Opinion]:
    """Ask a judge that drafts what it is given, on `case` or another, and check what it cites."""

    def opinion_on(draft: Draft | Exception, *, on: Case = case, floor: float = 0.3, name: str = "one") -> Opinion:
        spec = JudgeSpec(name=name, judge="facts")
        panel = Panel.model_validate({"name": "p", "judges": [spec], "relevance": {"floor": floor}})
        judge_panel = JudgePanel(panel, None, Overlap(), checker=calibrated(SharedWords()))
        return asyncio.run(checked_opinion(spec, Fixed(draft), on, judge_panel))

    return opinion_on
