"""LangSmith tracing that the environment asks for: prompts hold traces and questions, and are not to leave by it."""

from __future__ import annotations

import functools
import os
import warnings
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_VARIABLES = ("LANGSMITH_TRACING", "LANGCHAIN_TRACING_V2", "LANGSMITH_TRACING_V2", "LANGCHAIN_TRACING")
_ALLOWED = "TRACEJURY_LANGSMITH"


class TracingOffWarning(UserWarning):
    """LangSmith tracing that the environment asks for was left off."""


def unwanted_tracing() -> list[str]:
    """Return the variables of the environment that switch LangSmith tracing on, unless the user wants it here."""
    on = [name for name in _VARIABLES if os.environ.get(name, "").strip().lower() in ("1", "true", "yes", "on")]
    return [] if os.environ.get(_ALLOWED) else on


def tracing_notice(variables: list[str], where: str) -> str:
    """Return what to tell the user."""
    return f"{', '.join(variables)} would send prompts to LangSmith and is off {where}; {_ALLOWED}=1 leaves it on"


def untraced(function: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    """Return `function` with LangSmith tracing off inside it, and a warning where the environment asks for tracing.

    The environment stays as it is: it belongs to the program that calls us, which may trace its own work.
    """

    @functools.wraps(function)
    async def call(*args: P.args, **kwargs: P.kwargs) -> T:
        variables = unwanted_tracing()
        if not variables:
            return await function(*args, **kwargs)
        from langsmith.run_helpers import tracing_context

        warnings.warn(tracing_notice(variables, "for this call"), TracingOffWarning, stacklevel=2)
        with tracing_context(enabled=False):
            return await function(*args, **kwargs)

    return call
