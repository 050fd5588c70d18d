"""Fitting a checker's calibration on labelled pairs: honest probabilities, and thresholds against the best citation."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

import numpy as np

from tracejury.agents import Relation
from tracejury.agents.checkers import (
    MOST_SENTENCES,
    CheckerAsk,
    CheckerCalibration,
    LoadedChecker,
    Pair,
    Probabilities,
    ThresholdEvidence,
    best_citations,
    conformal_threshold,
    fit_scale_and_offsets,
    groups_needed,
)
from tracejury.reports.calibration import NotEnoughLabelsError
from tracejury.reports.labelled_pairs import LabelledPair, digest_of

_ASSERTED = (Relation.SUPPORTS, Relation.CONTRADICTS)
Progress = Callable[[int, int], None]
Check = Callable[[Sequence[Pair]], Awaitable[list[Probabilities]]]


class ScoredClaim(NamedTuple):
    """A labelled pair of the certifying half with what could be cited for it."""

    pair: LabelledPair
    step: str
    best: dict[Relation, tuple[float, ...]]
    """P(relation) of the best group of 1, of up to 2, ... sentences."""
    true_p: float
    """P(true relation) of the gold sentences; of the best group where they are not known."""


async def calibrate_checker(
    checker: LoadedChecker,
    pairs: Sequence[LabelledPair],
    *,
    ask: CheckerAsk | None = None,
    alpha: float = 0.05,
    citations: int = MOST_SENTENCES,
    seed: int = 0,
    progress: Progress = lambda pairs_read, pairs_in_all: None,
) -> CheckerCalibration:
    """Fit scale and offsets on a seeded half of the groups, and the thresholds on the other.

    A threshold holds for a step: of steps on which a relation is asserted wrongly, at most `alpha` have a counting
    citation where the judge cites the best of all sentences of the case, alone or in groups. It holds for each true
    relation apart, so that it does not depend on how often each occurs.

    Args:
        checker: Without a calibration.
        pairs: Labelled pairs.
        ask: The way to the checker's endpoint.
        alpha: The share allowed.
        citations: Sentences that a judge may cite for a claim, at most; there is a threshold for each number up to it.
        seed: Decides the halves.
        progress: Called with the number of labelled pairs that were read, and of all.

    Raises:
        NotEnoughLabelsError: There are too few groups; the message says how many it takes.
        ValueError: `alpha` or `citations` is out of range.
    """
    if not 0 < alpha < 1 or not 1 <= citations <= MOST_SENTENCES:
        raise ValueError(f"alpha is between 0 and 1, citations from 1 to {MOST_SENTENCES}: {alpha:g}, {citations}")
    groups = {pair.group for pair in pairs}
    fitting_groups = _fitting_groups(pairs, seed)
    halves = [[p for p in pairs if (p.group in fitting_groups) is fits] for fits in (True, False)]
    asserted = [r for r in _ASSERTED if r is not Relation.CONTRADICTS or checker.checker.can_contradict]
    _refuse_too_few(pairs, halves, asserted, alpha)
    fitted = CheckerCalibration(
        checker=checker.checker.kind,
        identity=checker.identity,
        can_contradict=checker.checker.can_contradict,
        scale=1.0,
        offsets={},
        thresholds={},
        alpha=alpha,
        n=len(pairs),
        groups=len(groups),
        evidence={},
        fitted_from=digest_of(pairs),
        seed=seed,
    )

    async def raw(asked: Sequence[Pair]) -> list[Probabilities]:
        return await checker.check(asked, ask)

    answers = []
    for count, pair in enumerate(halves[0], 1):
        answers.append(await _of_evidence(pair, raw))
        progress(count, len(pairs))
    scale, offsets = _fit(answers, [p.relation for p in halves[0]], fitted.can_contradict)
    fitted = fitted.model_copy(update={"scale": scale, "offsets": offsets})

    async def calibrated(asked: Sequence[Pair]) -> list[Probabilities]:
        return fitted.apply(await checker.check(asked, ask))

    scored = []
    for count, pair in enumerate(halves[1], 1):
        best = await best_citations(pair.claim, pair.evidence, calibrated, citations)
        p = {relation: tuple(citation.p for citation in found) for relation, found in best.items()}
        true_p = p[pair.relation][-1] if pair.relation in p else 0.0
        if pair.gold and pair.relation in p:
            true_p = (await calibrated([_gold(pair)]))[0].of(pair.relation)
        scored.append(ScoredClaim(pair, pair.step or f"{pair.group} {count}", p, true_p))
        progress(len(halves[0]) + count, len(pairs))
    thresholds = {relation: _thresholds(scored, relation, alpha, citations) for relation in asserted}
    evidence = {relation: _evidence(scored, relation, thresholds[relation][-1]) for relation in asserted}
    return fitted.model_copy(update={"thresholds": thresholds, "evidence": evidence})


def _fitting_groups(pairs: Sequence[LabelledPair], seed: int) -> set[str]:
    """Draw half of the groups, of each set of relations that occurs in a group apart: no half runs out of one."""
    relations: dict[str, set[Relation]] = {}
    for pair in pairs:
        relations.setdefault(pair.group, set()).add(pair.relation)
    by_relations: dict[tuple[Relation, ...], list[str]] = {}
    for group in sorted(relations):
        by_relations.setdefault(tuple(sorted(relations[group])), []).append(group)
    rng = np.random.default_rng(seed)
    return {like[i] for _, like in sorted(by_relations.items()) for i in rng.permutation(len(like))[: len(like) // 2]}


def _refuse_too_few(
    pairs: Sequence[LabelledPair], halves: Sequence[Sequence[LabelledPair]], asserted: Sequence[Relation], alpha: float
) -> None:
    needed = groups_needed(alpha)
    for relation in asserted:
        wrong = [r for r in Relation if r is not relation and any(p.relation is r for p in pairs)]
        if not wrong:
            raise NotEnoughLabelsError(
                f"{len(pairs)} rows, and on none of them `{relation.value}` would be wrong: no threshold can be set"
            )
        for true in wrong:
            have = {p.group for p in pairs if p.relation is true}
            certifying = {p.group for p in halves[1] if p.relation is true}
            if len(certifying) < needed:
                raise NotEnoughLabelsError(
                    f"{len(have)} groups with rows labelled `{true.value}`, {len(certifying)} of them in the half that"
                    f" sets the thresholds: at alpha {alpha:g} it takes {needed} there, so {2 * needed} in all"
                )


async def _of_evidence(pair: LabelledPair, check: Check) -> Probabilities:
    """Return the probabilities that a row is fitted on: of its gold sentences, or of the least silent one."""
    if pair.gold:
        return (await check([_gold(pair)]))[0]
    if len(pair.evidence) <= MOST_SENTENCES:
        return (await check([Pair(pair.claim, pair.evidence)]))[0]
    singles = await check([Pair(pair.claim, (sentence,)) for sentence in pair.evidence])
    return min(singles, key=lambda p: p.silent)


def _gold(pair: LabelledPair) -> Pair:
    return Pair(pair.claim, tuple(pair.evidence[i] for i in sorted(set(pair.gold))[:MOST_SENTENCES]))


def _fit(
    answers: Sequence[Probabilities], gold: Sequence[Relation], can_contradict: bool
) -> tuple[float, dict[Relation, float]]:
    columns = [r for r in Relation if r is not Relation.CONTRADICTS or can_contradict]
    p = np.array([[answer.of(r) for r in columns] for answer in answers], np.float64).reshape(-1, len(columns))
    # To a checker that cannot contradict, a contradiction is not supported, and that is all.
    of_relation = {r: columns.index(r) if r in columns else columns.index(Relation.SILENT) for r in Relation}
    scale, offsets = fit_scale_and_offsets(p, np.array([of_relation[r] for r in gold], np.int64))
    return scale, dict(zip(columns, map(float, offsets), strict=True))


def _thresholds(scored: Sequence[ScoredClaim], relation: Relation, alpha: float, citations: int) -> tuple[float, ...]:
    of_sizes = []
    for size in range(citations):
        of_true = []
        for true in Relation:
            steps = _steps([claim for claim in scored if claim.pair.relation is true])
            if true is not relation and steps:
                scores = [max(claim.best[relation][size] for claim in claims) for claims in steps]
                of_true.append(conformal_threshold(scores, [claims[0].pair.group for claims in steps], alpha))
        of_sizes.append(max(of_true))
    return tuple(of_sizes)


def _evidence(scored: Sequence[ScoredClaim], relation: Relation, threshold: float) -> ThresholdEvidence:
    wrong = [claim for claim in scored if claim.pair.relation is not relation]
    right = [claim for claim in scored if claim.pair.relation is relation]
    reached: dict[str, list[bool]] = {}
    for claim in right:
        reached.setdefault(claim.pair.group, []).append(claim.true_p >= threshold)
    return ThresholdEvidence(
        steps=len(_steps(wrong)),
        groups=len({claim.pair.group for claim in wrong}),
        against=tuple(r for r in Relation if any(claim.pair.relation is r for claim in wrong)),
        true_steps=len(_steps(right)),
        true_groups=len(reached),
        true_rate=float(np.mean([np.mean(each) for each in reached.values()])) if reached else None,
    )


def _steps(claims: Sequence[ScoredClaim]) -> list[list[ScoredClaim]]:
    by_step: dict[tuple[str, str], list[ScoredClaim]] = {}
    for claim in claims:
        by_step.setdefault((claim.pair.group, claim.step), []).append(claim)
    return [*by_step.values()]
