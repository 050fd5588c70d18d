"""Fewer calls a verdict: early stop, and rules that end before a majority, over panels of recorded judges.

A design (order of asking, rule) is chosen on one half of the groups and shown on the other. A verdict needs a strict
majority of the configured panel, so the same labels take at least (n + 1) / 2n of the calls. The two other rules are
bargains that the policy does not offer: they end once the first M agree, or once one label leads by D.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tracejury.reports.estimates import Estimate
from tracejury.reports.intervals import share
from tracejury.reports.votes_table import ERROR, SUPPORTED, JudgeVotes, balanced, compared, credit_sums

Ints = NDArray[np.int64]
SIZES = (3, 5, 7, 9, 15)
MOST_PANELS = 100
STRONG = "gemini-pro"
LEAST_SAME = 0.99
"""Share of steps that must have the full panel's label for a bargain to be chosen."""


class Played(NamedTuple):
    """A label and the calls of each step."""

    label: Ints
    calls: Ints


def play(says: Ints, order: Sequence[int], rule: str = "majority", least: int = 0) -> Played:
    """Ask judges in an order until a majority is certain, or the rule is content.

    Args:
        says: Shape (steps, judges).
        order: The panel, in the order of asking.
        rule: `majority`, `first` (the first `least` agree) or `lead` (one label leads by `least`).
        least: How many.
    """
    ordered = says[:, list(order)]
    n = ordered.shape[1]
    errors, supports = (np.cumsum(ordered == code, axis=1) for code in (ERROR, SUPPORTED))
    content = np.maximum(errors, supports) > n / 2
    if rule == "lead":
        content |= np.abs(errors - supports) >= least
    if rule == "first":
        content[:, least - 1] |= np.maximum(errors, supports)[:, least - 1] == least
        content[:, : least - 1] = False
    last = np.where(content.any(axis=1), content.argmax(axis=1), n - 1)
    steps = np.arange(len(says))
    return Played(np.where(errors[steps, last] > supports[steps, last], ERROR, SUPPORTED), last + 1)


def best_order(says: Ints, panel: Sequence[int]) -> list[int]:
    """Return the order with the fewest calls for the same labels, by exchanges of two."""
    most = play(says, panel).label
    order = sorted(panel, key=lambda j: -(says[:, j] == most).mean())
    calls, improved = play(says, order).calls.mean(), True
    while improved:
        improved = False
        for i, j in combinations(range(len(order)), 2):
            exchanged = order[:]
            exchanged[i], exchanged[j] = exchanged[j], exchanged[i]
            if (changed := play(says, exchanged).calls.mean()) < calls:
                order, calls, improved = exchanged, changed, True
    return order


def bargain(says: Ints, order: Sequence[int]) -> tuple[str, int]:
    """Return the cheapest rule that keeps the full panel's label on `LEAST_SAME` of these steps."""
    full = play(says, order).label
    designs = [("majority", 0, play(says, order).calls.mean())]
    for rule in ("first", "lead"):
        for least in range(2, len(order) // 2 + 2):
            tried = play(says, order, rule, least)
            if (tried.label == full).mean() >= LEAST_SAME:
                designs.append((rule, least, tried.calls.mean()))
    rule, least, _ = min(designs, key=lambda design: design[2])
    return rule, least


def asking_body(votes: JudgeVotes) -> dict[str, Any]:
    """Return by panel size the share of calls of every design, on the half of the groups that it was not chosen on."""
    rng = np.random.default_rng(0)
    search = (rng.permutation(votes.questions) % 2 == 0)[votes.question]
    body: dict[str, Any] = {}
    for size in SIZES:
        panels = list(combinations(range(len(votes.judges)), size))
        chosen = [panels[i] for i in sorted(rng.permutation(len(panels))[:MOST_PANELS])]
        rows = [_panel(votes, panel, search, rng) for panel in chosen]
        body[str(size)] = {"panels": len(rows), "of": len(panels), "floor": round((size // 2 + 1) / size, 4)} | {
            name: {
                "mean": round(float(np.mean([row[name] for row in rows])), 4),
                "least": round(float(np.min([row[name] for row in rows])), 4),
                "most": round(float(np.max([row[name] for row in rows])), 4),
            }
            for name in rows[0]
        }
        body[str(size)]["panels at 60 % of the calls or less"] = {
            name: sum(row[name] <= 0.6 for row in rows) for name in ("seeded order", "best order", "bargain")
        }
    everyone = list(range(len(votes.judges)))
    order = best_order(votes.says[search], everyone)
    rule, least = bargain(votes.says[search], order)
    body["all, bargain"] = {"rule": rule, "least": least, **_intervals(votes, order, rule, least, ~search)}
    body["cheap pair first"] = _cheap_first(votes, search)
    body["all, same labels"] = _intervals(votes, order, "majority", 0, ~search)
    return body


def _cheap_first(votes: JudgeVotes, search: NDArray[np.bool_]) -> dict[str, Any]:
    """Return what it is worth to ask two small judges first, and the strong one where they disagree.

    The pair has the highest balanced accuracy on the searched half, with the strong judge on their disagreements.
    """
    strong = votes.judges.index(STRONG)
    small = [j for j, name in enumerate(votes.judges) if any(word in name for word in ("7b", "8b"))]

    def accuracy(pair: Sequence[int]) -> float:
        outcome = play(votes.says[search], (*pair, strong)).label
        sums = credit_sums((outcome,), votes.human[search], votes.question[search], votes.questions)
        return float(balanced(sums.sum(axis=0))[0])

    pair = max(combinations(small, 2), key=accuracy)
    part = votes.only(~search)
    played = play(part.says, (*pair, strong))
    both, difference = compared(played.label, part.says[:, strong], part)
    steps = np.bincount(part.question, minlength=votes.questions)
    third = np.bincount(part.question, weights=played.calls == 3, minlength=votes.questions)
    return {
        "pair": [votes.judges[j] for j in pair],
        "strong": STRONG,
        "asks the strong judge": _ends(share(third, steps).estimate),
        "balanced accuracy": _ends(both.bounded(0)),
        "less the strong judge alone": _ends(difference.unbounded(0)),
    }


def _ends(estimate: Estimate) -> list[float | None]:
    return [None if x is None else round(x, 4) for x in (estimate.value, estimate.low, estimate.high)]


def _panel(
    votes: JudgeVotes, panel: Sequence[int], search: NDArray[np.bool_], rng: np.random.Generator
) -> dict[str, float]:
    fitting, testing, human = votes.says[search], votes.says[~search], votes.human[~search]
    order = best_order(fitting, panel)
    rule, least = bargain(fitting, order)
    full, cheaper = play(testing, order), play(testing, order, rule, least)
    seeded = np.mean([play(testing, rng.permutation(panel)).calls.mean() for _ in range(10)])
    question = votes.question[~search]
    accuracies = balanced(credit_sums((full.label, cheaper.label), human, question, votes.questions).sum(axis=0))
    return {
        "seeded order": float(seeded) / len(panel),
        "best order": float(full.calls.mean()) / len(panel),
        "bargain": float(cheaper.calls.mean()) / len(panel),
        "bargain, same labels": float((cheaper.label == full.label).mean()),
        "bargain, loss": float(accuracies[0] - accuracies[1]),
    }


def _intervals(
    votes: JudgeVotes, order: Sequence[int], rule: str, least: int, mask: NDArray[np.bool_]
) -> dict[str, list[float | None]]:
    says, question = votes.says[mask], votes.question[mask]
    full, cheaper = play(says, order).label, play(says, order, rule, least)
    steps = np.bincount(question, minlength=votes.questions)
    shares = {"calls": cheaper.calls / len(order), "same labels": (cheaper.label == full).astype(float)}
    estimates = {
        name: share(np.bincount(question, weights=values, minlength=votes.questions), steps).estimate
        for name, values in shares.items()
    }
    return {name: _ends(estimate) for name, estimate in estimates.items()}
