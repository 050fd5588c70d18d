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
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from enum import StrEnum
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from tracejury.agents import Deliberation, Outcome, Panel
from tracejury.graphs import build_graph, open_run_context
from tracejury.models import CallStore
from tracejury.traces import Question, Trace, content_id, extract_answer

SILENCE = 0.5
"""What a chain without a checkable step loses of the steps' part."""
_STATE_FILE = "rewards.json"


class RewardParts(NamedTuple):
    """What a chain earns, in parts without weights."""

    right: float
    """1 where the answer is right, else 0."""
    balance: float
    """(supported - error) / (supported + error) of its steps; below 0 where it states nothing checkable."""
    silent: bool
    """It states nothing checkable."""


class RewardControl(StrEnum):
    """A reward that real learning from the jury must beat."""

    NONE = "none"
    """No control: the jury's reward."""
    ANSWER_ONLY = "answer-only"
    """Right answers alone are rewarded; the steps are judged, and count for nothing."""
    SHUFFLED_STEPS = "shuffled-steps"
    """The steps' part is dealt out in random order among the chains of a step; each keeps its own answer's part."""
    SHUFFLED_BOTH = "shuffled-both"
    """The whole rewards are dealt out in random order."""


def reward_of(
    answer: str | None,
    gold: str | None,
    deliberations: Sequence[Deliberation],
    answer_weight: float,
    steps_weight: float,
    silence: float = SILENCE,
) -> float | None:
    """Return the reward of one chain; None where the judgement of a step failed."""
    parts = reward_parts(answer, gold, deliberations, silence)
    return None if parts is None else answer_weight * parts.right + steps_weight * parts.balance


def reward_parts(
    answer: str | None, gold: str | None, deliberations: Sequence[Deliberation], silence: float = SILENCE
) -> RewardParts | None:
    """Return what one chain earns, in parts; None where the judgement of a step failed."""
    claims = _claim_outcomes(deliberations)
    if Outcome.FAILED in claims:
        return None
    supported, errors = claims.count(Outcome.SUPPORTED), claims.count(Outcome.ERROR)
    balance = (supported - errors) / (supported + errors) if supported + errors else 0.0
    right = float(answer is not None and answer == gold)
    return RewardParts(right, balance if claims else -silence, not claims)


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
        control: A control that takes the reward's place; the history has the jury's figures all the same.
        control_seed: The seed of a control's random order.
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
        control: RewardControl = RewardControl.NONE,
        control_seed: int = 0,
    ) -> None:
        self.__name__ = "jury"  # TRL names its logs after it
        self.panel = panel
        self.questions = questions
        self.weights = (answer_weight, steps_weight)
        self.history: list[dict[str, float]] = []
        """The unshuffled rewards of each step: mean, share of masked chains, share of right answers (`right`), mean of
        the steps' part (`balance`), share of chains that state nothing checkable (`silent`): a student that learns to
        say nothing is seen there."""
        self._store, self._index = store, index
        self.control, self.control_seed = control, control_seed
        self._shuffle = random.Random(control_seed)
        self._known: dict[str, RewardParts] = {}
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
        parts = self._runner.run(self._all(completions, question))
        earned = [p for p in parts if p is not None]
        mean = partial(_mean_or_nan, earned)
        self.history.append(
            {
                "reward": mean(self._weighted),
                "masked": 1 - len(earned) / len(parts),
                "right": mean(lambda p: p.right),
                "balance": mean(lambda p: p.balance),
                "silent": mean(lambda p: p.silent),
            }
        )
        return self._shuffled(parts)

    def _weighted(self, parts: RewardParts) -> float:
        return self.weights[0] * parts.right + self.weights[1] * parts.balance

    def _shuffled(self, parts: Sequence[RewardParts | None]) -> list[float | None]:
        """Return the rewards of a step's chains, as the control hands them out."""
        order = list(range(len(parts)))
        self._shuffle.shuffle(order)
        if self.control is RewardControl.ANSWER_ONLY:
            return [None if p is None else self.weights[0] * p.right for p in parts]
        of_steps = parts if self.control is RewardControl.NONE else [parts[i] for i in order]
        of_answers = of_steps if self.control is RewardControl.SHUFFLED_BOTH else parts
        return [
            None if answers is None or steps is None else self._weighted(answers._replace(balance=steps.balance))
            for answers, steps in zip(of_answers, of_steps, strict=True)
        ]

    def save_state(self, checkpoint: Path) -> None:
        """Write the history and the state of the shuffling into a checkpoint."""
        saved = {"history": self.history, "random": self._shuffle.getstate()}
        (checkpoint / _STATE_FILE).write_text(json.dumps(saved), encoding="utf-8")

    def resume(self, checkpoint: Path) -> None:
        """Restore the state of a checkpoint; the steps after it are taken again, so their history is dropped."""
        saved = json.loads((checkpoint / _STATE_FILE).read_text(encoding="utf-8"))
        self.history[:] = saved["history"]
        version, state, gauss = saved["random"]
        self._shuffle.setstate((version, tuple(state), gauss))

    async def _open(self) -> None:
        calls = CallStore(self._store)
        self._stack.callback(calls.close)
        run_context = await self._stack.enter_async_context(
            open_run_context(self.panel, calls, secret=b"reward", index=self._index)
        )
        self._graph = build_graph(run_context)

    async def _all(self, completions: Sequence[str], question: Sequence[str]) -> list[RewardParts | None]:
        return list(await asyncio.gather(*(self._one(t, q) for t, q in zip(completions, question, strict=True))))

    async def _one(self, text: str, question_id: str) -> RewardParts | None:
        key = _key(question_id, text)
        if key not in self._known:
            question = self.questions[question_id]
            answer, deliberations = await judge_chain(self._graph, question, text)
            parts = reward_parts(answer, question.gold, deliberations)
            if parts is None:
                return None  # not remembered: a failed judgement is repeated when the chain comes up again
            self._known[key] = parts
        return self._known[key]


def _mean_or_nan(parts: Sequence[RewardParts], measure: Callable[[RewardParts], float]) -> float:
    return sum(map(measure, parts)) / len(parts) if parts else float("nan")


def _key(question_id: str, text: str) -> str:
    return content_id("r", question_id, text)
