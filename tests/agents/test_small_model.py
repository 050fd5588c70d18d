"""The real small model on the embedded server: two calls. What it says is not asserted, how it is heard is."""

from __future__ import annotations

import asyncio

import pytest
from conftest import absent
from small_run import checked_opinion

from tracejury.agents import Case, JudgePanel, Opinion, load_panel
from tracejury.models import CallStore, Gateway, is_fetched
from tracejury.retrieval import check_quote, relevance


@pytest.mark.llm
def test_two_perspectives_on_one_model_share_a_prefix_and_stay_within_their_tokens(case: Case) -> None:
    for name in ("smollm2-135m", "minilm"):
        if not is_fetched(name):
            absent("weights", f"{name} is not fetched: tracejury models fetch {name}")
    panel = load_panel("embedded")

    async def opinions_of_judges() -> list[Opinion]:
        async with Gateway(CallStore("sqlite:///:memory:"), secret=b"s" * 32, air_gapped=True) as gateway:
            judge_panel = JudgePanel.of(panel, gateway, relevance("cosine"))
            asking = [spec for spec in panel.judges if spec.endpoint]
            return [await checked_opinion(spec, judge_panel.judges[spec.name], case, judge_panel) for spec in asking]

    first, second = asyncio.run(opinions_of_judges())
    texts = {p.id: p.text for p in case.passages} | {"vignette": case.stem}
    for opinion in (first, second):
        assert opinion.failed is None, opinion.failure
        assert opinion.label is not None
        (call,) = opinion.calls
        assert call.completion_tokens <= panel.reply_tokens
        assert call.finish_reason == "stop"
        for citation in opinion.citations:
            if citation.verified:
                assert check_quote(citation.quote, texts[citation.evidence_id]).verified
            assert citation.verified or not citation.counts
    assert second.calls[0].cached_tokens > 0.7 * second.calls[0].prompt_tokens
