"""Reinforce a student with GRPO (Shao et al., arXiv 2402.03300) in TRL, with the reward of `JuryReward`.

A student samples several chains a question; those with a reward above their group's mean become more likely.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tracejury.traces import Question
from tracejury.training.backends import Backend, Loaded, choose_backend, half_precision, load, prepare
from tracejury.training.chat import render_prompt
from tracejury.training.exports import save_whole
from tracejury.training.machine import commit, hardware, versions
from tracejury.training.model_card import write_model_cards
from tracejury.training.notebook import claim
from tracejury.training.prompts import question_prompt
from tracejury.training.ranks import is_first_process, wait_for_all
from tracejury.training.recipe import Grpo, Recipe, RecipeError
from tracejury.training.rewards import JuryReward
from tracejury.training.rows import write_json
from tracejury.training.trainer_options import with_trainer_options
from tracejury.training.weights import identity_of, require_weights

if TYPE_CHECKING:
    from tracejury.training.callbacks import Report


def reinforce(
    recipe: Recipe,
    weights: str,
    questions: Sequence[Question],
    reward: JuryReward,
    out: Path,
    *,
    backend: str | None = None,
    seed: int | None = None,
    report: Report | None = None,
) -> dict[str, Any]:
    """Train a student on the jury's reward; return the manifest.

    After a kill, the same call continues from the last whole checkpoint, on a CPU with the same rewards as without the
    kill. When the training is finished, the call returns its manifest.

    Args:
        recipe: A recipe with a `grpo` section.
        weights: The student to start from: a folder of whole weights.
        questions: The questions; those without a gold answer are left out.
        reward: An open reward over these questions.
        out: The folder that receives inputs.json, adapter/ (or model/), log.jsonl, rewards.jsonl, checkpoints/ and
            manifest.json.
        backend: `unsloth`, `trl` or `auto`; None: the recipe's.
        seed: Replaces the recipe's seed.
        report: Called at every logged step.

    Raises:
        RecipeError: The recipe has no `grpo` section, or no question has a gold answer, or the folder holds another
            training.
    """
    spec = recipe.grpo
    if spec is None:
        raise RecipeError(f"{recipe.name}: the recipe has no `grpo` section; see configs/students/tiny.yaml.")
    answerable = [q for q in questions if q.gold is not None]
    if not answerable:
        raise RecipeError("none of the questions has a gold answer, so no answer could be rewarded.")
    require_weights(weights)
    chosen = choose_backend(backend or recipe.backend)
    prepare(chosen, out / "compiled")
    if seed is not None:
        recipe = recipe.model_copy(update={"schedule": recipe.schedule.model_copy(update={"seed": seed})})
    inputs = {
        "recipe": recipe.model_dump(mode="json"),
        "panel": reward.panel.model_dump(mode="json"),
        "questions": sorted(q.id for q in answerable),
        "weights": identity_of(weights),
        "control": reward.control,
        "control_seed": reward.control_seed,
        "reward_weights": reward.weights,
    }
    finished = claim(out, inputs)
    if finished is not None:
        return finished
    loaded = load(recipe, weights, chosen)
    from datasets import Dataset
    from trl import GRPOConfig

    from tracejury.training.callbacks import (
        AddToCheckpoint,
        Watch,
        last_whole_checkpoint,
        peak_memory,
        without_printing,
        write_log,
    )

    out.mkdir(parents=True, exist_ok=True)
    watch = Watch(out, report)
    checkpoint, broken = last_whole_checkpoint(out / "checkpoints")
    for leftover in broken if is_first_process() else ():
        shutil.rmtree(leftover)
    wait_for_all()
    if checkpoint:
        reward.resume(checkpoint)
    started = time.perf_counter()
    trainer = _trainer()(
        model=loaded.model,
        reward_funcs=[reward],
        args=GRPOConfig(**grpo_arguments(recipe, spec, out, chosen)),
        train_dataset=Dataset.from_list([{"prompt": _prompt(loaded, recipe, q), "question": q.id} for q in answerable]),
        processing_class=loaded.tokenizer,
        callbacks=[AddToCheckpoint(out, reward.save_state), watch],
    )
    without_printing(trainer).train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    name = "adapter" if recipe.lora else "model"
    if not is_first_process():
        wait_for_all()
        return inputs
    save_whole(out / name, loaded)
    write_log(out / "rewards.jsonl", reward.history)
    manifest = {
        "recipe": recipe.model_dump(mode="json"),
        "weights": inputs["weights"],
        "backend": chosen,
        "panel": reward.panel.name,
        "control": reward.control,
        "questions": len(answerable),
        "steps": trainer.state.global_step,
        "resumed_at": int(checkpoint.name.rsplit("-", 1)[-1]) if checkpoint else None,
        "rewards": reward.history,
        "seconds": round(time.perf_counter() - started, 1),
        **peak_memory(),
        "outputs": {name: name},
        "versions": versions(),
        "hardware": hardware(),
        "commit": commit(),
    }
    write_model_cards(out, manifest, "GRPO on a jury's verdicts")
    write_json(out / "manifest.json", manifest)
    wait_for_all()
    return manifest


def _trainer() -> Any:
    from trl import GRPOTrainer

    class Resumable(GRPOTrainer):  # type: ignore[misc]
        """Orders the prompts of an epoch by the epoch's number, so that a resumed training gets the same prompts."""

        def _get_train_sampler(self, dataset: Any = None) -> Any:
            sampler = super()._get_train_sampler(dataset)
            # TRL 1.14 draws all epochs from one generator, whose state is in no checkpoint: a training that is resumed
            # in a later epoch would begin with the order of the first.
            sampler.set_epoch = lambda epoch: sampler.generator.manual_seed(self.args.seed + epoch)
            return sampler

    return Resumable


def grpo_arguments(recipe: Recipe, spec: Grpo, out: Path, backend: Backend) -> dict[str, Any]:
    """Return the arguments of `trl.GRPOConfig`."""
    import torch
    from trl import GRPOConfig

    arguments = {
        "output_dir": str(out / "checkpoints"),
        "learning_rate": spec.learning_rate,
        "lr_scheduler_type": "constant",
        "max_steps": spec.steps,
        # One group of generations a prompt, all prompts of a step in one batch.
        "per_device_train_batch_size": spec.prompts * spec.generations,
        "gradient_accumulation_steps": 1,
        "num_generations": spec.generations,
        "max_completion_length": spec.max_tokens,
        "temperature": spec.temperature,
        "beta": spec.beta,
        "disable_dropout": True,
        "gradient_checkpointing": recipe.schedule.gradient_checkpointing and backend == "trl",
        "bf16": half_precision(recipe),
        "use_cpu": not torch.cuda.is_available(),
        "dataloader_pin_memory": torch.cuda.is_available(),
        "max_grad_norm": recipe.schedule.max_grad_norm,
        "logging_steps": 1,
        "save_strategy": "steps",
        "save_steps": recipe.schedule.save_every,
        "save_total_limit": recipe.schedule.keep,
        "seed": recipe.schedule.seed,
        "data_seed": recipe.schedule.seed,
    }
    return with_trainer_options(arguments, recipe.trainer, GRPOConfig)


def _prompt(loaded: Loaded, recipe: Recipe, question: Question) -> str:
    """Return the rendered prompt, without the beginning-of-sequence token, which TRL's tokenisation adds itself."""
    prompt = render_prompt(loaded.tokenizer, recipe.student, question_prompt(question.stem, question.options))
    bos = loaded.tokenizer.bos_token
    return prompt.removeprefix(bos) if bos else prompt
