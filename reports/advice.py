"""The price of a verdict: what smaller panels, early stop and cascades would have cost and said, over a full run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tracejury.ledger import StepRow
from tracejury.reports.estimates import Estimate, Floats
from tracejury.reports.intervals import share
from tracejury.reports.votes_table import (
    ERROR,
    SILENT,
    SUPPORTED,
    JudgeVotes,
    balanced,
    compared,
    credit_sums,
    majority,
    read_votes,
)
from tracejury.traces import Record

_MANY = 8
"""Of more judges than these, only panels of up to five are tried."""


class PanelPrice(Record):
    """A way to ask judges, measured on questions that it was not chosen on."""

    judges: tuple[str, ...]
    """In the order of asking."""
    way: str
    """`all`, `early stop`, or `pair first`: the rest is asked only where the first two disagree."""
    calls: float
    """Opinions a verdict."""
    cost: float
    """The same, each judge at its price."""
    cost_share: float
    """Of the full panel's cost, everybody asked."""
    balanced_accuracy: Estimate | None
    """An abstention being credited 1/2; None: there are no labels."""
    loss: Estimate | None
    """Balanced accuracy of the full panel less its own; None: there are no labels."""
    same_label: Estimate
    """Share of steps with the full panel's label."""


class Advice(Record):
    """The cheapest way within a stated loss."""

    run: str
    allowed_loss: float
    tried: int
    full: PanelPrice
    cheapest: PanelPrice
    """The cheapest whose loss is within what is allowed, chosen on one half of the questions, shown on the other."""
    same_labels: PanelPrice
    """The cheapest that gives the full panel's label on every step."""


_Way = tuple[tuple[int, ...], str]
"""Judges in the order of asking, and how they are asked."""


class _Result(NamedTuple):
    outcome: NDArray[np.int64]
    asked: NDArray[np.bool_]
    """Shape (steps, judges)."""


def advise(rows: Iterable[StepRow], *, loss: float, costs: Mapping[str, float] | None = None, seed: int = 0) -> Advice:
    """Name the cheapest way of asking a run's judges; every judge must have been asked on every step.

    Without human labels the loss is the share of steps with another label than the full panel's.

    Args:
        rows: The run's rows.
        loss: What may be lost against the full panel.
        costs: Judge -> price of an opinion; 1 where none is given.
        seed: Seed of the halves.

    Raises:
        ValueError: The run has no opinions, or one voting judge, or a cost names no judge.
    """
    return advise_votes(read_votes(rows), loss=loss, costs=costs, seed=seed)


def advise_votes(votes: JudgeVotes, *, loss: float, costs: Mapping[str, float] | None = None, seed: int = 0) -> Advice:
    """Name the cheapest way of asking judges, from their votes; see `advise`."""
    if len(votes.judges) < 2:
        raise ValueError("the run has one voting judge: there is nothing to leave out")
    if unknown := set(costs or {}) - set(votes.judges):
        raise ValueError(f"no judge {sorted(unknown)[0]!r}; the run has {', '.join(votes.judges)}")
    votes = votes.labelled() if votes.has_labels else votes
    price = np.array([(costs or {}).get(name, 1.0) for name in votes.judges])
    first = (np.random.default_rng(seed).permutation(votes.questions) % 2 == 0)[votes.question]
    full = majority(votes.says)
    ways = list(_ways(len(votes.judges), price))
    best: tuple[float, int] | None = None
    same: tuple[float, int] | None = None
    for i, (order, way) in enumerate(ways):
        result = _ask(votes.says, order, way)
        cost = float((result.asked[first] @ price).mean())
        if _lost(result.outcome, full, votes, first) <= loss and (best is None or cost < best[0]):
            best = cost, i
        if (result.outcome[first] == full[first]).all() and (same is None or cost < same[0]):
            same = cost, i
    everybody: _Way = tuple(range(len(votes.judges))), "all"

    def price_of(chosen: tuple[float, int] | None) -> PanelPrice:
        way = _in_best_order(votes.says[first], ways[chosen[1]], price) if chosen else everybody
        return _price(votes, way, price, full, ~first)

    return Advice(
        run=votes.run,
        allowed_loss=loss,
        tried=len(ways),
        full=_price(votes, everybody, price, full, ~first),
        cheapest=price_of(best),
        same_labels=price_of(same),
    )


def _ways(judges: int, price: Floats) -> Iterator[_Way]:
    by_price = sorted(range(judges), key=lambda j: price[j])
    most = judges if judges <= _MANY else 5
    sizes = [*range(1, most + 1, 2), *([judges] if judges % 2 == 0 or judges > most else [])]
    for size in sizes:
        for panel in combinations(by_price, size):
            yield panel, "early stop"
    if judges > 3:
        for pair in combinations(by_price, 2):
            yield (*pair, *(j for j in by_price if j not in pair)), "pair first"


def _in_best_order(says: NDArray[np.int64], way: _Way, price: Floats) -> _Way:
    """Return an early stop whose order costs least on these steps, by exchanges of two; it changes no outcome."""
    order, kind = way
    if kind != "early stop":
        return way

    def cost(tried_order: Sequence[int]) -> float:
        return float((_ask(says, tried_order, kind).asked @ price).mean())

    best, improved = (cost(order), order), True
    while improved:
        improved = False
        for i, j in combinations(range(len(order)), 2):
            exchanged = list(best[1])
            exchanged[i], exchanged[j] = exchanged[j], exchanged[i]
            if (changed := cost(exchanged)) < best[0]:
                best, improved = (changed, tuple(exchanged)), True
    return best[1], kind


def _ask(says: NDArray[np.int64], order: Sequence[int], way: str) -> _Result:
    asked = np.zeros(says.shape, dtype=np.bool_)
    ordered = says[:, list(order)]
    if way == "all":
        asked[:, list(order)] = True
        return _Result(majority(ordered), asked)
    half = len(order) / 2
    errors, supports = (np.cumsum(ordered == code, axis=1) for code in (ERROR, SUPPORTED))
    settled = np.maximum(errors, supports) > half
    needed = np.where(settled.any(axis=1), settled.argmax(axis=1) + 1, len(order))
    outcome = majority(ordered)
    if way == "pair first":
        agree = (ordered[:, 0] == ordered[:, 1]) & (ordered[:, 0] != SILENT)
        needed, outcome = np.where(agree, 2, needed), np.where(agree, ordered[:, 0], outcome)
    asked[:, list(order)] = np.arange(len(order)) < needed[:, None]
    return _Result(outcome, asked)


def _lost(outcome: NDArray[np.int64], full: NDArray[np.int64], votes: JudgeVotes, mask: NDArray[np.bool_]) -> float:
    if not votes.has_labels:
        return float((outcome != full)[mask].mean())
    part = votes.only(mask)
    sums = credit_sums((full[mask], outcome[mask]), part.human, part.question, part.questions).sum(axis=0)
    values = balanced(sums)
    return float(values[0] - values[1])


def _price(
    votes: JudgeVotes, way: tuple[Sequence[int], str], price: Floats, full: NDArray[np.int64], mask: NDArray[np.bool_]
) -> PanelPrice:
    result = _ask(votes.says, *way)
    asked, part = result.asked[mask], votes.only(mask)
    same = np.bincount(part.question, weights=(result.outcome == full)[mask], minlength=part.questions)
    accuracy = loss = None
    if votes.has_labels:
        both, difference = compared(full[mask], result.outcome[mask], part)
        accuracy, loss = both.bounded(1), difference.unbounded(0)
    cost = float((asked @ price).mean())
    return PanelPrice(
        judges=tuple(votes.judges[j] for j in way[0]),
        way=way[1],
        calls=float(asked.sum(axis=1).mean()),
        cost=cost,
        cost_share=cost / float(price.sum()),
        balanced_accuracy=accuracy,
        loss=loss,
        same_label=share(same, np.bincount(part.question, minlength=part.questions)).estimate,
    )
