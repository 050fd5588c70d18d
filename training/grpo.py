"""Reinforcement from the jury: GRPO (Shao et al., arXiv 2402.03300) with TRL, the reward from `JuryReward`.

A student draws several chains a question; those that do better than their group's mean become likelier.
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
from tracejury.training.machine import commit, hardware, versions
from tracejury.training.prompts import question_prompt
from tracejury.training.recipe import Grpo, Recipe, RecipeError
from tracejury.training.rewards import JuryReward
from tracejury.training.rows import write_json
from tracejury.training.sft import claim, identity_of, save_whole

if TYPE_CHECKING:
    from tracejury.training.watching import Report


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

    Killed, the same call goes on from the last whole checkpoint, on a CPU with the same rewards as without the kill;
    finished, it returns the manifest.

    Args:
        recipe: With a `grpo` section.
        weights: The student to start from: a folder of whole weights.
        questions: With gold answers.
        reward: An open reward over these questions.
        out: inputs.json, adapter/ (or model/), log.jsonl, rewards.jsonl, checkpoints/, manifest.json.
        backend: As for `train`.
        seed: Instead of the recipe's.
        report: Called as training goes on.

    Raises:
        RecipeError: The recipe has no `grpo` section, or no question has a gold answer, or the folder holds another
            training.
    """
    spec = recipe.grpo
    if spec is None:
        raise RecipeError(f"{recipe.name}: the recipe has no `grpo` section; see configs/students/tiny.yaml.")
    asked = [q for q in questions if q.gold is not None]
    if not asked:
        raise RecipeError("none of the questions has a gold answer, so no answer could be rewarded.")
    chosen = choose_backend(backend or recipe.backend)
    prepare(chosen, out / "compiled")
    if seed is not None:
        recipe = recipe.model_copy(update={"schedule": recipe.schedule.model_copy(update={"seed": seed})})
    inputs = {
        "recipe": recipe.model_dump(mode="json"),
        "panel": reward.panel.model_dump(mode="json"),
        "questions": sorted(q.id for q in asked),
        "weights": identity_of(weights),
        "shuffled": reward.shuffled,
    }
    finished = claim(out, inputs)
    if finished is not None:
        return finished
    loaded = load(recipe, weights, chosen)
    from datasets import Dataset
    from trl import GRPOConfig

    from tracejury.training.watching import Keep, Watch, last_whole_checkpoint, peak_memory, write_log

    out.mkdir(parents=True, exist_ok=True)
    watch = Watch(out, report)
    checkpoint, broken = last_whole_checkpoint(out / "checkpoints")
    for leftover in broken:
        shutil.rmtree(leftover)
    if checkpoint:
        reward.resume(checkpoint)
    started = time.perf_counter()
    trainer = _trainer()(
        model=loaded.model,
        reward_funcs=[reward],
        args=GRPOConfig(**grpo_arguments(recipe, spec, out, chosen)),
        train_dataset=Dataset.from_list([{"prompt": _prompt(loaded, recipe, q), "question": q.id} for q in asked]),
        processing_class=loaded.tokenizer,
        callbacks=[Keep(out, reward.keep), watch],
    )
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    name = "adapter" if recipe.lora else "model"
    save_whole(out / name, loaded)
    write_log(out / "rewards.jsonl", reward.history)
    manifest = {
        "recipe": recipe.model_dump(mode="json"),
        "backend": chosen,
        "panel": reward.panel.name,
        "questions": len(asked),
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
    write_json(out / "manifest.json", manifest)
    return manifest


def _trainer() -> Any:
    from trl import GRPOTrainer

    class Resumable(GRPOTrainer):  # type: ignore[misc]
        """Draws the prompts of an epoch by its number, so that a resumed training is asked what it would have been."""

        def _get_train_sampler(self, dataset: Any = None) -> Any:
            sampler = super()._get_train_sampler(dataset)
            # TRL's sampler draws epoch after epoch from one generator, which no checkpoint keeps (1.14): resumed in a
            # later epoch, it would begin with the order of the first.
            sampler.set_epoch = lambda epoch: sampler.generator.manual_seed(self.args.seed + epoch)
            return sampler

    return Resumable


def grpo_arguments(recipe: Recipe, spec: Grpo, out: Path, backend: Backend) -> dict[str, Any]:
    """Return what `trl.GRPOConfig` is made with."""
    import torch

    return {
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
        "report_to": "none",
        "disable_tqdm": True,
        "log_level": "error",
    }


def _prompt(loaded: Loaded, recipe: Recipe, question: Question) -> str:
    """Render the prompt; TRL's tokenisation puts the beginning-of-sequence token in front itself."""
    prompt = render_prompt(loaded.tokenizer, recipe.student, question_prompt(question.stem, question.options))
    bos = loaded.tokenizer.bos_token
    return prompt.removeprefix(bos) if bos else prompt
