"""A recipe's `trainer` section: arguments for TRL that the recipe has no key for (optimiser, loggers, kernels ...)."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from tracejury.training.recipe import RecipeError

DEFAULTS: dict[str, Any] = {"report_to": "none", "disable_tqdm": True, "log_level": "error"}
"""What a `trainer` section may change although the product sets it."""

_LOADING = "model_init_kwargs"
"""TRL's name for the arguments of `from_pretrained`; the product loads the model, so they are passed there."""


def with_trainer_options(arguments: Mapping[str, Any], options: Mapping[str, Any], config: type) -> dict[str, Any]:
    """Return the arguments of a TRL config, completed by the recipe's `trainer` section.

    Args:
        arguments: What the product sets itself.
        options: The recipe's `trainer` section.
        config: `trl.SFTConfig` or `trl.GRPOConfig`.

    Raises:
        RecipeError: An option is unknown to the config, or another key of the recipe sets it.
    """
    fields = {field.name for field in dataclasses.fields(config)}
    for name in options:
        if name in arguments:
            raise RecipeError(
                f"trainer.{name}: the recipe sets this itself (`schedule`, `grpo`, or the folder of the student). "
                "Take it out of `trainer`."
            )
        if name not in fields:
            near = get_close_matches(name, fields, n=1)
            hint = f"; do you mean {near[0]!r}?" if near else ""
            raise RecipeError(f"trainer.{name}: {config.__name__} has no such argument{hint}")
    passed_on = {name: value for name, value in options.items() if name != _LOADING}
    return {**DEFAULTS, **arguments, **passed_on}


def loading_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a `trainer` section passes to `from_pretrained` (`model_init_kwargs`: attention kernel, ...)."""
    loading: dict[str, Any] = options.get(_LOADING) or {}
    return dict(loading)
