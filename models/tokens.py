"""The number of tokens of a text, estimated without its model's tokenizer."""

from __future__ import annotations

import re

import numpy as np

# Hundredths of a token per byte. Fitted to SmolLM2's tokenizer, which cuts finer than those of larger models (each
# digit is a token), on half of 550 texts (questions, chains of thought, guideline passages), then raised by a fifth.
_LOWER, _UPPER, _DIGIT, _SIGN, _SPACE, _LINE, _OTHER = 10, 40, 130, 100, 75, 200, 90
_WORD = re.compile(r"[A-Za-z]+")


def _weight(byte: int) -> int:
    char = chr(byte)
    if byte >= 128:
        return _OTHER
    if char.isalpha():
        return _LOWER if char.islower() else _UPPER
    if char.isdigit():
        return _DIGIT
    return {" ": _SPACE, "\n": _LINE, "\t": _LINE, "\r": _LINE}.get(char, _SIGN)


_WEIGHTS = np.array([_weight(byte) for byte in range(256)], dtype=np.int64)


def estimate_tokens(text: str) -> int:
    """Return the estimated number of tokens of `text`, rather too many than too few; it is the same on every machine.

    Token budgets of cases use it, so it must not depend on a running server. Against SmolLM2's tokenizer, on the other
    half of the texts, it is 1.06 to 1.31 of the true count for the middle nine tenths and at least 0.94.
    """
    counts = np.bincount(np.frombuffer(text.encode("utf-8", "surrogatepass"), dtype=np.uint8), minlength=256)
    return -(-int(counts @ _WEIGHTS) // 100)


def least_tokens(text: str) -> int:
    """Return a lower bound of the number of tokens of `text`: no tokenizer in use joins two words."""
    return len(_WORD.findall(text))
