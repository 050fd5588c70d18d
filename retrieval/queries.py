"""Queries: a step's own words, or those of each of its claims, in the light of the vignette."""

from __future__ import annotations

from collections.abc import Iterable

from tracejury.retrieval.records import ClaimQuery
from tracejury.traces import split_sentences

_STEP_CHARS = 600
_STEM_CHARS = 240


def step_query(step_text: str, stem: str) -> str:
    """Return the query for a step: the step, then the question's own sentence and the patient's first.

    Args:
        step_text: The step.
        stem: The question's stem; may be empty.

    Returns:
        At most some 840 characters: the embedder reads 256 word pieces, and what comes first must be the step's claim.
    """
    return f"{_clip(step_text.strip(), _STEP_CHARS)}\n{_light(stem)}".strip()


def claim_queries(claims: Iterable[tuple[str, str]], stem: str) -> tuple[ClaimQuery, ...]:
    """Return one query a claim: its words, then the light that `step_query` takes from the vignette.

    Args:
        claims: (handle, text) of the claims to look for.
        stem: The question's stem; may be empty.
    """
    light = _light(stem)
    return tuple(
        ClaimQuery(claim=handle, text=f"{_clip(text.strip(), _STEP_CHARS)}\n{light}".strip()) for handle, text in claims
    )


def _light(stem: str) -> str:
    sentences = [stem[a:b] for a, b in split_sentences(stem)]
    light = sentences[:1] if len(sentences) < 2 else [sentences[-1], sentences[0]]
    return _clip(" ".join(light), _STEM_CHARS)


def _clip(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[:limit].rsplit(" ", 1)[0]
