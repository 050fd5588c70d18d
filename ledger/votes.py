"""The votes of the judges on a step as one short text that a database can count: `data:supported+|facts:error`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from tracejury.agents import Opinion

FAILED = "failed"


class Vote(NamedTuple):
    """One judge's vote."""

    judge: str
    label: str
    """A label, or `failed`."""
    grounded: bool


def votes_of(opinions: Iterable[Opinion]) -> str:
    """Return the opinions as text, sorted by judge, each judge once."""
    parts = {o.judge: f"{_clean(o.judge)}:{o.label or FAILED}{'+' if o.grounded else ''}" for o in opinions}
    return "|".join(parts[judge] for judge in sorted(parts))


def read_votes(text: str) -> tuple[Vote, ...]:
    """Return what `votes_of` wrote as records."""
    votes = []
    for part in filter(None, text.split("|")):
        judge, _, label = part.rpartition(":")
        votes.append(Vote(judge, label.removesuffix("+"), label.endswith("+")))
    return tuple(votes)


def _clean(judge: str) -> str:
    return judge.replace("|", "/")
