"""The jury's verdicts as a plain async reward function: for TRL's GRPOTrainer, verifiers, or a loop of your own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tracejury.agents import Panel, load_panel
from tracejury.graphs import build_graph, open_run_context
from tracejury.models import CallStore
from tracejury.traces import Question
from tracejury.training.rewards import SILENCE, judge_chain, reward_of

RewardFunction = Callable[..., Awaitable[list[float | None]]]


def jury_reward(
    panel: Panel | str | Path,
    questions: Mapping[str, Question],
    *,
    store: str = "sqlite:///rewards.db",
    index: Path | None = None,
    answer_weight: float = 1.0,
    steps_weight: float = 1.0,
    silence: float = SILENCE,
) -> RewardFunction:
    """Return `async reward(prompts, completions, question, **columns)`, a reward for each completion.

    A reward is `answer_weight * right + steps_weight * (supported - error) / (supported + error)`; a completion that
    states nothing checkable loses `silence * steps_weight`; None where the judgement of a step failed, which TRL masks.
    Each call opens the panel in the running event loop and closes it again; replies come from the store's cache where
    a chain was judged before.

    Args:
        panel: The judges: a panel, its name or its file.
        questions: The questions by id. The dataset's column `question` holds the ids.
        store: The ledger URL that keeps the calls.
        index: The Chroma index of the panel's references.
        answer_weight: Weight of a right answer.
        steps_weight: Weight of the steps' verdicts.
        silence: What a completion without a checkable step loses of the steps' part.
    """
    chosen = panel if isinstance(panel, Panel) else load_panel(panel)

    async def reward(
        prompts: Sequence[Any], completions: Sequence[Any], question: Sequence[str], **_: Any
    ) -> list[float | None]:
        """Judge completions (strings, or lists of messages) of the questions with these ids."""
        calls = CallStore(store)
        try:
            async with open_run_context(chosen, calls, secret=b"reward", index=index) as run_context:
                graph = build_graph(run_context)

                async def one(completion: Any, question_id: str) -> float | None:
                    question = questions[question_id]
                    answer, deliberations = await judge_chain(graph, question, completion_text(completion))
                    return reward_of(answer, question.gold, deliberations, answer_weight, steps_weight, silence)

                return list(await asyncio.gather(*map(one, completions, question)))
        finally:
            calls.close()

    return reward


def completion_text(completion: Any) -> str:
    """Return a completion's text: a string unchanged, of a list of messages what the assistant wrote."""
    if isinstance(completion, str):
        return completion
    return "\n".join(str(message["content"]) for message in completion if message.get("role") == "assistant")
