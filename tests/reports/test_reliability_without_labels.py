"""Reliability without labels: `unclear` is a missing answer, and every estimate has an interval."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from benchmark_module import load_benchmark

from tracejury.reports import count_attempts, reliabilities

NAMES = ("a", "b", "c")


@pytest.fixture(scope="module")
def benchmark():
    return load_benchmark("reliability")


def answers(accuracies, unclear, n=900, seed=0, wrong=0.3):
    """Labels of judges: 0 supported, 1 error, 2 unclear; with the truth."""
    rng = np.random.default_rng(seed)
    truth = (rng.random(n) < wrong).astype(int)
    columns = []
    for accuracy, share in zip(accuracies, unclear, strict=True):
        label = np.where(rng.random(n) < accuracy, truth, 1 - truth)
        columns.append(np.where(rng.random(n) < share, 2, label))
    return np.stack(columns, axis=1), truth


def decided_accuracy(labels, truth):
    """Balanced accuracy of each judge where it decided."""
    return [
        np.mean([(column[(truth == state) & (column < 2)] == state).mean() for state in (0, 1)]) for column in labels.T
    ]


@pytest.mark.parametrize(
    ("accuracies", "unclear"),
    [
        ((0.93, 0.83, 0.84), (0, 0, 0)),
        ((0.93, 0.83, 0.84), (0.7, 0.05, 0.05)),
        ((0.93, 0.83, 0.84), (0, 0.7, 0.7)),
        ((0.95, 0.85, 0.85), (0.97, 0.05, 0.05)),
    ],
)
def test_unclear_is_no_state_of_a_step(accuracies, unclear):
    labels, truth = answers(accuracies, unclear)
    estimates = reliabilities(labels, np.arange(len(labels)) // 6, NAMES)
    for name, value in zip(NAMES, decided_accuracy(labels, truth), strict=True):
        assert estimates[name].low < value < estimates[name].high
        assert estimates[name].low < estimates[name].value < estimates[name].high
        if max(unclear) < 0.9:
            assert estimates[name].value == pytest.approx(value, abs=0.07)


def test_judges_that_are_unclear_on_the_same_steps_are_not_taken_to_agree_on_a_third_state():
    labels, truth = answers((0.9, 0.95, 0.95), (0, 0, 0), n=1_500)
    labels[np.random.default_rng(2).random(len(labels)) < 0.7, 1:] = 2
    estimates = reliabilities(labels, np.arange(len(labels)) // 6, NAMES)
    for name, value in zip(NAMES, decided_accuracy(labels, truth), strict=True):
        assert estimates[name].value == pytest.approx(value, abs=0.04)


def test_a_nearly_perfect_judge_among_weak_ones_is_covered(benchmark):
    """A symmetric interval covers it in 80 % of studies; at 95 %, 12 studies fall below 9 hits once in 400 times."""
    results = benchmark.coverage(benchmark.WORLDS["a nearly perfect judge among weak ones, 300 steps"], 12, 11)
    assert results["best_covered_percent"] >= 75


def test_it_agrees_with_crowd_kit_where_all_decide():
    from crowdkit.aggregation import DawidSkene

    labels, _ = answers((0.9, 0.8, 0.7), (0, 0, 0))
    estimates = reliabilities(labels, np.arange(len(labels)) // 6, NAMES)
    step, judge = np.nonzero(labels >= 0)
    crowd_labels = pd.DataFrame({"task": step, "worker": [NAMES[j] for j in judge], "label": labels[step, judge]})
    model = DawidSkene(n_iter=200).fit(crowd_labels)
    for name in NAMES:
        theirs = model.errors_.loc[name]
        assert estimates[name].value == pytest.approx(np.mean([theirs.loc[k, k] for k in (0, 1)]), abs=0.01)


def test_a_judge_that_hardly_decides_has_a_wide_interval():
    widths = []
    for unclear in ((0, 0.05, 0.05), (0.97, 0.05, 0.05)):
        labels, _ = answers((0.93, 0.83, 0.84), unclear)
        estimates = reliabilities(labels, np.arange(len(labels)) // 6, NAMES)["a"]
        widths.append(estimates.high - estimates.low)
    assert widths[1] > 1.3 * widths[0]


def test_judges_that_always_agree_are_not_certainly_right():
    labels = np.repeat(np.arange(60)[:, None] % 2, 3, axis=1)
    estimates = reliabilities(labels, np.arange(60) // 3, NAMES)
    for estimate in estimates.values():
        assert estimate.value > 0.99
        assert estimate.low < 0.95


def test_two_judges_say_nothing():
    labels, _ = answers((0.9, 0.9, 0.9), (0, 0, 1.0))
    assert reliabilities(labels, np.arange(len(labels)), NAMES) == {}


def test_attempts_on_the_same_labels_are_counted(tmp_path):
    counts = [
        count_attempts(labels, seed, tmp_path / "c.db")
        for labels, seed in (("l1", "0"), ("l1", "1"), ("l1", "0"), ("l2", "0"))
    ]
    assert counts == [1, 2, 2, 1]
