"""The intervals of a difference hold the truth about as often as they say, in the simulation of the benchmark."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

PATH = Path(__file__).parents[2] / "benchmarks" / "coverage.py"


@pytest.fixture(scope="module")
def benchmark_coverage():
    spec = importlib.util.spec_from_file_location("benchmark_coverage", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["clustered", "heavy abstention"])
def test_thirty_draws_cover_the_truth(benchmark_coverage, name):
    found = benchmark_coverage.coverage(30, 300, 7, **benchmark_coverage.SCENARIOS[name])
    # At a true coverage of 95 %, 30 draws fall below 25 hits once in 300 times.
    assert found["covered_percent"] >= 100 * 25 / 30


def test_intervals_that_resample_steps_would_not_cover(benchmark_coverage):
    """The test's own control: taking each step as a question of its own makes intervals too narrow to pass it."""
    import numpy as np

    from tracejury.reports import Settings, Sides, step_difference

    rng, held = np.random.default_rng(3), 0
    aim = benchmark_coverage.truth((0.0, 0.0), 1.0)
    for draw in range(30):
        sides = benchmark_coverage.study(rng, 300, 0.7, (0.0, 0.0), 1.0)
        split = [np.repeat(np.eye(5), side.sum(axis=0).astype(int), axis=0) for side in (sides.before, sides.after)]
        n = min(map(len, split))
        shuffled = [rng.permutation(part)[:n] for part in split]
        nothing = np.full(n, np.nan)
        found, _, _ = step_difference(Sides(*shuffled, nothing, nothing, (0, 0)), Settings(draws=200, seed=draw))
        held += found.difference.low <= aim <= found.difference.high
    assert held < 25
