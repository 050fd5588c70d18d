"""From rows to token ids and labels. One place, so that both back ends train on the same tokens."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from tracejury.training.recipe import RecipeError
from tracejury.training.rows import SftRow

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

IGNORED = -100


class Encoded(NamedTuple):
    """Token ids, and the same as labels where the loss looks (the completion), -100 elsewhere."""

    input_ids: list[int]
    labels: list[int]


def encode(row: SftRow, tokenizer: PreTrainedTokenizerBase) -> Encoded:
    """Encode prompt and completion apart, so that no token straddles the border: a sampled prompt ends there too."""
    prompt = tokenizer.encode(row.prompt, add_special_tokens=False)
    completion = tokenizer.encode(row.completion, add_special_tokens=False)
    return Encoded(prompt + completion, [IGNORED] * len(prompt) + completion)


class Kept(NamedTuple):
    """Encoded rows, and how many were left out because they are longer than the limit."""

    rows: list[Encoded]
    too_long: int
    tokens: int
    """Of all rows kept."""
    trained: int
    """Of which the loss looks at."""


def encode_all(rows: Iterable[SftRow], tokenizer: PreTrainedTokenizerBase, max_length: int, what: str) -> Kept:
    """Encode rows; leave out, and count, those above `max_length`. A row is never cut.

    Raises:
        RecipeError: There were rows, and not one trainable token is left of them.
    """
    encoded = [encode(row, tokenizer) for row in rows]
    kept = [e for e in encoded if len(e.input_ids) <= max_length]
    trained = sum(label != IGNORED for e in kept for label in e.labels)
    if encoded and not trained:
        shortest = min(len(e.input_ids) for e in encoded)
        raise RecipeError(
            f"{what}: not a single trainable token in {len(encoded)} rows; {len(encoded) - len(kept)} are longer than "
            f"max_length {max_length} (the shortest has {shortest} tokens). Raise `schedule.max_length`, or look at "
            "the completions in the corpus."
        )
    return Kept(kept, len(encoded) - len(kept), sum(len(e.input_ids) for e in kept), trained)
