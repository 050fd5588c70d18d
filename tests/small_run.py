"""Deterministic judges and a relevance scorer by shared words, for tests that hear real judges without a model."""

from __future__ import annotations

from collections.abc import Sequence

from tracejury.agents import Ask, Case, Draft, Judge, JudgePanel, JudgeSpec, Opinion, ask_judge, check_opinions

STEM = (
    "A 54-year-old man comes to the office because of a 3-day history of right knee pain. He weighs 70 kg. "
    "His temperature is 38.5°C (101.3°F), and serum potassium is 5.9 mEq/L."
)
TEXT = "Acute gout is treated with colchicine. Colchicine is avoided in severe renal failure."


class Fixed:
    """A judge that always drafts the same."""

    kind = "fixed"
    summary = "Always the same draft."
    needs_endpoint = False

    def __init__(self, draft: Draft | BaseException) -> None:
        self.made = draft

    async def draft(self, case: Case, ask: Ask | None) -> Draft:
        if isinstance(self.made, BaseException):
            raise self.made
        return self.made


async def checked_opinion(spec: JudgeSpec, judge: Judge, case: Case, judge_panel: JudgePanel) -> Opinion:
    """Ask one judge, and check what it cites."""
    opinion = await ask_judge(spec, judge, case, judge_panel)
    (checked,), _ = await check_opinions(case, [opinion], judge_panel)
    return checked


class Overlap:
    """Relevance by shared words: deterministic, and low for a quote about something else."""

    def score(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        return [_overlap(claim, quote) for claim, quote in pairs]


def _overlap(claim: str, quote: str) -> float:
    left, right = (set(text.lower().replace(".", "").split()) for text in (claim, quote))
    return len(left & right) / min(len(left), len(right))
