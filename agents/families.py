"""Families of models, by name: judges of one family share mistakes, and so do a judge and the model that it audits."""

from __future__ import annotations


def family(model: str) -> str:
    """Return the letters that a model's name begins with: `Qwen3-8B` and `qwen2.5-7b-instruct` are both `qwen`."""
    name = model.rsplit("/", 1)[-1].lower()
    letters = name[: next((i for i, c in enumerate(name) if not c.isalpha()), len(name))]
    return letters or name
