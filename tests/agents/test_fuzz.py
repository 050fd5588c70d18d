"""The short form of benchmarks/fuzz: its seeds, and what hypothesis makes of them, a few of each."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.fuzz.targets import TARGETS


@pytest.mark.parametrize("name", TARGETS)
def test_spoiled_input_is_told_and_never_breaks(name: str) -> None:
    target = TARGETS[name]
    seeds = list(target.seeds())
    assert seeds
    if name != "readers":  # tests/traces/test_broken_files.py reads those one by one
        for seed in seeds:
            target.run(seed)

    @settings(max_examples=40, suppress_health_check=list(HealthCheck), database=None)
    @given(st.sampled_from(seeds), st.data())
    def spoil(seed: bytes, data: st.DataObject) -> None:
        at = data.draw(st.integers(1, len(seed)))
        until = data.draw(st.integers(at, min(len(seed), at + 20)))
        target.run(seed[:at] + data.draw(st.binary(max_size=12)) + seed[until:])

    spoil()
