"""A jury's verdicts as a reward: is the answer right, and do the steps hold?

reward = answer_weight * (answer is right) + steps_weight * (supported - error) / (supported + error)

Abstentions weigh nothing: a step that nobody can judge is neither rewarded nor punished, and a chain without one
judged step has the answer's part alone. A failed step gives no reward at all: `None`, which TRL masks (no advantage,
no place in the group's mean). A failure is not a verdict, and must not be worth seeking.
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

_KEPT = "rewards.json"


def reward_of(
    answer: str | None, gold: str | None, made: Sequence[Deliberation], answer_weight: float, steps_weight: float
) -> float | None:
    """Return the reward of one chain; None where a step's judgement failed."""
    claims = [d.verdict.outcome for d in made if d.verdict.claim]
    if Outcome.FAILED in claims:
        return None
    supported, errors = claims.count(Outcome.SUPPORTED), claims.count(Outcome.ERROR)
    held = (supported - errors) / (supported + errors) if supported + errors else 0.0
    return answer_weight * float(answer is not None and answer == gold) + steps_weight * held


class JuryReward:
    """A reward function for `trl.GRPOTrainer`: hears every new chain once, remembers what it gave.

    Args:
        panel: Who judges. Judges without a model and the verifier are quick enough to sit in a training loop.
        questions: By id; the dataset's column `question` names them.
        store: Ledger URL for the calls of judges that ask a model.
        index: The Chroma index, where the panel names sources.
        answer_weight: Of a right answer.
        steps_weight: Of steps that hold.
        shuffled: A seed: hand the rewards out in random order, the control that any real learning must beat.
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
        """A step's true rewards, whatever was handed out: mean, share masked, share of right answers."""
        self._store, self._index = store, index
        self.shuffled = shuffled
        self._shuffle = None if shuffled is None else random.Random(shuffled)
        self._known: dict[str, float | None] = {}
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
        given = [r for r in rewards if r is not None]
        self.history.append(
            {
                "reward": sum(given) / len(given) if given else float("nan"),
                "masked": 1 - len(given) / len(rewards),
                "right": sum(map(self._right, completions, question)) / len(rewards),
            }
        )
        if self._shuffle is not None:
            self._shuffle.shuffle(rewards)
        return rewards

    def keep(self, checkpoint: Path) -> None:
        """Write what was earned so far, and where the shuffling stands, into a checkpoint."""
        random_state = None if self._shuffle is None else self._shuffle.getstate()
        told = {"history": self.history, "random": random_state}
        (checkpoint / _KEPT).write_text(json.dumps(told), encoding="utf-8")

    def resume(self, checkpoint: Path) -> None:
        """Go on from a checkpoint: what was earned after it is forgotten, for those steps are taken again."""
        told = json.loads((checkpoint / _KEPT).read_text(encoding="utf-8"))
        self.history[:] = told["history"]
        if self._shuffle is not None and told["random"] is not None:
            version, state, gauss = told["random"]
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
        key = content_id("r", question_id, text)
        if key not in self._known:
            asked = self.questions[question_id]
            answer = extract_answer(text, asked.options)
            trace = Trace(question_id=question_id, model="policy", arm="grpo", text=text, answer=answer)
            out = await self._graph.ainvoke({"question": asked, "trace": trace})
            reward = reward_of(answer, asked.gold, out["deliberations"], *self.weights)
            if reward is None:
                return None  # not remembered: what failed is asked again when the chain comes back
            self._known[key] = reward
        return self._known[key]

    def _right(self, text: str, question_id: str) -> bool:
        asked = self.questions[question_id]
        return asked.gold is not None and extract_answer(text, asked.options) == asked.gold
