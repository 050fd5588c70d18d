"""The strongest citations that a case allows: thresholds are set against them, since a lying judge could cite them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from tracejury.agents.checkers.contracts import MOST_SENTENCES, Pair, Probabilities
from tracejury.agents.evidence_records import Relation

ASSERTED = (Relation.SUPPORTS, Relation.CONTRADICTS)
_BEAM = 12
_PARTNERS = 12

Check = Callable[[Sequence[Pair]], Awaitable[list[Probabilities]]]
Groups = dict[tuple[int, ...], Probabilities]


class BestCitation(NamedTuple):
    """The sentences that speak most for a relation."""

    sentences: tuple[str, ...]
    p: float


async def best_citations(
    claim: str, sentences: Sequence[str], check: Check, largest: int = MOST_SENTENCES
) -> dict[Relation, tuple[BestCitation, ...]]:
    """Find, for each relation that can be asserted, the strongest group of 1, of up to 2, of up to 3 sentences.

    All single sentences are read. Larger groups are searched: the best 12 of each size are joined with the best 12
    single sentences, so a group of sentences that are all weak alone may be missed (`nli` on 12 abstracts of 10 to 12
    sentences against every group: at most .05 below the best, .003 on average; a beam of 4 misses up to .45).

    Args:
        claim: The claim.
        sentences: All that a judge could cite for it.
        check: Gives the probabilities of pairs.
        largest: The largest group, from 1 to 3.
    """
    pool = tuple(dict.fromkeys(sentences))
    single_groups: list[tuple[int, ...]] = [(i,) for i in range(len(pool))]
    p: Groups = dict(zip(single_groups, await check([Pair(claim, (sentence,)) for sentence in pool]), strict=True))
    beams = {relation: _strongest(single_groups, p, relation, _PARTNERS) for relation in ASSERTED}
    partners = {relation: [group[0] for group in beam] for relation, beam in beams.items()}
    by_relation = {relation: [_best(pool, p, relation)] for relation in ASSERTED}
    for _ in range(1, min(largest, MOST_SENTENCES)):
        grown = {
            tuple(sorted({*group, position}))
            for relation in ASSERTED
            for group in beams[relation][:_BEAM]
            for position in partners[relation]
            if position not in group
        }
        groups = sorted(grown - p.keys())
        p |= zip(groups, await check([Pair(claim, tuple(pool[i] for i in group)) for group in groups]), strict=True)
        for relation in ASSERTED:
            beams[relation] = _strongest(sorted(grown), p, relation, _BEAM)
            by_relation[relation].append(_best(pool, p, relation))
    return {relation: tuple(best) for relation, best in by_relation.items()}


def _strongest(groups: Sequence[tuple[int, ...]], p: Groups, relation: Relation, n: int) -> list[tuple[int, ...]]:
    return sorted(groups, key=lambda group: -p[group].of(relation))[:n]


def _best(pool: Sequence[str], p: Groups, relation: Relation) -> BestCitation:
    group = max(p, key=lambda group: p[group].of(relation), default=())
    return BestCitation(tuple(pool[i] for i in group), p[group].of(relation) if group else 0.0)
