"""Making one ranking of several, and choosing from it: fusion, diversity, quotas, dates."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest
from typing import Literal

from tracejury.retrieval.records import Hit, Passage

_RRF = 60
_NEAR = 5
"""Ranks within which a passage that another claim brought is said to be found for this claim too."""


def fuse(rankings: Mapping[str, Sequence[str]]) -> list[tuple[str, float, dict[str, int]]]:
    """Fuse rankings by reciprocal ranks: the sum of 1 / (60 + rank) (Cormack, Clarke and Buettcher 2009, equation 1).

    Args:
        rankings: Finder's name -> passage ids, best first.

    Returns:
        (passage id, score, finder -> rank from 1), best first; ties by id.
    """
    scores: dict[str, float] = defaultdict(float)
    ranks: dict[str, dict[str, int]] = defaultdict(dict)
    for finder, ids in rankings.items():
        for rank, passage_id in enumerate(ids, 1):
            scores[passage_id] += 1 / (_RRF + rank)
            ranks[passage_id][finder] = rank
    return [(i, scores[i], ranks[i]) for i in sorted(scores, key=lambda i: (-scores[i], i))]


def take_in_turn(rankings: Sequence[Sequence[Hit]]) -> list[Hit]:
    """Merge rankings: the first of each, then the second of each; a passage stands where it comes first.

    Reciprocal ranks would favour what is a little about every claim over what decides one of them.

    Args:
        rankings: Hits, best first, of one claim each.

    Returns:
        Each passage once, with the claims whose ranking has it among the first `_NEAR`, or which brought it.
    """
    if len(rankings) == 1:
        return list(rankings[0])
    merged: dict[str, Hit] = {}
    for rank, row in enumerate(zip_longest(*rankings)):
        for hit in row:
            if hit is None:
                continue
            earlier = merged.setdefault(hit.passage.id, hit)
            if rank < _NEAR and not set(hit.claims) <= set(earlier.claims):
                merged[hit.passage.id] = earlier.model_copy(update={"claims": (*earlier.claims, *hit.claims)})
    return list(merged.values())


def choose(
    hits: Iterable[Hit],
    k: int,
    *,
    per_document: int,
    quotas: Mapping[str, int],
    superseded: Literal["last", "drop", "keep"],
    since: str | None,
) -> list[Hit]:
    """Take the best `k` under the rules.

    Args:
        hits: Best first.
        k: How many at most.
        per_document: Passages of one document at most; passages of the same words count once.
        quotas: Source -> passages at most.
        superseded: What becomes of passages that something supersedes: after all others, dropped, or as they come.
        since: ISO date or year; what is dated before it is dropped, what has no date is not.
    """
    pool = list(hits)
    if since is not None:
        pool = [h for h in pool if not h.passage.date or iso_date(h.passage.date) >= since]
    if superseded == "drop":
        pool = [h for h in pool if not h.passage.superseded_by]
    elif superseded == "last":
        pool.sort(key=lambda h: bool(h.passage.superseded_by))
    chosen: list[Hit] = []
    documents: Counter[tuple[str, str]] = Counter()
    of_source: Counter[str] = Counter()
    words: set[str] = set()
    for hit in pool:
        if len(chosen) == k:
            break
        passage = hit.passage
        same = _folded(passage)
        full = documents[passage.source, passage.key] >= per_document
        if full or of_source[passage.source] >= quotas.get(passage.source, k) or same in words:
            continue
        documents[passage.source, passage.key] += 1
        of_source[passage.source] += 1
        words.add(same)
        chosen.append(hit)
    return chosen


_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def iso_date(date: str) -> str:
    """Return a date as ISO, as far as it is known: `2013 Dec 20` -> `2013-12-20`, `2013` as it is."""
    match = re.match(r"(\d{4})(?:[-/ ]([A-Za-z]{3,9}|\d{1,2}))?(?:[-/ ](\d{1,2}))?", date.strip())
    if not match:
        return date
    year, month, day = match.groups()
    if month and month.isalpha():
        month = str(_MONTHS.index(month[:3].lower()) + 1) if month[:3].lower() in _MONTHS else None
    return "-".join(
        [year, *(f"{int(part):02}" for part in ([month, day] if month and day else [month] if month else []))]
    )


def is_later(date: str | None, than: str | None) -> bool:
    """Tell whether one date is after another, as far as both are known: 2019-05 is not later than 2019."""
    if not date or not than:
        return False
    first, second = iso_date(date), iso_date(than)
    compared = min(len(first), len(second))
    return first[:compared] > second[:compared]


def _folded(passage: Passage) -> str:
    return " ".join(passage.text.casefold().split())
