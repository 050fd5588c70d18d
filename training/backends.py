"""The two back ends behind one recipe: Unsloth on a CUDA GPU, plain TRL + PEFT anywhere.

Both load the same weights, adapt the same layers and hand the same tokens to `trl.SFTTrainer`; they differ in kernels.
Every call into Unsloth is built here as keyword arguments, and a test binds them to the installed signatures.
"""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import Any, Literal, NamedTuple

from tracejury.training.ranks import own_device
from tracejury.training.recipe import Lora, Recipe, RecipeError
from tracejury.training.trainer_options import loading_options

Backend = Literal["unsloth", "trl"]


class Loaded(NamedTuple):
    """A model ready for the trainer, and its tokenizer."""

    model: Any
    tokenizer: Any


def choose_backend(requested: str) -> Backend:
    """Return the back end to use: resolve `auto`, and refuse one that cannot work on this machine.

    Raises:
        RecipeError: `unsloth` was requested without a CUDA GPU or without the package; the message says what to do.
    """
    import torch

    installed = importlib.util.find_spec("unsloth") is not None
    if requested == "auto":
        return "unsloth" if installed and torch.cuda.is_available() else "trl"
    if requested == "trl":
        return "trl"
    if requested != "unsloth":
        raise RecipeError(f"no back end called {requested!r}; there are unsloth and trl")
    if not torch.cuda.is_available():
        raise RecipeError(
            "backend unsloth needs a CUDA GPU, and torch sees none. Run this recipe with `--backend trl` (a CPU will "
            "do for small models), or run it on a GPU machine: the SFT modules need only the training stack there."
        )
    if not installed:
        raise RecipeError("backend unsloth is not installed: `pip install 'tracejury[unsloth]'`, or `--backend trl`.")
    return "unsloth"


def prepare(backend: Backend, cache: Path) -> None:
    """Import Unsloth before the rest of the training stack, which it patches; silence its progress bars."""
    if backend == "unsloth":
        # Offline and out of the working directory: no statistics call, compiled kernels beside the run.
        os.environ.setdefault("UNSLOTH_DISABLE_STATISTICS", "1")
        os.environ.setdefault("UNSLOTH_COMPILE_LOCATION", str(cache))
        import unsloth  # noqa: F401
    own_progress_only()


def own_progress_only() -> None:
    """Switch off the progress bars of transformers and datasets: a stage says itself how far it has come."""
    import datasets
    from transformers.utils import logging

    logging.disable_progress_bar()
    datasets.disable_progress_bars()


def load(recipe: Recipe, weights: str, backend: Backend) -> Loaded:
    """Load `weights` (a folder or a hub name) and put the recipe's adapter on it."""
    if backend == "unsloth":
        return _load_unsloth(recipe, weights)
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(weights, revision=recipe.student.revision)
    dtype = torch.bfloat16 if half_precision(recipe) and recipe.lora else torch.float32
    options: dict[str, Any] = {"dtype": dtype, **loading_options(recipe.trainer)}
    if recipe.student.load_in_4bit:
        options |= _four_bit(weights)
    model = AutoModelForCausalLM.from_pretrained(weights, revision=recipe.student.revision, **options)
    if torch.cuda.is_available() and not recipe.student.load_in_4bit:
        model = model.to(own_device())
    if recipe.lora:
        torch.manual_seed(recipe.schedule.seed)
        model = get_peft_model(model, LoraConfig(**lora_arguments(recipe.lora)))
    return Loaded(model, pad_ready(tokenizer))


def _four_bit(weights: str) -> dict[str, Any]:
    """Return the loading options for NF4 weights on this process's GPU.

    Raises:
        RecipeError: There is no CUDA GPU, or bitsandbytes is not installed.
    """
    import torch
    from transformers import BitsAndBytesConfig

    if not torch.cuda.is_available() or importlib.util.find_spec("bitsandbytes") is None:
        raise RecipeError(
            f"{weights}: student.load_in_4bit needs a CUDA GPU and the package bitsandbytes. Take it out of the "
            "recipe, or train on a GPU machine (`pip install bitsandbytes`)."
        )
    quantisation = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )
    return {"quantization_config": quantisation, "device_map": {"": own_device()}}


def _load_unsloth(recipe: Recipe, weights: str) -> Loaded:
    from unsloth import FastLanguageModel

    model, tokenizer = FastLanguageModel.from_pretrained(**unsloth_load_arguments(recipe, weights))
    if recipe.lora:
        model = FastLanguageModel.get_peft_model(model, **unsloth_lora_arguments(recipe, recipe.lora))
    return Loaded(model, pad_ready(tokenizer))


def lora_arguments(lora: Lora) -> dict[str, Any]:
    """Return the arguments of `peft.LoraConfig`."""
    return {
        "r": lora.r,
        "lora_alpha": lora.alpha,
        "lora_dropout": lora.dropout,
        "target_modules": list(lora.targets),
        "bias": "none",
        "task_type": "CAUSAL_LM",
    }


def unsloth_load_arguments(recipe: Recipe, weights: str) -> dict[str, Any]:
    """Return the arguments of `FastLanguageModel.from_pretrained`."""
    return {
        "model_name": weights,
        "revision": recipe.student.revision,
        "max_seq_length": recipe.schedule.max_length,
        "dtype": None,
        "load_in_4bit": recipe.student.load_in_4bit,
        "full_finetuning": recipe.lora is None,
        "use_gradient_checkpointing": _checkpointing(recipe),
        "random_state": recipe.schedule.seed,
        **loading_options(recipe.trainer),
    }


def unsloth_lora_arguments(recipe: Recipe, lora: Lora) -> dict[str, Any]:
    """Return the arguments of `FastLanguageModel.get_peft_model`, without the model."""
    return {
        "r": lora.r,
        "target_modules": list(lora.targets),
        "lora_alpha": lora.alpha,
        "lora_dropout": lora.dropout,
        "bias": "none",
        "use_gradient_checkpointing": _checkpointing(recipe),
        "random_state": recipe.schedule.seed,
        "max_seq_length": recipe.schedule.max_length,
    }


def unsloth_merge_arguments(folder: Path, tokenizer: Any) -> dict[str, Any]:
    """Return the arguments of `model.save_pretrained_merged`."""
    return {"save_directory": str(folder), "tokenizer": tokenizer, "save_method": "merged_16bit"}


def unsloth_gguf_arguments(folder: Path, tokenizer: Any, quantisation: str) -> dict[str, Any]:
    """Return the arguments of `model.save_pretrained_gguf`."""
    return {"save_directory": str(folder), "tokenizer": tokenizer, "quantization_method": quantisation}


def pad_ready(tokenizer: Any) -> Any:
    """Give the tokenizer a padding token where it has none. Padded labels are ignored, so any token will do."""
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def half_precision(recipe: Recipe) -> bool:
    """Return whether to compute in bf16: the recipe says so and the GPU supports it. A CPU trains in float32."""
    import torch

    return recipe.schedule.precision == "bf16" and torch.cuda.is_available() and torch.cuda.is_bf16_supported()


def _checkpointing(recipe: Recipe) -> str | bool:
    return "unsloth" if recipe.schedule.gradient_checkpointing else False
