"""The word lists of words.yaml."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import yaml


@cache
def word_list(name: str) -> frozenset[str]:
    """Return a list of words.yaml by its key."""
    return _lists()[name]


@cache
def _lists() -> dict[str, frozenset[str]]:
    listed = yaml.safe_load((files("tracejury.agents.claims") / "words.yaml").read_text("utf-8"))
    return {name: frozenset(words) for name, words in listed.items()}
