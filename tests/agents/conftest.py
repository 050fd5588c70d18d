"""A case, a passage, and a way to hear a fixed judge on them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from small_run import STEM, TEXT, Fixed, Overlap

from tracejury.agents import Case, ContextStep, Draft, JudgePanel, JudgeSpec, Opinion, Panel, hear
from tracejury.retrieval import Passage


@pytest.fixture
def passage() -> Passage:
    return Passage(source="guide", title="Gout", text=TEXT, citation="Gout Guide 2024", license="MIT")


@pytest.fixture
def case(passage: Passage) -> Case:
    return Case(
        step_id="s_1",
        trace_id="t_1",
        stem=STEM,
        context=(ContextStep(index=0, text="The joint aspirate shows no crystals at all."),),
        step_index=1,
        step="Acute gout is treated with colchicine, as the joint aspirate shows crystals.",
        passages=(passage,),
    )


@pytest.fixture
def opine(case: Case) -> Callable[..., Opinion]:
    """Hear a judge that drafts what it is given, on `case` or another."""

    def heard(draft: Draft | Exception, *, on: Case = case, floor: float = 0.3, name: str = "one") -> Opinion:
        spec = JudgeSpec(name=name, judge="facts")
        panel = Panel.model_validate({"name": "p", "judges": [spec], "relevance": {"floor": floor}})
        return asyncio.run(hear(spec, Fixed(draft), on, JudgePanel(panel, None, Overlap())))

    return heard
