"""Estimate whether a recipe fits into memory, before anything is loaded."""

from __future__ import annotations

import os
from typing import NamedTuple

from tracejury.training.recipe import Recipe, RecipeError

GIB = 2**30


class Need(NamedTuple):
    """An estimate in bytes: precise enough to refuse what cannot fit, no guarantee that the rest does."""

    weights: int
    training: int
    """Gradients, optimizer states and, with an adapter, its own weights."""
    activations: int

    @property
    def total(self) -> int:
        """The sum, plus a tenth for buffers and fragmentation."""
        return int((self.weights + self.training + self.activations) * 1.1)


class Size(NamedTuple):
    """The properties of a model that the estimate depends on."""

    parameters: int
    hidden: int
    intermediate: int
    layers: int
    adapted: int
    """Parameters that are trained."""
    cache_width: int = 0
    """Key-value heads times their width: a token takes 4 bytes of cache for each and each layer, in 16 bit."""

    def cache_bytes(self, tokens: int) -> int:
        """Return the bytes of the cache for this many tokens in 16 bit: a key and a value in every layer."""
        return 4 * self.layers * self.cache_width * tokens


def measure(weights: str, recipe: Recipe) -> Size:
    """Count a model's parameters from its config alone, on torch's meta device, where nothing is allocated."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    config = AutoConfig.from_pretrained(weights, revision=recipe.student.revision)
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)
    parameters = sum(p.numel() for p in model.parameters())
    adapted = parameters
    if recipe.lora:
        adapted = sum(
            recipe.lora.r * (module.in_features + module.out_features)
            for name, module in model.named_modules()
            if isinstance(module, torch.nn.Linear) and name.rsplit(".", 1)[-1] in recipe.lora.targets
        )
        if not adapted:
            raise RecipeError(
                f"{weights}: none of lora.targets {list(recipe.lora.targets)} is a layer of this model; its linear "
                f"layers are {sorted({n.rsplit('.', 1)[-1] for n, m in model.named_modules() if _linear(m)})}."
            )
    text = config.get_text_config()
    heads = getattr(text, "num_key_value_heads", None) or text.num_attention_heads
    width = heads * (getattr(text, "head_dim", None) or text.hidden_size // text.num_attention_heads)
    return Size(parameters, text.hidden_size, text.intermediate_size, text.num_hidden_layers, adapted, width)


def _linear(module: object) -> bool:
    import torch

    return isinstance(module, torch.nn.Linear)


def estimate(size: Size, recipe: Recipe, half: bool, batch: int | None = None, length: int | None = None) -> Need:
    """Estimate the peak: weights, what is trained (float32 weight, gradient, two Adam moments), activations.

    Activations: a layer keeps its input when checkpointed, about 16 hidden + 4 intermediate values a token when not
    (or while it is recomputed).
    """
    width = 2 if half else 4
    tokens = (batch or recipe.schedule.batch) * (length or recipe.schedule.max_length)
    layer = tokens * (16 * size.hidden + 4 * size.intermediate) * width
    layer_inputs = tokens * size.hidden * width
    checkpointed = recipe.schedule.gradient_checkpointing
    activations = size.layers * layer_inputs + layer if checkpointed else size.layers * layer
    # 4 bit: half a byte a weight, and an eighth more for the constants and the layers that stay in 16 bit.
    weights = size.parameters * 5 // 8 if recipe.student.load_in_4bit else size.parameters * width
    return Need(weights, size.adapted * (16 if recipe.lora else 12), activations)


def require_memory(weights: str, recipe: Recipe, half: bool, free: int | None = None) -> Need:
    """Return the memory that the recipe needs, or refuse a recipe that cannot fit.

    Args:
        weights: A folder or a hub name.
        recipe: The recipe.
        half: Whether weights are stored in 16 bit.
        free: Bytes available; None: the bytes that are free now, on the GPU or else on the machine.

    Raises:
        RecipeError: The recipe does not fit; the message says what would.
    """
    size = measure(weights, recipe)
    need = estimate(size, recipe, half)
    free = free_memory() if free is None else free
    if need.total <= free:
        return need
    raise RecipeError(
        f"{recipe.name} needs about {need.total / GIB:.1f} GiB ({size.parameters / 1e9:.2f} billion parameters, batch "
        f"{recipe.schedule.batch} of {recipe.schedule.max_length} tokens) and {free / GIB:.1f} GiB are free. "
        + _advice(size, recipe, half, free)
    )


def _advice(size: Size, recipe: Recipe, half: bool, free: int) -> str:
    length = recipe.schedule.max_length
    while length >= 256:
        if estimate(size, recipe, half, batch=1, length=length).total <= free:
            rest = recipe.schedule.batch * recipe.schedule.accumulation
            return f"It would fit with schedule.batch 1, accumulation {rest} and max_length {length}."
        length //= 2
    fixed = estimate(size, recipe, half, batch=1, length=256).total
    return (
        f"No batch fits; a model of about {size.parameters * free / fixed / 1e9:.2g} billion parameters would "
        "(smollm2-135m trains in 4 GiB)."
    )


def free_memory() -> int:
    """Return the bytes free on the GPU, or without one on the machine."""
    import torch

    if torch.cuda.is_available():
        return int(torch.cuda.mem_get_info()[0])
    meminfo = "/proc/meminfo"
    if os.path.exists(meminfo):
        with open(meminfo, encoding="ascii") as lines:
            for line in lines:
                if line.startswith("MemAvailable:"):
                    return int(line.split()[1]) * 1024
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
