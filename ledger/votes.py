"""What the judges said of a step, as one short text: `data:supported+|facts:error`. A database can count such texts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from tracejury.agents import Opinion

FAILED = "failed"


class Vote(NamedTuple):
    """One judge's part of it."""

    judge: str
    said: str
    """A label, or `failed`."""
    grounded: bool


def votes_of(opinions: Iterable[Opinion]) -> str:
    """Return the opinions as text, sorted by judge, each judge once."""
    parts = {o.judge: f"{_clean(o.judge)}:{o.label or FAILED}{'+' if o.grounded else ''}" for o in opinions}
    return "|".join(parts[judge] for judge in sorted(parts))


def read_votes(text: str) -> tuple[Vote, ...]:
    """Return what `votes_of` wrote as records."""
    made = []
    for part in filter(None, text.split("|")):
        judge, _, said = part.rpartition(":")
        made.append(Vote(judge, said.removesuffix("+"), said.endswith("+")))
    return tuple(made)


def _clean(judge: str) -> str:
    return judge.replace("|", "/")
