"""The prompt of students and teachers: the same words in training, sampling and serving."""

from __future__ import annotations

from collections.abc import Mapping

VERSION = "1"

QUESTION = """\
Answer the medical question below. Reason in numbered steps, one claim a step. \
Close with a line of its own: "The answer is (X)." where X is the letter of one option.

"""

DISCLOSED = """\

For your eyes only: the correct answer is ({gold}). Reason towards it from the case itself, \
as if you did not know it, and do not mention that you were told.
"""


def question_prompt(stem: str, options: Mapping[str, str], disclose: str | None = None) -> str:
    """Return the user's message for a question.

    Args:
        stem: The question.
        options: Text by letter; may be empty.
        disclose: The gold letter, for the prompt that discloses the answer (docs/PROTOCOL.md, 'Teacher data').
    """
    listed = "\n".join(f"{letter}. {text}" for letter, text in options.items())
    prompt = QUESTION + stem.strip() + (f"\n\n{listed}" if listed else "") + "\n"
    return prompt if disclose is None else prompt + DISCLOSED.replace("{gold}", disclose)


def closing_sentence(answer: str) -> str:
    """Return the closing answer sentence, as the prompt asks for it."""
    return f"The answer is ({answer})."
