"""Rendering a conversation with the student's own chat template, and proving that the template is the expected one."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from tracejury.training.recipe import RecipeError, Student

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_THINK = "<think>\n\n</think>"


class Rendered(NamedTuple):
    """A prompt up to and with the assistant's header, and the completion up to and with the end of its turn."""

    prompt: str
    completion: str


Prior = str | Sequence[Mapping[str, Any]]
"""What stands before a reply: the user's words, or several turns as messages."""


def render(tokenizer: PreTrainedTokenizerBase, student: Student, prior: Prior, reply: str) -> Rendered:
    """Render one training row.

    The end of the completion comes from the template itself: the student must learn to emit whatever the template
    puts after an assistant's words, in order to stop.

    Raises:
        RecipeError: The tokenizer has no template, or the template loses the reply.
    """
    prompt = render_prompt(tokenizer, student, prior)
    reply = reply.strip()
    messages = [*turns_of(prior), {"role": "assistant", "content": reply}]
    whole = str(tokenizer.apply_chat_template(messages, tokenize=False, **template_arguments(student)))
    at = whole.rfind(reply)
    if at < 0:
        raise RecipeError(
            f"{student.model}: the chat template changes the reply's text, so that a completion-only loss would miss "
            f"it. Rendered: {whole[-200:]!r}. Use another template, or the base model's own."
        )
    end = whole[at + len(reply) :].rstrip("\n")
    if not end:
        if tokenizer.eos_token is None:
            raise RecipeError(
                f"{student.model}: neither the template nor the tokenizer has an end of turn, so the student could not "
                "learn to stop. Set the tokenizer's eos_token."
            )
        end = str(tokenizer.eos_token)
    return Rendered(prompt, reply + end)


def turns_of(prior: Prior) -> list[dict[str, Any]]:
    """Return the turns before a reply as messages."""
    return [{"role": "user", "content": prior}] if isinstance(prior, str) else [dict(turn) for turn in prior]


def render_prompt(tokenizer: PreTrainedTokenizerBase, student: Student, prior: Prior) -> str:
    """Render a prompt for generation; checks the template against the recipe's `markers` and `think`.

    Raises:
        RecipeError: A marker is missing; the message shows what was rendered.
    """
    if not tokenizer.chat_template:
        raise RecipeError(
            f"{tokenizer.name_or_path or student.model}: the tokenizer has no chat template. Take an instruct model, "
            "or put a chat_template.jinja into this folder."
        )
    turns = turns_of(prior)
    prompt = str(
        tokenizer.apply_chat_template(
            turns,
            tokenize=False,
            add_generation_prompt=True,
            **template_arguments(student),
        )
    )
    expected = (*student.markers, *((_THINK,) if student.think == "empty" else ()))
    missing = [m for m in expected if m not in prompt]
    missing_turns = [str(turn["content"])[:40] for turn in turns if str(turn["content"]).strip() not in prompt]
    if missing or missing_turns:
        raise RecipeError(
            f"{student.model}: the chat template lacks the expected markers {missing or missing_turns}. "
            f"Rendered: {prompt[:120]!r} ... {prompt[-120:]!r}. Correct `student.markers` or `student.think` in the "
            "recipe, or take the tokenizer that belongs to the model."
        )
    return prompt


def template_arguments(student: Student) -> dict[str, Any]:
    """Return the template's arguments besides the messages; templates that do not know them ignore them."""
    return {"enable_thinking": False} if student.think == "empty" else {}


def template_hash(tokenizer: PreTrainedTokenizerBase) -> str:
    """Return the SHA-256 of the template's source."""
    return hashlib.sha256(str(tokenizer.chat_template).encode()).hexdigest()
