"""Fewer and cheaper garbage collections during a run.

Python's cyclic collector goes through every living object again and again. The imported libraries alone are a million
objects that never die, which was measured to cost a quarter of a run's CPU time (benchmarks/orchestration.py).
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

YOUNG_OBJECTS = 20_000
"""Allocations between two collections of the youngest generation; Python's default is 700 to 2,000."""

_open_runs = 0
_threshold_before = gc.get_threshold()


@contextmanager
def rare_collections() -> Iterator[None]:
    """Leave the objects that live now out of collections, and collect less often; restore both after the last run."""
    global _open_runs, _threshold_before
    if _open_runs == 0:
        _threshold_before = gc.get_threshold()
        gc.freeze()
        gc.set_threshold(max(YOUNG_OBJECTS, _threshold_before[0]), *_threshold_before[1:])
    _open_runs += 1
    try:
        yield
    finally:
        _open_runs -= 1
        if _open_runs == 0:
            gc.set_threshold(*_threshold_before)
            gc.unfreeze()
