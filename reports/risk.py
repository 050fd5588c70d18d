"""Abstention worth having: the risk of the surest verdicts, and certified coverage over many splits by question."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tracejury.reports.calibration import fit
from tracejury.reports.certification import Unit, Verdicts, certify
from tracejury.reports.estimates import Floats
from tracejury.reports.votes_table import ERROR, SILENT, SUPPORTED, JudgeVotes
from tracejury.traces import Record

Score = Literal["vote share", "calibrated confidence"]


class Scored(NamedTuple):
    """Each step's label (0, 1, or -1 for none) and how sure it is, shape (steps,) each."""

    outcome: NDArray[np.int64]
    confidence: Floats


class RiskCurve(Record):
    """Risk by coverage, the surest verdicts first; steps of one confidence are one point."""

    coverage: tuple[float, ...]
    risk: tuple[float, ...]
    aurc: float | None
    """Area under the curve up to the coverage reached, divided by that coverage (Geifman and El-Yaniv 2017)."""


class CertifiedCoverage(Record):
    """What a certificate keeps, over splits of the questions into a calibrating and a testing half."""

    alpha: float
    delta: float
    per: Unit
    splits: int
    certified: float
    """Share of splits with a certificate."""
    coverage: float
    """Mean share of the testing half's steps that keep a verdict, a split without a certificate being 0."""
    coverage_where_certified: float | None
    """The same over the splits with a certificate; None: there are none."""
    violations: float
    """Share of splits whose testing half has a higher risk than alpha, counted as `per` says. The testing half is a
    sample, so a threshold that keeps to alpha exceeds it on some halves."""
    violations_other: float
    """The same by the other unit, which the guarantee does not promise."""


def vote_shares(votes: JudgeVotes) -> Scored:
    """Return each step's most frequent label, with its share of all judges; no label where two are level."""
    share = np.stack([(votes.says == code).mean(axis=1) for code in (SUPPORTED, ERROR)])
    outcome = np.where(share[ERROR] > share[SUPPORTED], ERROR, SUPPORTED)
    return Scored(np.where(share[ERROR] == share[SUPPORTED], SILENT, outcome), share.max(axis=0))


def risk_curve(scored: Scored, votes: JudgeVotes) -> RiskCurve:
    """Return the curve of scored verdicts over the labelled steps of `votes`."""
    decided = (scored.outcome != SILENT) & (votes.human >= 0)
    if not decided.any():
        return RiskCurve(coverage=(), risk=(), aurc=None)
    wrong = (scored.outcome != votes.human)[decided]
    levels, level = np.unique(-np.round(scored.confidence[decided], 9), return_inverse=True)
    kept_count = np.cumsum(np.bincount(level, minlength=len(levels)))
    risk = np.cumsum(np.bincount(level, weights=wrong, minlength=len(levels))) / kept_count
    coverage = kept_count / (votes.human >= 0).sum()
    area = float((risk * np.diff(coverage, prepend=0.0)).sum() / coverage[-1])
    return RiskCurve(coverage=tuple(map(float, coverage)), risk=tuple(map(float, risk)), aurc=area)


def certified_coverage(
    votes: JudgeVotes,
    *,
    score: Score,
    alpha: float,
    delta: float = 0.1,
    splits: int = 200,
    seed: int = 0,
    per: Unit = "question",
) -> CertifiedCoverage:
    """Certify verdicts on one half of the questions and look at the other, many times.

    A third of the calibrating half fits the confidence and lays down the thresholds, the rest certifies them.

    Raises:
        ValueError: The votes have no human labels of both kinds.
    """
    if not votes.has_labels:
        raise ValueError("certificates need human labels of both kinds")
    votes = votes.labelled()
    rng = np.random.default_rng(seed)
    rows = []
    for split in range(splits):
        place = rng.permutation(votes.questions)[votes.question] / votes.questions
        fitting, certifying, testing = place < 1 / 6, (place >= 1 / 6) & (place < 0.5), place >= 0.5
        scored = vote_shares(votes) if score == "vote share" else calibrated_votes(votes, fitting)
        verdicts = verdicts_of(scored, votes)
        halves = _only(verdicts, fitting), _only(verdicts, certifying)
        threshold = certify(*halves, alpha=alpha, delta=delta, seed=seed + split, per=per).threshold
        is_kept = testing & (verdicts.mistaken <= (-1.0 if threshold is None else threshold))
        rows.append((threshold is not None, is_kept.sum() / testing.sum(), *_risks(verdicts, is_kept)))
    certified, coverage, by_question, by_step = np.array(rows, dtype=np.float64).T
    by_unit = {"question": by_question, "step": by_step}
    violations = {unit: float((risk > alpha).mean()) for unit, risk in by_unit.items()}
    return CertifiedCoverage(
        alpha=alpha,
        delta=delta,
        per=per,
        splits=splits,
        certified=float(certified.mean()),
        coverage=float(coverage.mean()),
        coverage_where_certified=float(coverage.sum() / certified.sum()) if certified.any() else None,
        violations=violations[per],
        violations_other=violations["step" if per == "question" else "question"],
    )


def calibrated_votes(votes: JudgeVotes, fitting: NDArray[np.bool_]) -> Scored:
    """Return labels by a logistic model of the judges' labels, fitted on some steps, with its probability."""
    x = np.concatenate([votes.says == ERROR, votes.says == SUPPORTED], axis=1).astype(np.float64)
    weights, intercept = fit(x[fitting], votes.human[fitting] == ERROR)
    p = 1 / (1 + np.exp(-(x @ weights + intercept)))
    return Scored(np.where(p > 0.5, ERROR, SUPPORTED), np.maximum(p, 1 - p))


def verdicts_of(scored: Scored, votes: JudgeVotes) -> Verdicts:
    """Return scored verdicts as certification takes them; a step without a label is never kept."""
    mistaken = np.where(scored.outcome == SILENT, 1.0, 1 - scored.confidence).astype(np.float64)
    return Verdicts(votes.question, np.round(mistaken, 9), scored.outcome != votes.human)


def _only(verdicts: Verdicts, mask: NDArray[np.bool_]) -> Verdicts:
    # Where no label leads nothing is kept, whatever the threshold.
    mask = mask & (verdicts.mistaken < 1)
    return Verdicts(verdicts.question[mask], verdicts.mistaken[mask], verdicts.wrong[mask])


def _risks(verdicts: Verdicts, is_kept: NDArray[np.bool_]) -> tuple[float, float]:
    if not is_kept.any():
        return 0.0, 0.0
    n = np.bincount(verdicts.question[is_kept])
    wrong = np.bincount(verdicts.question[is_kept], weights=verdicts.wrong[is_kept])
    return float((wrong[n > 0] / n[n > 0]).mean()), float(verdicts.wrong[is_kept].mean())
