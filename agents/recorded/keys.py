"""What a recorded opinion is about: the public name of a step, which no judge sees."""

from __future__ import annotations

from typing import NamedTuple


class StepKey(NamedTuple):
    """The public name of a step. Only the judge `recorded` is handed one: an arm would unblind any other judge."""

    step_id: str
    questions: tuple[str, ...]
    """The names of the question: its source's own key, and its id."""
    arm: str
    sample: int
    step_index: int
    text: str
    """The step as the trace has it, before style-blinding."""


def same_text(text: str) -> str:
    """Return the text without differences in white space."""
    return " ".join(text.split())
