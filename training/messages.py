"""Conversations as training data, in the form of TRL and the hub: `{"messages": [{"role": ..., "content": ...}, ...]}`.

What comes in this form is trained on as it stands: the turns before the last reply are the prompt, in the student's own
template, without the question prompt of this package, and no answer is looked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from tracejury.storage import first_fault
from tracejury.traces import Question, Trace
from tracejury.training.recipe import RecipeError

READER = "messages"
"""The `--reader` of such files."""
PRIOR = "messages"
"""The `meta` key of a question that came as a conversation: the turns before the reply."""


class Turn(BaseModel):
    """One turn of a conversation."""

    model_config = ConfigDict(frozen=True)

    role: Literal["system", "user", "assistant"]
    content: str


class Conversation(BaseModel):
    """A row; other columns are left alone."""

    model_config = ConfigDict(frozen=True)

    messages: tuple[Turn, ...]
    model: str = "unknown"
    arm: str = READER

    @field_validator("messages")
    @classmethod
    def _ends_with_a_reply(cls, turns: tuple[Turn, ...]) -> tuple[Turn, ...]:
        if len(turns) < 2 or turns[-1].role != "assistant" or all(turn.role != "user" for turn in turns):
            raise ValueError("a conversation has a user's turn and ends with the assistant's")
        return turns


def read_messages(paths: Iterable[str | Path]) -> list[tuple[Question, Trace]]:
    """Return the last reply of each conversation as a trace, and the turns before it as its question.

    Raises:
        RecipeError: A file is missing or empty, or a line is no conversation; the message names file and line.
    """
    pairs: list[tuple[Question, Trace]] = []
    for path in map(Path, paths):
        if not path.is_file():
            raise RecipeError(f"{path}: no such file. `--reader {READER}` takes JSON lines with `messages`.")
        with path.open(encoding="utf-8") as lines:
            pairs += [_pair(f"{path}:{number}", line) for number, line in enumerate(lines, 1) if line.strip()]
    if not pairs:
        raise RecipeError(f"{', '.join(map(str, paths))}: no conversation found.")
    return pairs


def _pair(place: str, line: str) -> tuple[Question, Trace]:
    try:
        conversation = Conversation.model_validate_json(line)
    except ValidationError as error:
        raise RecipeError(
            f'{place}: no conversation ({first_fault(error, "line")}). A line is {{"messages": [{{"role": "user", '
            '"content": ...}}, {{"role": "assistant", "content": ...}}]}}.'
        ) from error
    *prior, reply = conversation.messages
    # The stem is all of the prompt: two conversations that end with the same words are two questions.
    stem = "\n\n".join(turn.content for turn in prior)
    question = Question(stem=stem, source=READER, meta={PRIOR: [turn.model_dump() for turn in prior]})
    trace = Trace(question_id=question.id, model=conversation.model, arm=conversation.arm, text=reply.content)
    return question, trace


def conversation_row(prior: Iterable[Mapping[str, Any]], reply: str, **columns: Any) -> dict[str, Any]:
    """Return a row in the form that `read_messages` reads, with further columns."""
    return {"messages": [*prior, {"role": "assistant", "content": reply}], **columns}
