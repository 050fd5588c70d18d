"""What a check is worth: how much likelier a citation counts under the right label than under the flipped one.

Each judge cites the sentences of its evidence that the checker scores highest for the relation that its label asserts.
Beside the checker: the check before it (any verbatim quote at a cosine of .32 or more), `always supports`, `nothing`.
MedHallu's wrong answers are only known not to be supported, so its lift is that of the side `supports`: true answers
that count less hallucinated ones that do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.grounding.checkers import threshold_of
from benchmarks.grounding.excerpts import excerpt_pairs
from benchmarks.grounding.labelled_sets import LabelledClaim, foreign_evidence
from benchmarks.grounding.strongest import case_of, checked, citable, strongest_quotes
from tracejury.agents import JudgePanel, Relation
from tracejury.agents.checkers import LoadedChecker, Pair, Probabilities
from tracejury.reports import bootstrap

Floats = NDArray[np.float64]
ASSERTED = (Relation.SUPPORTS, Relation.CONTRADICTS)
EVIDENCE = ("own", "empty", "foreign")
OLD_FLOOR = 0.32


class Counts(NamedTuple):
    """Whether a citation of one claim counts, by the relation asserted."""

    supports: bool
    contradicts: bool


class ClaimCounts(NamedTuple):
    """What counts for one claim, by evidence."""

    claim: LabelledClaim
    of: dict[str, Counts]


async def with_strongest_citations(claims: Sequence[LabelledClaim], judge_panel: JudgePanel) -> list[ClaimCounts]:
    """Read whole abstracts as the product does; `empty` is the checker on no sentence at all."""
    checker = _checker(judge_panel)
    rows = []
    for i, (claim, other) in enumerate(zip(claims, foreign_evidence(claims), strict=True)):
        (alone,) = await checker.check([Pair(claim.claim, ("",))])
        own = await _product_counts(claim.claim, claim.evidence, f"own {i}", judge_panel)
        foreign = await _product_counts(claim.claim, other, f"foreign {i}", judge_panel)
        rows.append(ClaimCounts(claim, {"own": own, "empty": _over(checker, alone, 1), "foreign": foreign}))
    return rows


async def _product_counts(claim: str, evidence: str, name: str, judge_panel: JudgePanel) -> Counts:
    case = case_of(claim, evidence, name)
    counts = []
    for relation in ASSERTED:
        quotes = await strongest_quotes(case, relation, judge_panel)
        opinion = await checked(case, relation, quotes, judge_panel)
        counts.append(any(c.counts for c in opinion.citations))
    return Counts(*counts)


async def with_excerpts(
    claims: Sequence[LabelledClaim], judge_panel: JudgePanel, read: Callable[[Sequence[Pair]], Awaitable[Any]]
) -> list[tuple[LabelledClaim, dict[str, Probabilities | None]]]:
    """Return the raw probabilities of one text a claim and evidence; None where nothing can be cited."""
    rows = []
    for claim, pairs in zip(claims, excerpt_pairs(claims, judge_panel), strict=True):
        answers = {}
        for name, pair in zip(("own", "foreign", "empty"), pairs, strict=True):
            answers[name] = (await read([pair]))[0] if pair is not None else None
        rows.append((claim, answers))
    return rows


def constant_checkers(claims: Sequence[LabelledClaim], judge_panel: JudgePanel) -> dict[str, list[ClaimCounts]]:
    """Return what the check before and the constant checkers make of the same claims."""
    old = [
        ClaimCounts(
            claim,
            {"own": _near(claim.claim, claim.evidence, judge_panel), "empty": Counts(False, False)}
            | {"foreign": _near(claim.claim, other, judge_panel)},
        )
        for claim, other in zip(claims, foreign_evidence(claims), strict=True)
    ]
    always = [ClaimCounts(claim, dict.fromkeys(EVIDENCE, Counts(True, False))) for claim in claims]
    nothing = [ClaimCounts(claim, dict.fromkeys(EVIDENCE, Counts(False, False))) for claim in claims]
    return {"verbatim and cosine": old, "always supports": always, "nothing": nothing}


def _near(claim: str, evidence: str, judge_panel: JudgePanel) -> Counts:
    # `citable` applies the same floor; the check before asked for no more, whatever the judge asserted.
    near = bool(citable(case_of(claim, evidence, "near"), Relation.SUPPORTS, judge_panel))
    return Counts(near, near)


def _over(checker: LoadedChecker, answer: Probabilities, sentences: int) -> Counts:
    return Counts(*(answer.of(r) >= threshold_of(checker, r, sentences) for r in ASSERTED))


def _checker(judge_panel: JudgePanel) -> LoadedChecker:
    if judge_panel.checker is None:
        raise ValueError("the panel has no checker")
    return judge_panel.checker


def lift_table(rows: Sequence[ClaimCounts]) -> dict[str, Any]:
    """Return lift and true rates of one set with intervals, groups resampled."""
    groups = sorted({row.claim.group for row in rows})
    place = {group: i for i, group in enumerate(groups)}
    sums = np.zeros((len(groups), 2, 1 + 2 * len(EVIDENCE)))
    one_sided = any(row.claim.relation is None for row in rows)
    for row in rows:
        gold = int(row.claim.relation is not Relation.SUPPORTS)
        cell = sums[place[row.claim.group], gold]
        cell[0] += 1
        for i, name in enumerate(EVIDENCE):
            right, flipped = row.of[name] if gold == 0 or one_sided else row.of[name][::-1]
            cell[1 + 2 * i : 3 + 2 * i] += (right, flipped)
    measure = _one_sided if one_sided else _both_sides
    names = ONE_SIDED if one_sided else BOTH_SIDES
    boot = bootstrap(sums.reshape(len(groups), -1), measure)
    n = sums.sum(axis=0)[:, 0].astype(int).tolist()
    counted = {"n": dict(zip(("supports", "not supported" if one_sided else "contradicts"), n, strict=True))}
    return counted | {"groups": len(groups)} | {name: boot.estimate(i).model_dump() for i, name in enumerate(names)}


BOTH_SIDES = (
    "lift",
    "lift on supports",
    "lift on contradicts",
    "lift beyond empty",
    "lift beyond foreign",
    "true rate",
    "true rate on supports",
    "true rate on contradicts",
    "foreign evidence counts",
)


def _both_sides(columns: Floats) -> Floats:
    c = columns.reshape(*columns.shape[:-1], 2, 1 + 2 * len(EVIDENCE))
    n = c[..., 0]
    by_class = {name: (c[..., 1 + 2 * i] - c[..., 2 + 2 * i]) / n for i, name in enumerate(EVIDENCE)}
    lift = {name: values.mean(axis=-1) for name, values in by_class.items()}
    true = c[..., 1] / n
    at = 1 + 2 * EVIDENCE.index("foreign")
    foreign = ((c[..., at] + c[..., at + 1]) / n / 2).mean(axis=-1)
    own = by_class["own"]
    return np.stack(
        [
            lift["own"],
            own[..., 0],
            own[..., 1],
            lift["own"] - lift["empty"],
            lift["own"] - lift["foreign"],
            true.mean(axis=-1),
            true[..., 0],
            true[..., 1],
            foreign,
        ],
        axis=-1,
    )


ONE_SIDED = ("lift", "lift beyond empty", "lift beyond foreign", "true rate", "false rate", "foreign evidence counts")


def _one_sided(columns: Floats) -> Floats:
    c = columns.reshape(*columns.shape[:-1], 2, 1 + 2 * len(EVIDENCE))
    n = c[..., 0]
    supports = {name: c[..., 1 + 2 * i] / n for i, name in enumerate(EVIDENCE)}
    lift = {name: values[..., 0] - values[..., 1] for name, values in supports.items()}
    return np.stack(
        [
            lift["own"],
            lift["own"] - lift["empty"],
            lift["own"] - lift["foreign"],
            supports["own"][..., 0],
            supports["own"][..., 1],
            supports["foreign"].mean(axis=-1),
        ],
        axis=-1,
    )


def measure_lift(
    sets: dict[str, list[LabelledClaim]], judge_panel: JudgePanel
) -> tuple[dict[str, Any], dict[str, list[ClaimCounts]]]:
    """Return the table of the panel's checker and of the constant ones, and the counts that it rests on."""
    table: dict[str, Any] = {}
    rows = {}
    for name, claims in sets.items():
        rows[name] = asyncio.run(with_strongest_citations(claims, judge_panel))
        table[name] = {"checker": lift_table(rows[name])}
        for constant, counts in constant_checkers(claims, judge_panel).items():
            table[name][constant] = lift_table(counts)
    return table, rows
