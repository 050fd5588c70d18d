"""Encode rows as token ids and labels, in one place, so that both back ends train on the same tokens."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from tracejury.training.recipe import RecipeError
from tracejury.training.rows import SftRow

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

IGNORED = -100


class Encoded(NamedTuple):
    """Token ids, and labels: the same ids in the completion, where the loss is computed, -100 elsewhere."""

    input_ids: list[int]
    labels: list[int]


def encode(row: SftRow, tokenizer: PreTrainedTokenizerBase) -> Encoded:
    """Encode prompt and completion separately, so that no token spans both: a sampled prompt ends at the same token."""
    prompt = tokenizer.encode(row.prompt, add_special_tokens=False)
    completion = tokenizer.encode(row.completion, add_special_tokens=False)
    return Encoded(prompt + completion, [IGNORED] * len(prompt) + completion)


class EncodedRows(NamedTuple):
    """Encoded rows, and the number of rows that were left out because they are longer than the limit."""

    rows: list[Encoded]
    too_long: int
    tokens: int
    """Number of tokens in `rows`."""
    loss_tokens: int
    """Number of these tokens that the loss is computed on."""


def encode_all(rows: Iterable[SftRow], tokenizer: PreTrainedTokenizerBase, max_length: int, what: str) -> EncodedRows:
    """Encode rows; rows above `max_length` are left out and counted. A row is never cut.

    Raises:
        RecipeError: No trainable token is left of the rows.
    """
    encoded = [encode(row, tokenizer) for row in rows]
    short_enough = [e for e in encoded if len(e.input_ids) <= max_length]
    loss_tokens = sum(label != IGNORED for e in short_enough for label in e.labels)
    if encoded and not loss_tokens:
        shortest = min(len(e.input_ids) for e in encoded)
        raise RecipeError(
            f"{what}: not a single trainable token in {len(encoded)} rows; {len(encoded) - len(short_enough)} are "
            f"longer than max_length {max_length} (the shortest has {shortest} tokens). Raise `schedule.max_length`, "
            "or look at the completions in the corpus."
        )
    tokens = sum(len(e.input_ids) for e in short_enough)
    return EncodedRows(short_enough, len(encoded) - len(short_enough), tokens, loss_tokens)
