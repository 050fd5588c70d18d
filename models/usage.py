"""Token usage of a reply: numbers that a server reports are checked, and estimated where they are not credible."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

from tracejury.models.tokens import estimate_tokens, least_tokens

MOST_TOKENS = 10_000_000
"""No model in use reads or writes more in one call."""
_SMALLEST_WINDOW = 256
"""Tokens. A server that counts fewer in a longer prompt left out what its cache held: none cuts prompts to this."""
_HIDDEN_TOKENS = 2000
"""Tokens that a server may add to a prompt: its chat template, a system prompt of its own."""


class Usage(NamedTuple):
    """Tokens of one call."""

    prompt_tokens: int
    cached_tokens: int
    """A part of `prompt_tokens`."""
    completion_tokens: int
    is_estimated: bool = False
    """Some number was missing or not credible, and is an estimate from the texts."""


def read_usage(usage: object, prompt: str, completion: str) -> Usage:
    """Return the usage of a call.

    Args:
        usage: The `usage` field of a chat completion; anything is accepted.
        prompt: The text of all messages, for an estimate.
        completion: The text of the reply, reasoning included, for an estimate.
    """
    reported = usage if isinstance(usage, Mapping) else {}
    details = reported.get("prompt_tokens_details")
    prompt_tokens = _credible(_whole(reported.get("prompt_tokens")), prompt)
    completion_tokens = _whole(reported.get("completion_tokens"))
    cached = _whole(details.get("cached_tokens")) if isinstance(details, Mapping) else None
    # A prompt has tokens; zero is a server that does not count.
    is_estimated = not prompt_tokens or completion_tokens is None or (completion_tokens == 0 and bool(completion))
    if not prompt_tokens:
        prompt_tokens = estimate_tokens(prompt)
    if completion_tokens is None or (completion_tokens == 0 and completion):
        completion_tokens = estimate_tokens(completion)
    return Usage(prompt_tokens, min(cached or 0, prompt_tokens), completion_tokens, is_estimated)


def _credible(prompt_tokens: int | None, prompt: str) -> int | None:
    """Return the reported tokens of a prompt; None: they cannot be those of this prompt."""
    if prompt_tokens is None or prompt_tokens > 4 * len(prompt) + _HIDDEN_TOKENS:
        return None  # a character has four bytes at most, and a token has one at least
    is_uncached_rest = prompt_tokens < _SMALLEST_WINDOW and prompt_tokens < least_tokens(prompt) / 2
    return None if is_uncached_rest else prompt_tokens


def _whole(number: object) -> int | None:
    """Return a reported number as a whole one; None: it is missing or not credible."""
    if isinstance(number, str):
        try:
            number = float(number)
        except ValueError:
            return None
    if isinstance(number, bool) or not isinstance(number, (int, float)):
        return None
    if isinstance(number, float) and not math.isfinite(number):
        return None
    return round(number) if 0 <= number <= MOST_TOKENS else None
