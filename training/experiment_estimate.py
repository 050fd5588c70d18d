"""What an experiment will take, stage by stage, before anything is called, loaded or written.

Speeds are assumptions, and said: nobody has measured the reader's machines. Tokens of chains that do not exist yet are
counted at `CHAIN_TOKENS`, calls of a teacher between the least and the most that its spec allows.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from tracejury.agents import load_panel
from tracejury.graphs import estimate as estimate_run
from tracejury.models import estimate_tokens
from tracejury.traces import Batch, Question, Trace, write_batch
from tracejury.training.arms import sampling_cost
from tracejury.training.distill import named, pairs_of, questions_of
from tracejury.training.experiment import Experiment
from tracejury.training.memory import GIB, Size, estimate, measure
from tracejury.training.prompts import question_prompt
from tracejury.training.recipe import Recipe, load_recipe
from tracejury.training.teach import expected_cost

CHAIN_TOKENS = 400
"""Tokens of a chain that is still to be written: ten steps of forty."""
TRAINING_FLOPS = 4e14
"""Assumed speed of training, in floating point operations a second: 40 % of an H100's bf16 peak."""
SAMPLING_FLOPS = 1.6e14
"""Assumed speed of sampling in large batches, likewise."""

_SHAPES = {
    "Qwen/Qwen3-8B": Size(8_190_735_360, 4096, 12288, 36, 0, 1024),
    "Qwen/Qwen3-14B": Size(14_768_307_200, 5120, 17408, 40, 0, 1024),
    "Qwen/Qwen3-32B": Size(32_762_123_264, 5120, 25600, 64, 0, 1024),
    "meta-llama/Llama-3.1-8B-Instruct": Size(8_030_261_248, 4096, 14336, 32, 0, 1024),
    "mistralai/Mistral-7B-Instruct-v0.3": Size(7_248_023_552, 4096, 14336, 32, 0, 1024),
}
"""The shipped recipes' models, from their cards: a dry run downloads no config."""


class StageEstimate(NamedTuple):
    """What one stage takes, at most unless its note says otherwise. None: nothing, or not known."""

    stage: str
    calls: int = 0
    tokens: int = 0
    memory_gib: float | None = None
    hours: float | None = None
    usd: float = 0.0
    note: str = ""


def estimate_experiment(experiment: Experiment, beside: Path) -> list[StageEstimate]:
    """Return the estimates of an experiment's stages, in their order.

    Raises:
        RecipeError: A recipe, a file or a panel that the experiment names is missing or not valid.
    """
    recipe = load_recipe(named(experiment.recipe, beside))
    evaluation = questions_of([experiment.evaluation], beside)
    stages: list[StageEstimate] = []
    if experiment.teacher.endpoint:
        taught = questions_of(experiment.teacher.questions, beside)
        least, most = expected_cost(taught, experiment.teacher.endpoint, experiment.teacher.teach)
        tokens = most.prompt_tokens + most.completion_tokens
        note = f"{len(taught)} questions; at least {least.calls:,} calls and ${least.usd:.2f}"
        stages.append(StageEstimate("teach", most.calls, tokens, usd=most.usd, note=note))
        row_tokens = experiment.teacher.teach.keep * sum(
            estimate_tokens(question_prompt(q.stem, q.options)) + CHAIN_TOKENS for q in taught
        )
    else:
        row_tokens = sum(
            estimate_tokens(question_prompt(question.stem, question.options)) + estimate_tokens(trace.text)
            for source in experiment.teacher.chains
            for question, trace in pairs_of(source, beside)
        )
    size = _size(recipe)
    stages.append(StageEstimate("corpus", tokens=row_tokens, note="at most; wrong and overlong chains are left out"))
    stages.append(_training(recipe, size, row_tokens))
    for arm, endpoint in (("base", experiment.base_endpoint), ("student", experiment.student_endpoint)):
        stages.append(_sampling(experiment, evaluation, size, arm, endpoint is None))
    jury = _jury(experiment, evaluation, beside)
    return [*stages, *(jury._replace(stage=f"adjudicate {arm}") for arm in ("base", "student"))]


def _size(recipe: Recipe) -> Size | None:
    """Return the student's size where it is known without a download."""
    shape = _SHAPES.get(recipe.student.model)
    if shape is None:
        return measure(recipe.student.model, recipe) if Path(recipe.student.model).is_dir() else None
    adapted = 0
    if recipe.lora:
        # Attention's four matrices at most hidden x hidden, the three of the feed-forward part hidden x intermediate.
        per_layer = 4 * 2 * shape.hidden + 3 * (shape.hidden + shape.intermediate)
        adapted = recipe.lora.r * per_layer * shape.layers
    return shape._replace(adapted=adapted or shape.parameters)


def _training(recipe: Recipe, size: Size | None, row_tokens: int) -> StageEstimate:
    tokens = int(row_tokens * recipe.schedule.epochs)
    if size is None:
        return StageEstimate("train", tokens=tokens, note=f"{recipe.student.model}: its size is known once it is made")
    need = estimate(size, recipe, half=recipe.schedule.precision == "bf16")
    # Forward and backward take 6 operations a weight and token; recomputed activations make it 8.
    operations = (8 if recipe.schedule.gradient_checkpointing else 6) * size.parameters * tokens
    hours = operations / TRAINING_FLOPS / 3600
    return StageEstimate("train", tokens=tokens, memory_gib=need.total / GIB, hours=hours)


def _sampling(
    experiment: Experiment, evaluation: Sequence[Question], size: Size | None, arm: str, in_process: bool
) -> StageEstimate:
    spec = experiment.sample
    endpoint = experiment.base_endpoint if arm == "base" else experiment.student_endpoint
    chains = len(evaluation) * spec.n
    most = chains * spec.max_tokens
    hours = None if size is None else 2 * size.parameters * chains * CHAIN_TOKENS / SAMPLING_FLOPS / 3600
    note = f"{len(evaluation)} questions x {spec.n}; hours for chains of {CHAIN_TOKENS} tokens"
    if endpoint is None:
        chains_at_once = min(spec.cache_tokens, chains * spec.max_tokens)
        memory = None if size is None else (size.parameters * 2 + size.cache_bytes(chains_at_once)) / GIB
        return StageEstimate(f"sample {arm}", tokens=most, memory_gib=memory, hours=hours, note=note)
    cost = sampling_cost(evaluation, endpoint, spec)
    tokens = cost.prompt_tokens + cost.completion_tokens
    return StageEstimate(f"sample {arm}", cost.calls, tokens, hours=hours, usd=cost.usd, note=note)


def _jury(experiment: Experiment, evaluation: Sequence[Question], beside: Path) -> StageEstimate:
    """Let the run's own estimate count a batch of assumed chains: ten numbered steps for each question."""
    sentence = "This step states one checkable thing about the patient in some thirty words, as steps of chains do. "
    text = "\n".join(f"{i}. {sentence * 2}" for i in range(1, 11))
    traces = [Trace(question_id=q.id, model="assumed", arm="assumed", text=text) for q in evaluation]
    with TemporaryDirectory() as folder:
        write_batch([*evaluation, *traces], Path(folder))
        with Batch.open([folder]) as batch:
            expected = estimate_run(load_panel(named(experiment.panel, beside)), batch)
    tokens = sum(asker.prompt_tokens + asker.completion_tokens for asker in expected.askers)
    note = f"{expected.steps:,} steps, ten a chain, are assumed"
    hours = expected.minutes / 60
    return StageEstimate("adjudicate", expected.calls, tokens, hours=hours, usd=expected.cost_usd, note=note)
