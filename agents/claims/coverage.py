"""From drafts of claims to a claim set: order, handles, the bound on their number, and what is in none of them."""

from __future__ import annotations

from collections.abc import Sequence

from tracejury.agents.claims.words import content_words
from tracejury.agents.evidence_records import Claim, ClaimSet
from tracejury.traces import Span

MOST_CLAIMS = 12
"""Claims of one step; beyond it neighbours are merged, none is dropped."""


def claim_set(step: str, claims: Sequence[Claim], silent: Sequence[Span], earlier: Sequence[str] = ()) -> ClaimSet:
    """Return the claims with handles in the order of the step, and the words of content that are in none.

    Args:
        step: The step.
        claims: Claims without handles.
        silent: Questions, plans and headings: their words do not lower the coverage.
        earlier: Vignette and earlier steps.
    """
    ordered = _merged(step, sorted(claims, key=lambda c: (c.start, c.end)))
    numbered = tuple(c.model_copy(update={"handle": f"C{i}"}) for i, c in enumerate(ordered, 1))
    stated = [w for w in content_words(step) if not _inside(w.start, silent) or _in_claim(w.start, numbered)]
    uncovered = tuple(step[w.start : w.end] for w in stated if not _in_claim(w.start, numbered))
    coverage = 1 - len(uncovered) / len(stated) if stated else 1.0
    earlier_stems = {w.stem for text in earlier for w in content_words(text)}
    unclaimed = [w for w in content_words(step) if not _in_claim(w.start, numbered) and w.stem not in earlier_stems]
    beside = tuple(step[w.start : w.end] for w in unclaimed)
    return ClaimSet(claims=numbered, coverage=coverage, uncovered=uncovered, beside=beside)


def _merged(step: str, claims: list[Claim]) -> list[Claim]:
    """Merge the shortest neighbours until the bound holds, a restatement with what is none only at last."""
    claims = list(claims)
    while len(claims) > MOST_CLAIMS:
        at = min(range(len(claims) - 1), key=lambda i: _price(claims[i], claims[i + 1]))
        first, second = claims[at : at + 2]
        start, end = first.start, max(first.end, second.end)
        restates = first.restates if first.restates == second.restates else None
        claims[at : at + 2] = [Claim(handle="", text=step[start:end], start=start, end=end, restates=restates)]
    return claims


def _price(first: Claim, second: Claim) -> tuple[bool, int]:
    return (first.restates != second.restates, second.end - first.start)


def _inside(at: int, spans: Sequence[Span]) -> bool:
    return any(start <= at < end for start, end in spans)


def _in_claim(at: int, claims: Sequence[Claim]) -> bool:
    return any(c.start <= at < c.end for c in claims)
