"""Panels of strong judges: the product's figures against computations by plain numpy on the published opinions."""

from __future__ import annotations

import gzip
import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tracejury.agents import Cluster, Combination, Label
from tracejury.reports import (
    JudgeVotes,
    advise_votes,
    certified_coverage,
    majority,
    out_of_fold,
    weigh_votes,
    worth_of,
)

DATA = Path(os.environ.get("TRACEJURY_DATA", Path(__file__).parents[3] / "shared" / "data"))
FILE = DATA / "nli4ct" / "judgements_dev.jsonl.gz"
FILE = FILE if FILE.exists() else Path(__file__).parents[4] / "shared/data/nli4ct/judgements_dev.jsonl.gz"
TRIO = ("gemini-pro", "llama3.1-8b+edi-lora", "mistral-7b+lisbon-lora")
needs_data = pytest.mark.skipif(not FILE.exists(), reason=f"{FILE} is not there; TRACEJURY_DATA names its folder")


@cache
def published() -> list[dict[str, Any]]:
    with gzip.open(FILE, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def arrays(judges: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return says, human label and group: 1 for a contradiction."""
    rows = published()
    says = np.array([[row["judges"][judge] == "C" for judge in judges] for row in rows]).astype(int)
    groups = {name: code for code, name in enumerate(dict.fromkeys(row["group"] for row in rows))}
    human = np.array([row["gold"] == "C" for row in rows]).astype(int)
    return says, human, np.array([groups[row["group"]] for row in rows])


def votes_of(judges: tuple[str, ...]) -> JudgeVotes:
    says, human, group = arrays(judges)
    return JudgeVotes("r", judges, tuple(j.split("@")[0] for j in judges), says, group, human)


def balanced_accuracy(says: np.ndarray, human: np.ndarray) -> float:
    return float(((says == human)[human == 1].mean() + (says == human)[human == 0].mean()) / 2)


@needs_data
def test_the_trio_s_accuracies_and_effective_judges_are_those_of_plain_numpy() -> None:
    says, human, _ = arrays(TRIO)
    worth = worth_of(votes_of(TRIO))
    assert worth.jury and worth.jury_less_best and worth.best  # noqa: PT018
    jury = balanced_accuracy((says.sum(axis=1) >= 2).astype(int), human)
    alone = [balanced_accuracy(says[:, j], human) for j in range(3)]
    assert worth.jury.value == pytest.approx(jury, abs=0.002)
    assert [w.accuracy.value for w in worth.worth if w.accuracy] == pytest.approx(alone, abs=0.002)
    assert worth.best == TRIO[int(np.argmax(alone))]
    assert worth.jury_less_best.value == pytest.approx(jury - max(alone), abs=0.002)
    assert worth.jury_less_best.low is not None
    correlation = np.corrcoef((says != human[:, None]).T)
    assert worth.kish.value.value == pytest.approx(9 / correlation.sum(), abs=0.1)
    eigenvalues = np.linalg.eigvalsh(correlation)
    assert worth.eigenvalue.value.value == pytest.approx(eigenvalues.sum() ** 2 / (eigenvalues**2).sum(), abs=0.1)
    # Independent judges of the same skill by label: errors drawn anew at each judge's rates.
    rng = np.random.default_rng(1)
    rates = [[(says != human[:, None])[human == c, j].mean() for c in (0, 1)] for j in range(3)]
    errors = np.stack([rng.random(len(human)) < np.where(human == 1, r[1], r[0]) for r in rates])
    assert worth.kish.null.value == pytest.approx(9 / np.corrcoef(errors).sum(), abs=0.1)
    assert worth.kish.value.high is not None
    assert worth.kish.null.low is not None
    assert worth.kish.value.high < worth.kish.null.low


@needs_data
def test_a_near_clone_costs_the_plain_majority_coverage_and_weighted_clusters_nothing() -> None:
    four = votes_of((*TRIO, "gemini-pro@long"))
    says, human, _ = arrays((*TRIO, "gemini-pro@long"))
    trio = (says[:, :3].sum(axis=1) >= 2).astype(int)
    weighted = out_of_fold(four)
    assert (weighted >= 0).mean() == 1.0  # the trio's coverage
    assert balanced_accuracy(weighted, human) > balanced_accuracy(trio, human) - 0.01
    assert (majority(four.says) >= 0).mean() == pytest.approx((says.sum(axis=1) != 2).mean())
    combination = weigh_votes(four)
    assert combination.clusters[0].judges == ("gemini-pro", "gemini-pro@long")
    assert combination.gain_low is not None
    assert combination.gain_low > 0
    warnings = worth_of(four).warnings
    assert any("gemini-pro and gemini-pro@long have the same weights" in w for w in warnings)
    assert any("gemini-pro@long takes" in w for w in warnings)


@needs_data
def test_certified_verdicts_break_alpha_in_at_most_a_tenth_of_200_splits_by_group() -> None:
    certified = certified_coverage(votes_of(TRIO), score="vote share", alpha=0.10, splits=200)
    assert certified.violations <= 0.10


@needs_data
def test_advice_keeps_the_labels_and_names_what_it_costs() -> None:
    votes = votes_of((*TRIO, "gemini-flash", "mistral-7b+fzi-lora"))
    advice = advise_votes(votes, loss=0.01)
    assert advice.same_labels.same_label.value == 1.0
    assert advice.same_labels.cost_share < 0.75
    assert advice.cheapest.cost_share <= advice.same_labels.cost_share
    assert advice.full.cost_share == 1.0
    with pytest.raises(ValueError, match="no judge 'x'"):
        advise_votes(votes, loss=0.01, costs={"x": 2})


def simulated_votes(seed: int, copies: int) -> JudgeVotes:
    """Return three independent judges who are right four times in five, and copies of the first."""
    rng = np.random.default_rng(seed)
    human = (np.arange(900) % 2).astype(int)
    independent = np.where(rng.random((900, 3)) < 0.8, human[:, None], 1 - human[:, None])
    says = np.concatenate([independent, *[independent[:, :1]] * copies], axis=1)
    names = tuple(f"j{i}" for i in range(says.shape[1]))
    return JudgeVotes("r", names, (None,) * len(names), says, np.arange(900) // 9, human)


def test_independent_judges_are_worth_themselves_and_copies_nothing() -> None:
    assert worth_of(simulated_votes(0, 0)).kish.value.value == pytest.approx(3, abs=0.2)
    worth = worth_of(simulated_votes(0, 2))
    assert worth.kish.value.value == pytest.approx(25 / (9 + 2), abs=0.2)  # a cluster of three and two apart
    assert worth.eigenvalue.value.value == pytest.approx(25 / (9 + 2), abs=0.2)
    without = JudgeVotes("r", *(getattr(simulated_votes(0, 0), n) for n in ("judges", "models", "says", "question")),
                         np.full(900, -1))  # fmt: skip
    assert worth_of(without).basis == "agreement"
    assert worth_of(without).jury is None


def test_a_panel_worse_than_its_best_member_is_said() -> None:
    votes = simulated_votes(3, 0)
    rng = np.random.default_rng(0)
    votes.says[:, 1:] = rng.integers(0, 2, (900, 2))
    assert any("worse than its best member j0" in warning for warning in worth_of(votes).warnings)


@pytest.mark.parametrize(
    ("labels", "result"),
    [
        ({"a": "E", "b": "E", "c": "S", "d": "S"}, ("S", False)),  # a and b have one vote
        ({"a": "E", "b": "S", "c": "E", "d": "S"}, ("E", False)),  # divided: the lead is a
        ({"a": None, "b": "S", "c": "E", "d": "S"}, (None, True)),  # the lead failed, and could have decided
        ({"a": None, "b": None, "c": "S", "d": "S"}, ("S", False)),
        ({"a": "U", "b": "U", "c": "E", "d": "S"}, (None, False)),
    ],
)
def test_weighted_clusters(labels: dict[str, str | None], result: tuple[str | None, bool]) -> None:
    word = {"E": Label.ERROR, "S": Label.SUPPORTED, "U": Label.UNCLEAR, None: None}
    clusters = (Cluster(judges=("a", "b"), lead="a", weight=1), *(Cluster(judges=(j,), lead=j, weight=1) for j in "cd"))
    combination = Combination(run="r", clusters=clusters, gain=0.1, gain_low=0.05, gain_high=0.2, questions=50)
    assert combination.result({j: word[x] for j, x in labels.items()}) == (word[result[0]], result[1])
