"""Log-probabilities of one-letter answers inside a reply, as the server reports them for each of its tokens."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

TOP_LOGPROBS = 20
"""Alternatives asked for at each token: the most that OpenAI's interface allows."""

# A token may bring the quotation mark, the colon or the space beside the letter.
_LETTER = re.compile(r"\W*(\w)\W*")


def letter_logprobs(logprobs: object, letters: Sequence[str]) -> tuple[tuple[float, ...], ...] | None:
    """Return, for each token of the reply that is one of `letters`, the log-probability of every letter there.

    A letter that is not among the server's alternatives has at most the probability of the least of them, and gets it.

    Args:
        logprobs: `choices[0].logprobs` of a chat completion; anything else counts as no report.
        letters: The letters, in the order of the result.

    Returns:
        Natural logarithms, shape (letter tokens, letters), in the order of the reply; None where the server reports
        none that can be read.
    """
    content = logprobs.get("content") if isinstance(logprobs, Mapping) else None
    if not letters or not isinstance(content, list):
        return None
    answers = []
    for entry in content:
        alternatives = entry.get("top_logprobs") if isinstance(entry, Mapping) else None
        if not isinstance(alternatives, list) or _letter(entry, letters) is None:
            continue
        options = [option for option in (entry, *alternatives) if _is_option(option)]
        if options:
            answers.append(_of_each(options, letters))
    return tuple(answers) or None


def _of_each(options: Sequence[Mapping[str, Any]], letters: Sequence[str]) -> tuple[float, ...]:
    logprob_of_token = {option["token"]: min(float(option["logprob"]), 0.0) for option in options}
    least = min(logprob_of_token.values())
    mass = dict.fromkeys(letters, 0.0)
    for token, logprob in logprob_of_token.items():
        letter = _letter({"token": token}, letters)
        if letter is not None:
            mass[letter] += math.exp(logprob)
    return tuple(round(math.log(mass[letter]), 6) if mass[letter] > 0 else least for letter in letters)


def _letter(option: Mapping[str, Any], letters: Sequence[str]) -> str | None:
    match = _LETTER.fullmatch(str(option.get("token", "")))
    return match[1] if match and match[1] in letters else None


def _is_option(option: object) -> bool:
    if not isinstance(option, Mapping):
        return False
    token, logprob = option.get("token"), option.get("logprob")
    return isinstance(token, str) and isinstance(logprob, (int, float)) and math.isfinite(logprob)
