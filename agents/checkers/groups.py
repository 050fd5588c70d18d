"""Which of the sentences that one judge cites for one claim count: read together, and each must add something."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations
from typing import NamedTuple

from tracejury.agents.checkers.contracts import MOST_SENTENCES, Pair, Probabilities
from tracejury.agents.evidence_records import Relation


class GroupCount(NamedTuple):
    """What a group of sentences comes to."""

    counting: tuple[int, ...]
    """Positions of the sentences that count, in the order cited; empty where the group stays below the threshold."""
    p: float
    """P(relation) of the sentences that are left after leave-one-out, whether they count or not."""


def pairs_to_score(claim: str, sentences: Sequence[str]) -> list[Pair]:
    """Return every pair that `count_group` may look up for these sentences: at most 7, so that one call scores all."""
    positions = _cited_positions(sentences)
    return [
        _pair(claim, sentences, group)
        for size in range(1, len(positions) + 1)
        for group in combinations(positions, size)
    ]


def count_group(
    claim: str,
    sentences: Sequence[str],
    relation: Relation,
    score: Callable[[Pair], Probabilities],
    threshold: float | None,
) -> GroupCount:
    """Decide which sentences of one judge count for one claim and relation.

    A sentence that does not raise P(relation) against the group without it is dropped, the least useful first, until
    each of the rest does. A single sentence stands against no evidence, whose probability is 0.

    Args:
        claim: The claim.
        sentences: In the order cited. Repetitions and what comes after the third different one do not count.
        relation: What the judge asserts.
        score: Calibrated probabilities of the pairs of `pairs_to_score`.
        threshold: The least P(relation) that counts; None: nothing does.

    Raises:
        ValueError: The relation is silence, which nobody can cite.
    """
    if relation is Relation.SILENT:
        raise ValueError("a citation supports or contradicts; silence cannot be cited")
    group = _cited_positions(sentences)

    def p_of(positions: Sequence[int]) -> float:
        return score(_pair(claim, sentences, positions)).of(relation) if positions else 0.0

    p = p_of(group)
    while group:
        rests = [tuple(other for other in group if other != position) for position in group]
        p_rest, least_useful = max((p_of(rest), i) for i, rest in enumerate(rests))
        if p > p_rest:
            break
        group, p = rests[least_useful], p_rest
    counts = threshold is not None and bool(group) and p >= threshold
    return GroupCount(group if counts else (), p)


def _cited_positions(sentences: Sequence[str]) -> tuple[int, ...]:
    first_positions = {sentence: i for i, sentence in reversed([*enumerate(sentences)])}
    return tuple(sorted(first_positions.values())[:MOST_SENTENCES])


def _pair(claim: str, sentences: Sequence[str], positions: Sequence[int]) -> Pair:
    return Pair(claim, tuple(sentences[i] for i in positions))
