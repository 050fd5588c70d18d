"""The jury at every evaluation of a training: how many steps of held-out chains are wrong, how many unjudged?"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from transformers import TrainerCallback

from tracejury.agents import Outcome, Panel
from tracejury.graphs import adjudicate
from tracejury.ledger import Ledger, StepRow
from tracejury.traces import Question, Trace, write_batch
from tracejury.training.generating import Generator
from tracejury.training.recipe import RecipeError, Student
from tracejury.training.sample_spec import SampleSpec
from tracejury.training.sampling import trace_of
from tracejury.training.token_batches import Draw, sample_batches


class ShareWithInterval(NamedTuple):
    """A share with its 95 % interval."""

    value: float
    low: float
    high: float


class JuryEval(TrainerCallback):  # type: ignore[misc]
    """Samples a chain of each held-out question at every evaluation, and lets a panel judge its steps.

    The figures go into the evaluation's metrics, so that they can choose the best checkpoint or stop the training:
    `eval_step_error` (errors among judged steps), `eval_abstained` (steps without a verdict among those with a claim),
    each with `_low` and `_high`, and `eval_answers_right`. Each evaluation is a run of the ledger, `eval-STEP`, whose
    deliberations can be read.

    Put it before callbacks that read its metrics, such as `EarlyStoppingCallback`. It works in a single process.

    Args:
        panel: The judges; panels without an LLM are fast enough.
        questions: The held-out questions.
        out: The folder of the sampled chains and of the ledger.
        student: How the prompts are rendered.
        spec: How chains are sampled; one a question by default, at temperature 0.
        index: The Chroma index of the panel's references.
    """

    def __init__(
        self,
        panel: Panel,
        questions: Sequence[Question],
        out: Path,
        *,
        student: Student,
        spec: SampleSpec | None = None,
        index: Path | None = None,
    ) -> None:
        if not questions:
            raise RecipeError("the jury needs at least one held-out question.")
        self.panel = panel
        self.questions = tuple(questions)
        self.out = out
        self.student = student
        self.spec = spec or SampleSpec(n=1, temperature=0.0, max_tokens=512)
        self.index = index
        self.history: list[dict[str, float]] = []
        """The metrics of each evaluation, with its `step`."""

    @property
    def store(self) -> str:
        """The URL of the ledger that holds the evaluations' runs."""
        return f"sqlite:///{self.out / 'jury.db'}"

    def on_evaluate(
        self,
        args: Any,
        state: Any,
        control: Any,
        metrics: dict[str, float],
        model: Any = None,
        processing_class: Any = None,
        **_: Any,
    ) -> None:
        """Add the jury's figures to the metrics of this evaluation."""
        if args.world_size > 1:
            raise RecipeError("the jury inside a training works in one process; adjudicate the checkpoints instead.")
        step = int(state.global_step)
        folder = self.out / f"step-{step}"
        traces = self._sample(Generator.of(model, processing_class))
        write_batch([*self.questions, *traces], folder)
        work = adjudicate(folder, self.panel, store=self.store, name=f"eval-{step}", index=self.index)
        run, _tally = _in_a_loop_of_its_own(work)
        ledger = Ledger(self.store)
        try:
            figures = jury_metrics(ledger.rows(run))
        finally:
            ledger.close()
        right = {question.id: question.gold for question in self.questions}
        figures["eval_answers_right"] = sum(t.answer == right[t.question_id] for t in traces) / len(traces)
        metrics.update(figures)
        self.history.append({"step": step, **figures})
        state.log_history.append({"step": step, "epoch": state.epoch, **figures})

    def _sample(self, generator: Generator) -> list[Trace]:
        draws = [Draw(question, sample) for question in self.questions for sample in range(self.spec.n)]
        return [
            trace_of(draw.question, draw.sample, reply, "student", "student", self.spec)
            for batch in sample_batches(generator, draws, self.student, self.spec, self.spec.cache_tokens)
            for draw, reply in zip(batch.draws, batch.replies, strict=True)
        ]


def jury_metrics(rows: Any) -> dict[str, float]:
    """Return `eval_step_error` and `eval_abstained` of a run's rows with intervals; nan where there is no step."""
    claims: list[StepRow] = [row for row in rows if row.claim and row.outcome is not None]
    judged = [row for row in claims if row.outcome in {Outcome.SUPPORTED, Outcome.ERROR}]
    shares = {
        "eval_step_error": _share([row.outcome is Outcome.ERROR for row in judged], judged),
        "eval_abstained": _share([row.outcome is Outcome.ABSTAINED for row in claims], claims),
    }
    return {
        name + end: figure
        for name, share in shares.items()
        for end, figure in zip(("", "_low", "_high"), share, strict=True)
    }


def _share(hits: Sequence[bool], rows: Sequence[StepRow]) -> ShareWithInterval:
    """Return the share with a Clopper-Pearson interval that counts each question once, not each of its steps."""
    if not rows:
        return ShareWithInterval(float("nan"), 0.0, 1.0)
    from scipy.stats import beta

    value, n = sum(hits) / len(hits), len({row.question_id for row in rows})
    low = float(beta.ppf(0.025, value * n, n - value * n + 1)) if value > 0 else 0.0
    high = float(beta.ppf(0.975, value * n + 1, n - value * n)) if value < 1 else 1.0
    return ShareWithInterval(value, low, high)


def _in_a_loop_of_its_own(work: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine to its end from code that may itself be called inside a running loop."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(asyncio.run, work).result()
