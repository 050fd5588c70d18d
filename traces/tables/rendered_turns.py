"""A prompt as a chat template has written it, taken back to what the user asked."""

from __future__ import annotations

import re

from tracejury.traces.answer_cues import holds_one

_USER_TURNS = tuple(
    re.compile(pattern, re.DOTALL)
    for pattern in (
        r"<\|im_start\|>\s*user\s*\n(.*?)(?:<\|im_end\|>|\Z)",
        r"<\|start_header_id\|>\s*user\s*<\|end_header_id\|>\s*(.*?)(?:<\|eot_id\|>|\Z)",
        r"<\|start\|>user<\|message\|>(.*?)(?:<\|end\|>|\Z)",
        r"<start_of_turn>\s*user\s*\n(.*?)(?:<end_of_turn>|\Z)",
        r"<\|user\|>\s*(.*?)(?:<\|end\|>|<\|assistant\|>|</s>|\Z)",
        r"<\uff5cUser\uff5c>(.*?)(?:<\uff5cAssistant\uff5c>|\Z)",
        r"\[INST\]\s*(?:<<SYS>>.*?<</SYS>>\s*)?(.*?)\s*\[/INST\]",
        r"(?:\A|\n)(?:Human|USER):\s*(.*?)\s*(?:\n+(?:Assistant|ASSISTANT):|\Z)",
    )
)
_MARKS = ("<|", "<start_of_turn>", "<\uff5c", "[INST]", "Human:", "USER:")
"""One of these stands in any prompt that a template has written."""
_INSTRUCTION = re.compile(
    r"\A(?:please\s+)?(?:answer|solve)\s+the\s+following\b[^\n?]*"
    r"(?:\bmultiple[ -]choice\b|\bmedical\b|\bstep by step\b)[^\n?]*\n\s*\n(?=\S)"
    r"|\A(?:you\s+are\s+an?|the\s+following\s+(?:is|are)|(?:please\s+)?(?:answer|choose|select|read|think|solve))\b"
    r"(?=[^\n?]*\b(?:answer|assistant|expert|question|options?|step[ -]by[ -]step)\b)[^\n?\d]*\n\s*\n(?=\S)",
    re.IGNORECASE,
)


def user_text(prompt: str) -> str:
    """Return the last user turn of a prompt that holds a template's marks, without an instruction that precedes it.

    An instruction is a first paragraph such as "Answer the following multiple choice question. ..." or "You are a
    careful physician. Answer the question."; one that asks, or has a number, is the question's own. A prompt without
    marks and instruction is returned as it is.
    """
    for pattern in _USER_TURNS if holds_one(prompt, _MARKS) else ():
        if turns := pattern.findall(prompt):
            prompt = turns[-1].strip()
            break
    instruction = _INSTRUCTION.match(prompt)
    return prompt if instruction is None else prompt[instruction.end() :]


_SHORTEST_PROMPT = 20
"""Characters from which a reply that begins like its prompt repeats it."""


def without_prompt(value: object, prompt: str | None) -> object:
    """Return a reply, or a list of them, without the prompt before it, as programs that complete texts save it.

    What does not begin with the prompt is returned as it is, the very same object.
    """
    head = (prompt or "").strip()
    if isinstance(value, list):
        parts = [without_prompt(part, prompt) for part in value]
        return parts if any(part is not old for part, old in zip(parts, value, strict=True)) else value
    if not isinstance(value, str) or len(head) < _SHORTEST_PROMPT or not value.lstrip().startswith(head):
        return value
    return value.lstrip()[len(head) :].lstrip()
