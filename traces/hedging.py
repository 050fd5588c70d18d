"""Hedging expressions: how often a text softens what it says."""

from __future__ import annotations

import re

LEXICON = (
    "might",
    "may",
    "could",
    "possibly",
    "perhaps",
    "probably",
    "likely",
    "unlikely",
    r"suggest\w*",
    r"indicat\w*",
    r"appear\w*",
    r"consistent\s+with",
    "typically",
    "generally",
)
"""The 14 patterns of Jiang et al. (arXiv 2605.28301), as data: whole words, any case."""

_HEDGE = re.compile(rf"\b(?:{'|'.join(LEXICON)})\b", re.IGNORECASE)


def count_hedges(text: str) -> int:
    """Return the number of hedging expressions in `text` (rate per 100 words: divide by the words and times 100)."""
    return sum(1 for _ in _HEDGE.finditer(text))
