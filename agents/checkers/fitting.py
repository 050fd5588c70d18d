"""Fitting a checker's calibration from probabilities and gold relations, in plain numpy.

Two parts. Scale and offsets: multinomial logistic regression on the log-probabilities, one common factor and one
offset a relation (Guo et al. 2017, arXiv 1706.04599, section 4, with one temperature and a bias). Thresholds: a
conformal quantile for grouped data, each group of the same weight (Lee, Barber and Willett 2023, arXiv 2306.06342,
hierarchical conformal prediction).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tracejury.agents.checkers.calibration import LEAST_P

Floats = NDArray[np.float64]
_RIDGE = 0.1
_SCALES = (0.05, 20.0)


def fit_scale_and_offsets(p: Floats, gold: NDArray[np.int64]) -> tuple[float, Floats]:
    """Fit the common factor of the log-probabilities and the offset of each relation.

    Every gold relation weighs the same, however many rows it has: how often it occurs in the labelled pairs says
    nothing about a run.

    Args:
        p: A checker's probabilities, shape (rows, relations); the last relation is silence.
        gold: The column of each row's true relation, shape (rows,).

    Returns:
        The factor, and offsets of shape (relations,), the last 0. A weak ridge draws them to 1 and 0.
    """
    logs = np.log(np.maximum(p, LEAST_P))
    rows, relations = logs.shape
    counts = np.bincount(gold, minlength=relations)
    weights = rows / (np.count_nonzero(counts) * counts[gold])
    one_hot = np.eye(relations)[gold]
    theta = np.zeros(relations)  # the factor, then the offsets of all relations but the last
    theta[0] = 1.0
    prior = theta.copy()
    # d logits / d theta, shape (rows, relations, parameters).
    design = np.zeros((rows, relations, relations))
    design[:, :, 0] = logs
    design[:, np.arange(relations - 1), np.arange(1, relations)] = 1.0

    def loss_and_p(at: Floats) -> tuple[float, Floats]:
        logits = design @ at
        logits = logits - logits.max(axis=1, keepdims=True)
        log_p = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
        loss = -float(weights @ (one_hot * log_p).sum(axis=1)) + _RIDGE / 2 * float(((at - prior) ** 2).sum())
        return loss, np.exp(log_p)

    loss, fitted = loss_and_p(theta)
    for _ in range(100):
        gradient = np.einsum("n,nk,nkd->d", weights, fitted - one_hot, design) + _RIDGE * (theta - prior)
        mean = np.einsum("nk,nkd->nd", fitted, design)
        second = np.einsum("n,nk,nkd,nke->de", weights, fitted, design, design)
        hessian = second - np.einsum("n,nd,ne->de", weights, mean, mean) + _RIDGE * np.eye(relations)
        step = np.linalg.solve(hessian, gradient)
        length = 1.0
        while length > 1e-8 and loss_and_p(theta - length * step)[0] > loss:
            length /= 2
        theta = theta - length * step
        before, (loss, fitted) = loss, loss_and_p(theta)
        if before - loss < 1e-9 * max(1.0, before):
            break
    return float(np.clip(theta[0], *_SCALES)), np.append(theta[1:], 0.0)


def groups_needed(alpha: float) -> int:
    """Return how many groups a threshold takes at least: with fewer not even the largest score is rare enough."""
    return math.ceil(1 / alpha - 1 - 1e-9)


def conformal_threshold(scores: Sequence[float], groups: Sequence[str], alpha: float) -> float:
    """Return the smallest t with P(score >= t) <= alpha for a further score of a further group.

    The bound is marginal: over the draw of the groups, of the further group, and of one of its scores.

    Args:
        scores: One a step.
        groups: The group of each; groups are exchangeable, scores of one need not be independent.
        alpha: The share allowed.

    Raises:
        ValueError: There are fewer groups than `groups_needed` says.
    """
    sizes = Counter(groups)
    if len(sizes) < groups_needed(alpha):
        raise ValueError(f"{len(sizes)} groups, at least {groups_needed(alpha)} needed")
    weight = 1 / (len(sizes) + 1)
    # The further group may score anything: it has the mass of one group above every threshold.
    mass = weight
    for score, group in sorted(zip(scores, groups, strict=True), reverse=True):
        mass += weight / sizes[group]
        if mass > alpha + 1e-12:
            return math.nextafter(score, math.inf)
    return 0.0
