"""A jury's verdicts as a reward: is the answer right, and are the steps supported?

reward = answer_weight * (answer is right) + steps_weight * (supported - error) / (supported + error)

Abstentions weigh nothing: a step that nobody can judge is neither rewarded nor punished. A chain that states nothing
checkable loses `silence` of the steps' part: a bare answer earns less than a sound derivation, judged or not. A chain
with a failed step has no reward: `None`, which TRL masks (no advantage, no part in the group's mean). A failure is not
a verdict, and a student must not gain by causing one.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

from tracejury.agents import Deliberation, Outcome, Panel
from tracejury.graphs import build_graph, open_run_context
from tracejury.models import CallStore
from tracejury.traces import Question, Trace, content_id, extract_answer

SILENCE = 0.5
"""What a chain without a checkable step loses of the steps' part."""
_STATE_FILE = "rewards.json"


def reward_of(
    answer: str | None,
    gold: str | None,
    deliberations: Sequence[Deliberation],
    answer_weight: float,
    steps_weight: float,
    silence: float = SILENCE,
) -> float | None:
    """Return the reward of one chain; None where the judgement of a step failed."""
    claims = _claim_outcomes(deliberations)
    if Outcome.FAILED in claims:
        return None
    supported, errors = claims.count(Outcome.SUPPORTED), claims.count(Outcome.ERROR)
    balance = (supported - errors) / (supported + errors) if supported + errors else 0.0
    if not claims:
        balance = -silence
    return answer_weight * float(answer is not None and answer == gold) + steps_weight * balance


async def judge_chain(graph: Any, question: Question, text: str) -> tuple[str | None, list[Deliberation]]:
    """Return the answer of a chain, and the deliberations on its steps."""
    answer = extract_answer(text, question.options)
    trace = Trace(question_id=question.id, model="policy", arm="policy", text=text, answer=answer)
    state = await graph.ainvoke({"question": question, "trace": trace})
    return answer, state["deliberations"]


def _claim_outcomes(deliberations: Sequence[Deliberation]) -> list[Outcome]:
    return [d.verdict.outcome for d in deliberations if d.verdict.claim]


class JuryReward:
    """A reward function for `trl.GRPOTrainer`: judges every new chain once and remembers its reward.

    Args:
        panel: The judges. Judges without a model and the verifier are fast enough for a training loop.
        questions: The questions by id; the dataset's column `question` holds the ids.
        store: Ledger URL for the calls of judges that ask a model.
        index: The Chroma index, where the panel names sources.
        answer_weight: Weight of a right answer.
        steps_weight: Weight of the steps' verdicts.
        shuffled: A seed. The rewards are returned in random order, as a control that real learning must beat.
    """

    def __init__(
        self,
        panel: Panel,
        questions: Mapping[str, Question],
        *,
        store: str,
        index: Path | None = None,
        answer_weight: float = 1.0,
        steps_weight: float = 1.0,
        shuffled: int | None = None,
    ) -> None:
        self.__name__ = "jury"  # TRL names its logs after it
        self.panel = panel
        self.questions = questions
        self.weights = (answer_weight, steps_weight)
        self.history: list[dict[str, float]] = []
        """The unshuffled rewards of each step: mean, share of masked chains, share of right answers, share of
        chains that state nothing checkable (`silent`): a student that learns to say nothing is seen there."""
        self._store, self._index = store, index
        self.shuffled = shuffled
        self._shuffle = None if shuffled is None else random.Random(shuffled)
        self._known: dict[str, float] = {}
        self._silent: set[str] = set()
        """Keys of the chains that state nothing checkable."""
        self._runner = asyncio.Runner()
        self._stack = AsyncExitStack()
        self._graph: Any = None

    def __enter__(self) -> JuryReward:
        self._runner.run(self._open())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._runner.run(self._stack.aclose())
        self._runner.close()

    def __call__(
        self, prompts: Sequence[str], completions: Sequence[str], question: Sequence[str], **_: Any
    ) -> list[float | None]:
        """Return a reward, or None, for each completion."""
        rewards = self._runner.run(self._all(completions, question))
        unmasked = [r for r in rewards if r is not None]
        self.history.append(
            {
                "reward": sum(unmasked) / len(unmasked) if unmasked else float("nan"),
                "masked": 1 - len(unmasked) / len(rewards),
                "right": sum(map(self._right, completions, question)) / len(rewards),
                "silent": sum(_key(q, t) in self._silent for t, q in zip(completions, question, strict=True))
                / len(rewards),
            }
        )
        if self._shuffle is not None:
            self._shuffle.shuffle(rewards)
        return rewards

    def save_state(self, checkpoint: Path) -> None:
        """Write the history and the state of the shuffling into a checkpoint."""
        random_state = None if self._shuffle is None else self._shuffle.getstate()
        saved = {"history": self.history, "random": random_state}
        (checkpoint / _STATE_FILE).write_text(json.dumps(saved), encoding="utf-8")

    def resume(self, checkpoint: Path) -> None:
        """Restore the state of a checkpoint; the steps after it are taken again, so their history is dropped."""
        saved = json.loads((checkpoint / _STATE_FILE).read_text(encoding="utf-8"))
        self.history[:] = saved["history"]
        if self._shuffle is not None and saved["random"] is not None:
            version, state, gauss = saved["random"]
            self._shuffle.setstate((version, tuple(state), gauss))

    async def _open(self) -> None:
        calls = CallStore(self._store)
        self._stack.callback(calls.close)
        run_context = await self._stack.enter_async_context(
            open_run_context(self.panel, calls, secret=b"reward", index=self._index)
        )
        self._graph = build_graph(run_context)

    async def _all(self, completions: Sequence[str], question: Sequence[str]) -> list[float | None]:
        return list(await asyncio.gather(*(self._one(t, q) for t, q in zip(completions, question, strict=True))))

    async def _one(self, text: str, question_id: str) -> float | None:
        key = _key(question_id, text)
        if key not in self._known:
            question = self.questions[question_id]
            answer, deliberations = await judge_chain(self._graph, question, text)
            reward = reward_of(answer, question.gold, deliberations, *self.weights)
            if reward is None:
                return None  # not remembered: a failed judgement is repeated when the chain comes up again
            self._known[key] = reward
            if not _claim_outcomes(deliberations):
                self._silent.add(key)
        return self._known[key]

    def _right(self, text: str, question_id: str) -> bool:
        question = self.questions[question_id]
        return question.gold is not None and extract_answer(text, question.options) == question.gold


def _key(question_id: str, text: str) -> str:
    return content_id("r", question_id, text)
