"""Two arms' steps beside each other: which step of the one says what a step of the other says."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import zip_longest
from typing import NamedTuple

from tracejury.agents import Deliberation

_WORDS = re.compile(r"\w+")
_ALIKE = 0.2
"""Steps that share less of their words than this do not stand beside each other."""
_MOST = 200
"""Longer arms are aligned up to here, and by their order from there on."""


class PairedSteps(NamedTuple):
    """One row: a step of either arm, or of one alone."""

    left: Deliberation | None
    right: Deliberation | None
    alike: bool
    """The two share words enough to say the same; otherwise they merely stand in the same place."""


def aligned(left: Sequence[Deliberation], right: Sequence[Deliberation]) -> list[PairedSteps]:
    """Return both arms in their own order, steps that say the same beside each other, the others by their place.

    The pairing maximises the shared share of words (Jaccard) over all pairings that keep both orders (Needleman and
    Wunsch 1970, J Mol Biol 48:443, with gaps that cost nothing).
    """
    a = [frozenset(_WORDS.findall(d.step.text.lower())) for d in left[:_MOST]]
    b = [frozenset(_WORDS.findall(d.step.text.lower())) for d in right[:_MOST]]
    likeness = [[_likeness(x, y) for y in b] for x in a]
    best = [[0.0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i in range(len(a) - 1, -1, -1):
        for j in range(len(b) - 1, -1, -1):
            best[i][j] = max(best[i + 1][j], best[i][j + 1], best[i + 1][j + 1] + likeness[i][j])
    rows: list[PairedSteps] = []
    i = j = rows_left = rows_right = 0
    while i < len(a) and j < len(b):
        if likeness[i][j] > 0 and best[i][j] == best[i + 1][j + 1] + likeness[i][j]:
            rows += _by_place(left[rows_left:i], right[rows_right:j])
            rows.append(PairedSteps(left[i], right[j], True))
            i, j = i + 1, j + 1
            rows_left, rows_right = i, j
        elif best[i][j] == best[i + 1][j]:
            i += 1
        else:
            j += 1
    return rows + _by_place(left[rows_left:], right[rows_right:])


def _by_place(left: Sequence[Deliberation], right: Sequence[Deliberation]) -> list[PairedSteps]:
    return [PairedSteps(a, b, False) for a, b in zip_longest(left, right)]


def _likeness(a: frozenset[str], b: frozenset[str]) -> float:
    shared = len(a & b) / max(len(a | b), 1)
    return shared if shared >= _ALIKE else 0.0
