"""A calibration: fitting its parts, applying it, refusing another checker's, and the answers that a run remembers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracejury.agents import Relation
from tracejury.agents.checkers import (
    CheckerCalibration,
    CheckerError,
    CheckerSpec,
    LoadedChecker,
    Pair,
    Probabilities,
    best_citations,
    conformal_threshold,
    fit_scale_and_offsets,
    groups_needed,
    load_checker,
    make_checker,
)


def calibration(identity: str, **changes: Any) -> CheckerCalibration:
    fields = {
        "checker": "lookup",
        "identity": identity,
        "can_contradict": True,
        "scale": 0.5,
        "offsets": {"supports": -2.0, "contradicts": 0.5, "silent": 0.0},
        "thresholds": {"supports": (0.7, 0.8, 0.9), "contradicts": (0.6, 0.6, 0.6)},
        "alpha": 0.05,
        "n": 100,
        "groups": 100,
        "evidence": {},
        "fitted_from": "0" * 16,
    }
    return CheckerCalibration.model_validate(fields | changes)


def test_a_habit_of_saying_yes_is_taken_out() -> None:
    rng = np.random.default_rng(0)
    gold = np.arange(600) % 3
    evidence = rng.normal(size=(600, 3)) + 2.0 * np.eye(3)[gold]
    # The truth is softmax of 2 * evidence; it is one and a half times as sure, and has a bias to the first relation.
    logits = 3 * evidence + [4.0, 0.0, 0.0]
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert (p.argmax(axis=1) == 0).mean() > 0.45
    scale, offsets = fit_scale_and_offsets(p, gold)
    assert scale == pytest.approx(2 / 3, abs=0.12)
    assert offsets[0] == pytest.approx(-scale * 4, abs=0.35)
    assert offsets[1:] == pytest.approx([0.0, 0.0], abs=0.35)


def test_how_often_a_relation_occurs_does_not_move_its_offset() -> None:
    rng = np.random.default_rng(1)
    gold = rng.choice(3, size=3000, p=[0.8, 0.1, 0.1])
    logits = rng.normal(size=(3000, 3)) + 1.5 * np.eye(3)[gold]
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    _, offsets = fit_scale_and_offsets(p, gold)
    assert offsets == pytest.approx([0.0, 0.0, 0.0], abs=0.25)


def test_letters_alone_can_be_fitted_and_separable_ones_stay_finite() -> None:
    sure = np.array([[0.9, 0.05, 0.05], [0.05, 0.9, 0.05], [0.05, 0.05, 0.9]] * 20)
    scale, offsets = fit_scale_and_offsets(sure, np.arange(60) % 3)
    assert np.isfinite([scale, *offsets]).all()
    assert 1 <= scale < 20


@pytest.mark.parametrize(("alpha", "groups"), [(0.05, 19), (0.1, 9), (0.2, 4), (0.01, 99)])
def test_a_threshold_takes_so_many_groups(alpha: float, groups: int) -> None:
    assert groups_needed(alpha) == groups
    names = [str(i) for i in range(groups)]
    scores = list(np.linspace(0.1, 0.9, groups))
    # With just enough groups none of the scores seen may reach it.
    assert scores[-1] < conformal_threshold(scores, names, alpha) < scores[-1] + 1e-9
    with pytest.raises(ValueError, match=f"{groups - 1} groups, at least {groups} needed"):
        conformal_threshold(scores[1:], names[1:], alpha)


@settings(deadline=None, max_examples=30)
@given(st.integers(20, 60), st.sampled_from([0.05, 0.1, 0.2]), st.integers(0, 1000))
def test_a_threshold_leaves_no_more_than_alpha_and_is_the_smallest_that_does(
    groups: int, alpha: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 5, size=groups)
    names = [str(g) for g, size in enumerate(sizes) for _ in range(size)]
    scores = [float(s) for s in rng.choice([0.1, 0.3, 0.5, 0.7, 0.9, 0.95], size=len(names))]

    def share(threshold: float) -> float:
        above = sum(1 / sizes[int(g)] for s, g in zip(scores, names, strict=True) if s >= threshold)
        return (above + 1) / (groups + 1)

    threshold = conformal_threshold(scores, names, alpha)
    assert share(threshold) <= alpha + 1e-9
    lower = [s for s in scores if s < threshold]
    assert not lower or share(max(lower)) > alpha


def test_thresholds_hold_on_groups_to_come() -> None:
    rng = np.random.default_rng(7)
    reached = []
    for _ in range(400):
        level = rng.normal(size=41)  # what the scores of a group have in common
        scores = [(float(level[g] + 0.3 * rng.normal()), str(g)) for g in range(40) for _ in range(1 + g % 3)]
        threshold = conformal_threshold([s for s, _ in scores], [g for _, g in scores], 0.1)
        reached.append(level[40] + 0.3 * rng.normal() >= threshold)
    assert np.mean(reached) <= 0.1 + 2 * 0.015


def test_best_citations_reads_groups_where_single_sentences_say_little() -> None:
    async def check(pairs: list[Pair]) -> list[Probabilities]:
        strength = {"dose": 0.4, "drug": 0.4, "denial": 0.0}
        supports = [min(0.9, sum(strength.get(s, 0.05) for s in pair.sentences)) for pair in pairs]
        against = [0.09 if "denial" in pair.sentences else 0.0 for pair in pairs]
        return [Probabilities(s, c, 1 - s - c) for s, c in zip(supports, against, strict=True)]

    best = asyncio.run(best_citations("claim", ["topic", "dose", "x", "drug", "y", "denial", "dose"], check))
    one, two, three = best[Relation.SUPPORTS]
    assert (one.sentences, one.p) == (("dose",), pytest.approx(0.4))
    assert (set(two.sentences), two.p) == ({"dose", "drug"}, pytest.approx(0.8))
    assert (len(three.sentences), three.p) == (3, pytest.approx(0.85))
    assert [candidate.p for candidate in best[Relation.CONTRADICTS]] == pytest.approx([0.09] * 3)
    assert asyncio.run(best_citations("claim", [], check))[Relation.SUPPORTS][-1] == ((), 0.0)


def test_it_is_applied_to_what_a_checker_says_and_the_answers_are_remembered(stranger: Callable[[], None]) -> None:
    stranger()
    loaded = load_checker(
        CheckerSpec(name="lookup", params={"answers": [[0.8, 0.1, 0.1]]}), calibration=calibration("lookup@1")
    )
    pairs = [Pair("a", ("x",)), Pair("b", ("x",)), Pair("a", ("x",))]
    answers = asyncio.run(loaded.check(pairs))
    weights = np.array([0.8**0.5 * np.exp(-2), 0.1**0.5 * np.exp(0.5), 0.1**0.5])
    assert answers == [pytest.approx(tuple(weights / weights.sum()))] * 3
    assert asyncio.run(loaded.check(pairs[::-1])) == answers
    assert loaded.checker._checker.pairs_read == pairs[:2]
    assert [loaded.threshold(Relation.SUPPORTS, n) for n in (1, 3, 9)] == [0.7, 0.9, 0.9]
    assert loaded.threshold(Relation.SILENT, 1) is None


def test_without_a_calibration_nothing_is_grounded(stranger: Callable[[], None]) -> None:
    stranger()
    loaded = load_checker(CheckerSpec(name="lookup", params={"answers": [[0.8, 0.1, 0.1]]}))
    assert asyncio.run(loaded.check([Pair("a", ("x",))])) == [Probabilities(0.8, 0.1, 0.1)]
    assert loaded.threshold(Relation.SUPPORTS, 3) is None


def test_a_checker_that_cannot_contradict_never_does_after_calibration(stranger: Callable[[], None]) -> None:
    stranger()
    params = {"answers": [[0.3, 0.0, 0.7]], "can_contradict": False}
    fitted = calibration("lookup@1", can_contradict=False, thresholds={"supports": (0.5,)})
    loaded = load_checker(CheckerSpec(name="lookup", params=params), calibration=fitted)
    (answer,) = asyncio.run(loaded.check([Pair("a", ("x",))]))
    assert answer.contradicts == 0
    assert sum(answer) == pytest.approx(1)
    assert loaded.threshold(Relation.CONTRADICTS, 3) is None


def test_a_calibration_of_other_weights_is_refused(stranger: Callable[[], None], tmp_path: Path) -> None:
    stranger()
    file = tmp_path / "calibration.json"
    spec = CheckerSpec(name="lookup", calibration=str(file))
    with pytest.raises(CheckerError, match=r"there is no such calibration; fit one with `tracejury quality calibrate"):
        load_checker(spec)
    file.write_text("{}")
    with pytest.raises(CheckerError, match="not the calibration of a checker"):
        load_checker(spec)
    file.write_text(calibration("lookup@2").model_dump_json())
    with pytest.raises(CheckerError, match=r"fitted on checker 'lookup@2', and this is 'lookup@1'"):
        load_checker(spec)
    file.write_text(calibration("lookup@1").model_dump_json())
    assert load_checker(spec).calibration == calibration("lookup@1")


def test_the_model_behind_an_endpoint_is_part_of_the_identity() -> None:
    checker = make_checker("llm")
    assert LoadedChecker(checker, model="qwen").identity == f"{checker.identity} of qwen"
    with pytest.raises(CheckerError, match="asks a model: name its endpoint"):
        load_checker(CheckerSpec(name="llm"))
