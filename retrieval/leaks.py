"""The guard against leaks: a passage that gives away the benchmark's own question stays out of that question's cases.

Public corpora hold benchmark items: a page of exam questions, a forum thread, the explanation itself. A jury that finds
the gold explanation judges nothing. Two texts are near-duplicates when one holds most of the other's word 5-grams
(Broder 1997, containment), which a passage that is merely about the same disease never does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from tracejury.retrieval.records import Hit, Query, Withheld

CONTAINMENT = 0.25
"""Share of 5-grams, of the shorter text, from which a passage is withheld."""
_N = 5
_WORD = re.compile(r"\w+")
_FEWEST = 6
"""5-grams below which a text is too short to differ from a common phrase, unless the passage contains all of it."""
_VERBATIM_RUN = 16
"""So many words in one piece give the text away, however long the passage around them is."""


def withhold(query: Query, hits: Iterable[Hit]) -> tuple[list[Hit], list[Withheld]]:
    """Separate what may be shown from what gives away the query's question.

    Returns:
        The hits that may be shown, in order, and a record of each that may not.
    """
    allowed: list[Hit] = []
    kept_out: list[Withheld] = []
    guarded = [(what, text) for what, text in (("stem", query.stem), ("explanation", query.explanation)) if text]
    for hit in hits:
        likenesses = [(likeness(text, hit.passage.text), what) for what, text in guarded]
        similarity, what = max(likenesses, default=(0.0, ""))
        if similarity >= CONTAINMENT:
            kept_out.append(
                Withheld(passage_id=hit.passage.id, reason=f"near-duplicate of the {what}", similarity=similarity)
            )
        else:
            allowed.append(hit)
    return allowed, kept_out


def likeness(guarded: str, passage: str) -> float:
    """Return how much of the shorter text's word 5-grams the other holds, from 0 to 1; 1 for a long verbatim run."""
    ours, theirs = _grams(guarded), _grams(passage)
    if not ours or not theirs:
        return 0.0
    shared = ours & theirs
    if _longest_run(_words(guarded), shared) >= _VERBATIM_RUN:
        return 1.0
    smaller = min(len(ours), len(theirs))
    if smaller < _FEWEST:
        return 1.0 if len(shared) == smaller else 0.0
    return round(len(shared) / smaller, 4)


@lru_cache(maxsize=4096)
def _words(text: str) -> tuple[str, ...]:
    return tuple(_WORD.findall(text.casefold()))


@lru_cache(maxsize=4096)
def _grams(text: str) -> frozenset[tuple[str, ...]]:
    words = _words(text)
    return frozenset(words[i : i + _N] for i in range(len(words) - _N + 1))


def _longest_run(words: Sequence[str], shared: frozenset[tuple[str, ...]]) -> int:
    """Return the length in words of the longest piece of `words` all of whose 5-grams are shared."""
    longest = run = 0
    for i in range(len(words) - _N + 1):
        run = run + 1 if tuple(words[i : i + _N]) in shared else 0
        longest = max(longest, run)
    return longest + _N - 1 if longest else 0
