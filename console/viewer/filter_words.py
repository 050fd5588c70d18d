"""Filters in words, as the pages say them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_FLAGS = {
    "disagreement": "voting judges whose labels differ",
    "resolver": "the resolver",
    "flawed": "a right answer and a wrong step",
}


def trace_filter_words(query: Mapping[str, Any]) -> list[str]:
    """Return a filter of traces in words."""
    return [*_common(query), *_fields(query, ("arm", "model", "outcome", "error_type", "reason", "answer"))]


def step_filter_words(query: Mapping[str, Any]) -> list[str]:
    """Return a filter of steps in words."""
    words = [*_common(query), *_fields(query, ("arm", "model", "outcome", "error_type", "reason"))]
    words += [f"evidence {query['grade']}"] if query.get("grade") else []
    judge, label = query.get("judge"), query.get("label")
    if judge or label:
        said = {"against": "against the verdict", None: "asked"}.get(label, f"saying {str(label).replace('_', ' ')}")
        words.append(f"{judge or 'any judge'} {said}")
    return words


def _common(query: Mapping[str, Any]) -> list[str]:
    parts = [text for name, text in _FLAGS.items() if query.get(name)]
    return parts + ([f"“{query['words']}”"] if query.get("words") else [])


def _fields(query: Mapping[str, Any], names: tuple[str, ...]) -> list[str]:
    return [f"{name} {query[name]}".replace("_", " ") for name in names if query.get(name)]
