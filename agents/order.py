"""Seeded orders: judges, opinions and passages are permuted, the same way for the same seed and step."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")


def permuted(items: Iterable[T], key: Callable[[T], str], *seed: object) -> tuple[T, ...]:
    """Return `items` in an order that depends on `seed` and on their keys alone, not on the order they came in."""
    ordered = sorted(items, key=key)
    random.Random(_number(*seed)).shuffle(ordered)
    return tuple(ordered)


def falls_within(share: float, *seed: object) -> bool:
    """Tell whether the seeded draw for `seed` falls into `share` (0 to 1)."""
    return random.Random(_number(*seed)).random() < share


def _number(*seed: object) -> int:
    # Not hash(): it differs from process to process.
    return int.from_bytes(hashlib.sha256("\x1f".join(map(str, seed)).encode()).digest()[:8], "big")
