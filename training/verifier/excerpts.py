"""Which sentences of an abstract are read for a claim: one to three that a judge might cite, or the whole."""

from __future__ import annotations

import random
from collections.abc import Sequence

from tracejury.training.verifier.foreign import likeness
from tracejury.training.verifier.labelled import Abstract

LONGEST_ABSTRACT = 12


def best(claim: str, sentences: Sequence[str], count: int) -> str:
    """Join the `count` sentences most like the claim, in the order of the text."""
    return joined(sentences, best_places(claim, sentences, count))


def best_places(claim: str, sentences: Sequence[str], count: int) -> list[int]:
    """Places of the `count` sentences that share most words with the claim."""
    scores = likeness(claim, sentences)
    return sorted(sorted(range(len(sentences)), key=lambda i: -scores[i])[:count])


def joined(sentences: Sequence[str], places: Sequence[int]) -> str:
    """Join the sentences at `places`."""
    return " ".join(sentences[i] for i in places)


def deciding(claim: str, abstract: Abstract, draw: random.Random) -> dict[str, str]:
    """Excerpts that decide a claim where the abstract does: its whole, its end, and the best two or three sentences."""
    sentences = abstract.sentences
    end = len(sentences) - 1
    body = [i for i in range(len(sentences)) if i not in abstract.opening] or list(range(len(sentences)))
    near = [body[i] for i in best_places(claim, [sentences[i] for i in body], 3)]
    nearest = [body[i] for i in best_places(claim, [sentences[i] for i in body], 2)]
    return {
        "abstract": " ".join(sentences[-LONGEST_ABSTRACT:]),
        "part": " ".join(sentences[-draw.randint(4, 8) :]),
        "end": " ".join(sentences[-draw.randint(2, 3) :]),
        "best": joined(sentences, near),
        "best and end": joined(sentences, sorted({*nearest, end})),
        "body": joined(sentences, body[-8:]),
    }


def silent(claim: str, abstract: Abstract) -> str | None:
    """Sentences of aims and methods that are most like the claim: on its topic, before any result."""
    opening = [abstract.sentences[i] for i in sorted(abstract.opening)]
    return best(claim, opening, min(3, max(1, len(opening) - 1))) if opening else None


def groups(sentences: Sequence[str]) -> list[str]:
    """Return every run of up to three neighbouring sentences: what one judge could cite."""
    return [" ".join(sentences[i : i + size]) for size in (1, 2, 3) for i in range(max(0, len(sentences) - size + 1))]
