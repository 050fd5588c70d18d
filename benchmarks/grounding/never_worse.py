"""Never worse than its judges: the jury's risk less the plain majority's, at the jury's coverage.

Three scripted judges are right with the same probability, independently or with a pairwise correlation of .5 (with
probability .5 all three share one draw). Each cites the strongest sentences for the relation that its label asserts, so
that a wrong judge does its best, too. What follows is the expectation over all draws of the judges; intervals resample
questions. The majority's score is vote share, then mean confidence (the same for all), ties at their expected risk.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from math import comb
from typing import Any, NamedTuple

import numpy as np

from benchmarks.grounding.juries import ONE_CLAIM, Sides, sides_of_counts, verdict_of
from benchmarks.grounding.liars import FLIPPED, RIGHT
from benchmarks.grounding.lift import ClaimCounts, Floats
from benchmarks.grounding.mr_ben import LabelledCase
from tracejury.agents import JudgePanel, Label, Outcome, Policy, Relation, Verdict, decide
from tracejury.reports import bootstrap

_OUTCOME = {Relation.SUPPORTS: Outcome.SUPPORTED, Relation.CONTRADICTS: Outcome.ERROR}

SKILLS = (0.65, 0.75, 0.85)
CORRELATIONS = (0.0, 0.5)
JUDGES = 3
LEAST_COVERAGE = 0.1
MOST_DIFFERENCE = 0.03


class JuryTable(NamedTuple):
    """What the jury makes of one step, by how many of its judges are right."""

    group: str
    right: Outcome
    outcomes: tuple[Outcome, ...]
    """Of 0, 1, 2, 3 judges that are right."""


def votes(skill: float, correlation: float) -> Floats:
    """Return the probabilities of 0 to 3 judges that are right."""
    alone = np.array([comb(JUDGES, k) * skill**k * (1 - skill) ** (JUDGES - k) for k in range(JUDGES + 1)])
    shared = np.array([1 - skill, *[0.0] * (JUDGES - 1), skill])
    return (1 - correlation) * alone + correlation * shared


def risk_differences(tables: Sequence[JuryTable]) -> list[dict[str, Any]]:
    """Return coverage, both risks and their difference, for each skill and correlation."""
    return [_one(tables, skill, correlation) for correlation in CORRELATIONS for skill in SKILLS]


def _one(tables: Sequence[JuryTable], skill: float, correlation: float) -> dict[str, Any]:
    groups = sorted({t.group for t in tables})
    place = {group: i for i, group in enumerate(groups)}
    sums = np.zeros((len(groups), 7))
    p = votes(skill, correlation)
    unanimous, split = [0, JUDGES], [k for k in range(1, JUDGES)]
    wrong_majority = [k for k in range(JUDGES + 1) if 2 * k < JUDGES]
    for table in tables:
        decided = [o in (Outcome.SUPPORTED, Outcome.ERROR) for o in table.outcomes]
        wrong = [d and o is not table.right for d, o in zip(decided, table.outcomes, strict=True)]
        sums[place[table.group]] += (
            1.0,
            p @ np.array(decided, float),
            p @ np.array(wrong, float),
            p[unanimous].sum(),
            p[[k for k in unanimous if k in wrong_majority]].sum(),
            p[split].sum(),
            p[[k for k in split if k in wrong_majority]].sum(),
        )
    boot = bootstrap(sums, _risks)
    names = ("coverage", "jury's risk", "majority's risk at this coverage", "risk difference")
    row: dict[str, Any] = {"skill": skill, "correlation": correlation, "steps": len(tables), "groups": len(groups)}
    row |= {name: boot.estimate(i).model_dump() for i, name in enumerate(names)}
    coverage, high = row["coverage"]["value"], row["risk difference"]["high"]
    row["result"] = (
        "too little"
        if coverage < LEAST_COVERAGE or high is None
        else "holds"
        if high <= MOST_DIFFERENCE
        else "does not hold"
    )
    return row


def _risks(c: Floats) -> Floats:
    n, decided, wrong, level_1, wrong_1, level_2, wrong_2 = np.moveaxis(c, -1, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        jury = wrong / decided
        first = np.minimum(decided, level_1)
        second = np.minimum(decided - first, level_2)
        expected = first * wrong_1 / level_1 + np.where(second > 0, second * wrong_2 / level_2, 0.0)
        majority = expected / decided
        return np.stack([decided / n, jury, majority, jury - majority], axis=-1)


def measure_never_worse(
    claims: dict[str, list[ClaimCounts]], cases: Sequence[LabelledCase], sides: Sequence[Sides], judge_panel: JudgePanel
) -> dict[str, Any]:
    """Return the risk differences with gold evidence (the sets' own), without it (foreign), and on retrieved evidence.

    Args:
        claims: What counts for each claim of the labelled sets; those whose wrong answers contradict nothing are left
            out.
        cases: MR-Ben's labelled steps.
        sides: The opinions with the strongest quotes on each of them.
        judge_panel: The panel, with its checker.
    """
    result: dict[str, Any] = {}
    for name, rows in claims.items():
        labelled = [row for row in rows if row.claim.relation in _OUTCOME]
        if len(labelled) < len(rows):
            continue
        for evidence, title in (("own", "gold evidence"), ("foreign", "another document's evidence")):
            tables = [_claim_table(row, evidence) for row in labelled]
            result[f"{name}, {title}"] = risk_differences(tables)
    for policy in Policy if cases else ():
        tables = asyncio.run(_case_tables(cases, sides, judge_panel, policy))
        result[f"MR-Ben, retrieved evidence, {policy.value}"] = risk_differences(tables)
    return result


def _claim_table(row: ClaimCounts, evidence: str) -> JuryTable:
    """Decide by the policy on a step of one claim; all judges of one label cite the same sentences."""
    right = _OUTCOME[row.claim.relation]
    wrong = Outcome.ERROR if right is Outcome.SUPPORTED else Outcome.SUPPORTED
    sides = sides_of_counts(row.of[evidence])
    labels = {Outcome.SUPPORTED: Label.SUPPORTED, Outcome.ERROR: Label.ERROR}
    outcomes = []
    for k in range(JUDGES + 1):
        votes_cast = [labels[right]] * k + [labels[wrong]] * (JUDGES - k)
        opinions = [sides.of(label).model_copy(update={"judge": str(i)}) for i, label in enumerate(votes_cast)]
        decision = decide(opinions, ONE_CLAIM)
        # What goes to a resolver without a model and without a derivation abstains.
        outcomes.append(decision.outcome if isinstance(decision, Verdict) else Outcome.ABSTAINED)
    return JuryTable(row.claim.group, right, tuple(outcomes))


async def _case_tables(
    cases: Sequence[LabelledCase], sides: Sequence[Sides], judge_panel: JudgePanel, policy: Policy
) -> list[JuryTable]:
    tables = []
    for labelled, both in zip(cases, sides, strict=True):
        outcomes = []
        for k in range(JUDGES + 1):
            cast = [labelled.label] * k + [FLIPPED[labelled.label]] * (JUDGES - k)
            verdict = await verdict_of(labelled.case, both, cast, judge_panel, policy, labelled.data)
            outcomes.append(verdict.outcome)
        tables.append(JuryTable(labelled.question, RIGHT[labelled.label], tuple(outcomes)))
    return tables
