"""Supervised fine-tuning: reads a corpus, writes an adapter and a manifest. The same call again continues a training.

The folder that it writes:
    inputs.json     recipe, corpus and weights; another recipe or corpus in the same folder is refused
    checkpoints/    whole ones carry whole.json; others are dropped on resume
    log.jsonl       the loss, step by step
    steps.json      seconds and tokens of each step since the last start
    loss.png        the loss as a picture
    adapter/        LoRA weights and tokenizer (`model/` where every weight is trained)
    merged/         whole weights, where the recipe exports them; gguf/ likewise
    manifest.json   written last: a folder without it is not a finished student
"""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tracejury.training.backends import (
    Backend,
    Loaded,
    choose_backend,
    half_precision,
    load,
    prepare,
)
from tracejury.training.disk import is_full_disk
from tracejury.training.exports import export_student
from tracejury.training.machine import commit, hardware, versions
from tracejury.training.memory import estimate, measure, require_memory
from tracejury.training.model_card import write_model_cards
from tracejury.training.notebook import claim
from tracejury.training.ranks import is_first_process, wait_for_all
from tracejury.training.recipe import Recipe, RecipeError
from tracejury.training.rows import read_corpus, repeat_by_weight, write_json
from tracejury.training.tokens import EncodedRows, encode_all
from tracejury.training.trainer_options import with_trainer_options
from tracejury.training.weights import identity_of

if TYPE_CHECKING:
    from tracejury.training.callbacks import Report
    from tracejury.training.jury_eval import JuryEval


def train(
    recipe: Recipe,
    corpus: Path,
    out: Path,
    *,
    backend: str | None = None,
    weights: str | None = None,
    report: Report | None = None,
    jury: JuryEval | None = None,
) -> dict[str, Any]:
    """Train a student.

    Args:
        recipe: The student and its training.
        corpus: A folder that `tracejury student corpus` wrote.
        out: The student's folder. An interrupted training of the same inputs in it is continued.
        backend: `unsloth`, `trl` or `auto`; None: the recipe's.
        weights: The weights to start from, instead of the recipe's model (a folder, or a hub name).
        report: Called at every logged step.
        jury: Judges chains of held-out questions at every evaluation.

    Returns:
        The manifest. Of several processes (`accelerate launch`) the first writes it, and all other files.

    Raises:
        RecipeError: The recipe, the corpus, the memory, the disk or the folder is not usable. No manifest is written.
    """
    split, data_sha256 = read_corpus(corpus)
    weights = weights or resolve_weights(recipe, corpus)
    inputs = {"recipe": recipe.model_dump(mode="json"), "data_sha256": data_sha256, "weights": identity_of(weights)}
    finished = claim(out, inputs)
    if finished is not None:
        return finished

    if recipe.schedule.patience and recipe.schedule.metric != "eval_loss" and jury is None:
        raise RecipeError(f"schedule.metric {recipe.schedule.metric}: the jury measures it; give `--jury PANEL`.")
    chosen = choose_backend(backend or recipe.backend)
    if recipe.export.gguf and chosen != "unsloth":
        raise RecipeError(
            "export.gguf needs the unsloth back end; on a CPU take `export.merged` and llama.cpp's "
            "convert_hf_to_gguf.py on merged/."
        )
    prepare(chosen, out / "compiled")
    half = half_precision(recipe)
    need = require_memory(weights, recipe, half)
    _require_disk(out, weights, recipe)

    loaded = load(recipe, weights, chosen)
    training_rows = encode_all(
        repeat_by_weight(split.train), loaded.tokenizer, recipe.schedule.max_length, f"{corpus}/train"
    )
    if not training_rows.rows:
        raise RecipeError(f"{corpus}: the training split has no rows. Look at the drops in its README.md.")
    heldout = encode_all(split.heldout, loaded.tokenizer, recipe.schedule.max_length, f"{corpus}/heldout")
    try:
        figures = _fit(recipe, chosen, loaded, training_rows, heldout, out, report, jury)
        outputs = export_student(recipe, chosen, loaded, out) if is_first_process() else {}
    except Exception as error:
        if not is_full_disk(error):
            raise
        raise RecipeError(
            f"{out}: the disk is full ({str(error)[:120]}). Free some space and run the same command: it goes on from "
            "the last whole checkpoint."
        ) from error

    wait_for_all()
    if not is_first_process():
        return {**inputs, **figures}

    from tracejury.training.plots import plot_losses

    plot_losses({recipe.name: out / "log.jsonl"}, out / "loss.png")
    manifest = {
        **inputs,
        "backend": chosen,
        "precision": "bf16" if half else "fp32",
        "rows": {"train": len(training_rows.rows), "heldout": len(heldout.rows)},
        "too_long": {"train": training_rows.too_long, "heldout": heldout.too_long},
        "tokens_an_epoch": {"all": training_rows.tokens, "trained": training_rows.loss_tokens},
        "memory_estimate_gib": round(need.total / 2**30, 2),
        **figures,
        "outputs": outputs,
        "versions": versions(),
        "hardware": hardware(),
        "commit": commit(),
        "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }
    write_model_cards(out, manifest, "supervised fine-tuning")
    write_json(out / "manifest.json", manifest)
    return manifest


def resolve_weights(recipe: Recipe, corpus: Path) -> str:
    """Return the recipe's weights: a hub name, or the folder beside the corpus where `corpus` wrote them.

    Raises:
        RecipeError: The folder holds no weights.
    """
    name = recipe.student.model
    if name != "random" and not name.startswith("fetched:"):
        return name
    folder = corpus / "student"
    if not (folder / "config.json").is_file():
        raise RecipeError(
            f"{folder}: no weights for student.model {name!r}; `tracejury student corpus` puts them there."
        )
    return str(folder)


def _fit(
    recipe: Recipe,
    backend: Backend,
    loaded: Loaded,
    training_rows: EncodedRows,
    heldout: EncodedRows,
    out: Path,
    report: Report | None,
    jury: JuryEval | None,
) -> dict[str, Any]:
    """Run the trainer to the end, from the last whole checkpoint where there is one."""
    # trl after unsloth (see `prepare`), which replaces its trainer.
    import torch
    from datasets import Dataset
    from transformers import EarlyStoppingCallback
    from trl import SFTConfig, SFTTrainer

    from tracejury.training.callbacks import Watch, last_whole_checkpoint, peak_memory, without_printing

    checkpoint, broken = last_whole_checkpoint(out / "checkpoints")
    for leftover in broken if is_first_process() else ():
        shutil.rmtree(leftover)
    wait_for_all()
    watch = Watch(out, report)
    callbacks: list[Any] = [jury, watch] if jury else [watch]
    if recipe.schedule.patience and heldout.rows:
        callbacks.append(EarlyStoppingCallback(early_stopping_patience=recipe.schedule.patience))
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
    trainer = SFTTrainer(
        model=loaded.model,
        args=SFTConfig(**trainer_arguments(recipe, out, backend, bool(heldout.rows))),
        train_dataset=Dataset.from_list([e._asdict() for e in training_rows.rows]),
        eval_dataset=Dataset.from_list([e._asdict() for e in heldout.rows]) if heldout.rows else None,
        processing_class=loaded.tokenizer,
        callbacks=callbacks,
    )
    without_printing(trainer).train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    if is_first_process():
        write_json(out / "steps.json", {"seconds": watch.seconds, "tokens": watch.tokens})
    history = trainer.state.log_history
    losses = [h["loss"] for h in history if "loss" in h]
    evaluations = [h["eval_loss"] for h in history if "eval_loss" in h]
    return {
        "steps": trainer.state.global_step,
        "resumed_at": int(checkpoint.name.rsplit("-", 1)[-1]) if checkpoint else None,
        "dropped_checkpoints": [p.name for p in broken],
        "loss": {"first": losses[0], "last": losses[-1]} if losses else None,
        "eval_loss": {"first": evaluations[0], "last": evaluations[-1], "best": min(evaluations)}
        if evaluations
        else None,
        "jury": jury.history if jury else None,
        **watch.speed(),
        **peak_memory(),
    }


def trainer_arguments(recipe: Recipe, out: Path, backend: Backend, evaluates: bool) -> dict[str, Any]:
    """Return the arguments of `trl.SFTConfig`; the back ends differ in who checkpoints gradients alone.

    Raises:
        RecipeError: The recipe's `trainer` section has an argument that is unknown, or that the recipe sets itself.
    """
    import torch
    from trl import SFTConfig

    schedule = recipe.schedule
    half = half_precision(recipe)
    arguments = {
        "output_dir": str(out / "checkpoints"),
        "learning_rate": schedule.learning_rate,
        "lr_scheduler_type": schedule.scheduler,
        "warmup_steps": schedule.warmup,
        "num_train_epochs": schedule.epochs,
        "max_steps": schedule.max_steps,
        "per_device_train_batch_size": schedule.batch,
        "per_device_eval_batch_size": schedule.batch,
        "gradient_accumulation_steps": schedule.accumulation,
        "weight_decay": schedule.weight_decay,
        "max_grad_norm": schedule.max_grad_norm,
        "max_length": schedule.max_length,
        "packing": schedule.packing,
        "eval_packing": False,
        # Unsloth puts its own checkpointing into the model when it loads it.
        "gradient_checkpointing": schedule.gradient_checkpointing and backend == "trl",
        "bf16": half,
        "fp16": False,
        "use_cpu": not torch.cuda.is_available(),
        "dataloader_pin_memory": torch.cuda.is_available(),
        "logging_steps": schedule.log_every,
        "logging_nan_inf_filter": False,
        "save_strategy": "steps",
        "save_steps": schedule.save_every,
        "save_total_limit": schedule.keep,
        "eval_strategy": "steps" if evaluates else "no",
        "eval_steps": schedule.save_every if evaluates else None,
        "load_best_model_at_end": bool(evaluates and schedule.patience),
        "metric_for_best_model": schedule.metric if evaluates and schedule.patience else None,
        "greater_is_better": False if evaluates and schedule.patience else None,
        "include_num_input_tokens_seen": "non_padding",
        "seed": schedule.seed,
        "data_seed": schedule.seed,
    }
    return with_trainer_options(arguments, recipe.trainer, SFTConfig)


def _require_disk(out: Path, weights: str, recipe: Recipe) -> None:
    """Refuse to start on a disk that cannot hold the checkpoints and exports."""
    size = measure(weights, recipe)
    trained = estimate(size, recipe, half=True).training
    needed = (recipe.schedule.keep + 1) * trained + size.parameters * 2 * (
        recipe.export.merged + bool(recipe.export.gguf)
    )
    free = shutil.disk_usage(out).free
    if free < needed:
        raise RecipeError(
            f"{out}: {free / 2**30:.1f} GiB free on this disk; checkpoints and exports need about "
            f"{needed / 2**30:.1f} GiB. Free some space, keep fewer checkpoints (schedule.keep), or give another --out."
        )
