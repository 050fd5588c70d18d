"""Intervals of a difference hold the truth about as often as they say, in the simulations of the benchmarks."""

from __future__ import annotations

import numpy as np
import pytest
from benchmark_module import load_benchmark

from tracejury.reports import Settings, Sides, step_difference


@pytest.fixture(scope="module")
def coverage():
    return load_benchmark("coverage")


@pytest.mark.parametrize(
    "name", ["100 questions", "10 questions", "heavy, 20 questions", "rare, 20 questions", "5 questions"]
)
def test_a_hundred_studies_cover_the_truth(coverage, name):
    results = coverage.coverage(coverage.WORLDS[name], 100, 7)
    # At a true coverage of 95 %, 100 studies fall below 88 hits once in 300 times.
    assert results["covered_percent"] >= 88
    assert results["least_width_points"] > 1


def test_intervals_that_resample_steps_would_not_cover(coverage):
    """The test's own control: taking each step as a question of its own makes intervals too narrow to pass it."""
    rng, hits = np.random.default_rng(3), 0
    world = coverage.World(300, icc=0.7)
    aim, _, _ = coverage.truth(world)
    for draw in range(60):
        sides = coverage.study(rng, world)
        split = [np.repeat(np.eye(5), side.sum(axis=0).astype(int), axis=0) for side in (sides.before, sides.after)]
        n = min(map(len, split))
        shuffled = [rng.permutation(part)[:n] for part in split]
        no_answers = np.full(n, np.nan)
        estimate, _, _ = step_difference(
            Sides(*shuffled, no_answers, no_answers, (0, 0)), Settings(draws=100, seed=draw)
        )
        hits += estimate.difference.low <= aim <= estimate.difference.high
    assert hits < 50


def test_verdicts_missing_in_one_arm_alone_fake_no_difference():
    """Same true rates; one arm has verdicts on easy questions, or on easy steps, alone."""
    missingness = load_benchmark("missingness")
    for missing in ("between questions", "within questions", "both"):
        results = missingness.rejections(missing, 60, 3)
        # At 5 %, 60 studies give more than 8 rejections (13.4 %) once in 300 times.
        assert results["permutation"]["percent"] <= 13.4
        assert results["wilcoxon"]["percent"] <= 13.4
        assert results["direction_robust"]["percent"] <= 13.4
        # What one gets without pairing: the test's own control.
        assert results["pool_of_all_verdicts"]["percent"] > 80
