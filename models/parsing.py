"""From the text of a reply to an instance of its schema, and the request for a repair where that fails."""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, ValidationError

from tracejury.models.coercion import validated
from tracejury.models.records import Data, Message
from tracejury.models.reply_text import may_repeat_label, objects_in, storable_escapes

_REPLY_IN_REPAIR = 2000
"""Characters of an unusable reply that its repair repeats."""

Reply = TypeVar("Reply", bound=BaseModel)


def parse_reply(text: str, schema: type[Reply], *, is_last: bool = False) -> Reply:
    """Return the reply as an instance of `schema`.

    Thinking, code fences, prose and wrappers around the object are skipped, and values with one meaning in the wrong
    form are converted; nothing is shortened or guessed. An object with two labels that differ has none.

    Args:
        text: The text of the reply.
        schema: The type of the reply.
        is_last: There will be no repair; see `validated`.

    Raises:
        ValidationError: No object in `text` fits.
    """
    text = storable_escapes(text)
    problem: ValidationError | None = None
    first = True
    if not may_repeat_label(text):
        try:
            return schema.model_validate_json(text)
        except ValidationError as error:
            problem = error
    for value in objects_in(text):
        try:
            return validated(value, schema, is_last=is_last)
        except ValidationError as error:
            problem, first = (error if first else problem), False
    if problem is None:
        # There is no object at all: pydantic says so.
        return schema.model_validate_json("" if may_repeat_label(text) else text)
    raise problem


def repair(messages: tuple[Message, ...], reply: str, problem: str) -> tuple[Message, ...]:
    """Return the messages of a second request, with the unusable reply and the problem with it."""
    excerpt = reply
    if len(reply) > _REPLY_IN_REPAIR:
        excerpt = f"{reply[:_REPLY_IN_REPAIR]} [{len(reply) - _REPLY_IN_REPAIR} more characters]"
    return (
        *messages,
        # A reply may repeat the text that it judges, so it is data like that text.
        Message(role="assistant", parts=(Data(label="reply", text=excerpt or "(empty)"),)),
        Message(
            role="user",
            parts=(f"That reply cannot be used: {problem}\nReply again to the task above, with the JSON object only.",),
        ),
    )


def problem_of(error: ValidationError) -> str:
    """Return the problem in one line, without the input (which the repair shows anyway)."""
    parts = (f"{'.'.join(map(str, e['loc'])) or 'the reply'}: {e['msg']}" for e in error.errors(include_url=False)[:5])
    return "; ".join(parts)
