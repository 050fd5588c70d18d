"""A judge whose endpoint is gone is answered for by its stand-in, and the opinion says so."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from servers.model_server import ModelServer

from tracejury.agents import Case, JudgePanel, Panel, ask_judge
from tracejury.models import CallStore, FailureReason, Gateway

CASE = Case(step_id="s", trace_id="t", stem="His toe is red.", step_index=0, step="It is gout.")


def ask(folder: Path, url: str, stand_in: str | None) -> tuple[object, ...]:
    unreachable = {"name": "gone", "model": "gone-70b", "base_url": "http://127.0.0.1:9/v1", "max_attempts": 1}
    panel = Panel.model_validate(
        {
            "name": "p",
            "endpoints": {"gone": unreachable, "other": {"name": "other", "model": "other-8b", "base_url": url}},
            "judges": [{"name": "facts", "judge": "facts", "endpoint": "gone", "stand_in": stand_in}],
            "checker": None,
        }
    )

    async def main() -> tuple[object, ...]:
        store = CallStore(f"sqlite:///{folder}/calls.db")
        try:
            async with Gateway(store, secret=b"s") as gateway:
                judge_panel = JudgePanel.of(panel, gateway)
                opinion = await ask_judge(panel.judges[0], judge_panel.judges["facts"], CASE, judge_panel)
        finally:
            store.close()
        return opinion.failed, opinion.model, opinion.stands_in_for, len(opinion.calls), opinion.label is not None

    return asyncio.run(main())


def test_a_stand_in_answers_where_the_endpoint_is_gone(tmp_path: Path) -> None:
    with ModelServer() as server:
        assert ask(tmp_path, server.url, None) == (FailureReason.UNAVAILABLE, "gone-70b", None, 1, False)
        assert ask(tmp_path, server.url, "other") == (None, "other-8b", "gone-70b", 2, True)


def test_a_stand_in_is_an_endpoint_of_the_panel() -> None:
    judge = {"name": "a", "judge": "data", "stand_in": "nowhere"}
    with pytest.raises(ValueError, match="a, stand_in: no endpoint 'nowhere'"):
        Panel.model_validate({"name": "p", "judges": [judge]})
