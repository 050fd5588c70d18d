"""One model of all conditions together: a linear mixed model of step errors with questions as groups."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracejury.reports.columns import ROLES, Columns
from tracejury.reports.estimates import Estimate
from tracejury.reports.factors import TITLES, Term, question_values

MAX_STEPS = 40_000
"""Beyond this a seeded share of the questions is fitted, and said to be."""
_NUMBERS = ("options", "option_chars", "stem_chars", "tokens")


def interactions(
    columns: Columns, before: int, after: int, confidence: float
) -> tuple[tuple[Term, ...], int, tuple[str, ...]]:
    """Fit error ~ arm * conditions with a random intercept and a random arm effect by question.

    The model is linear in the probability, so that an interaction is read in points (Angrist and Pischke 2009, Mostly
    Harmless Econometrics, section 3.4.2); fitted by REML (statsmodels MixedLM; Lindstrom and Bates 1988, JASA 83:1014).

    Returns:
        The interactions with the arm, the number of steps fitted, and what was left out and why.
    """
    kind, arm = columns.steps["kind"], columns.step_arm
    used = np.flatnonzero((kind <= 1) & ((arm == before) | (arm == after)))
    dropped: list[str] = []
    if len(used) > MAX_STEPS:
        questions = np.unique(columns.step_question[used])
        sampled = np.random.default_rng(0).permutation(questions)[: int(len(questions) * MAX_STEPS / len(used))]
        used = used[np.isin(columns.step_question[used], sampled)]
        dropped.append(f"the model was fitted on {len(sampled):,} of {len(questions):,} questions, drawn at random")
    question = columns.step_question[used]
    if len(np.unique(question)) < 20:
        return (), len(used), (*dropped, "the mixed model: it needs verdicts on at least 20 questions")
    other = (arm[used] == after).astype(float)
    named, constant = _design(columns, used, before)
    dropped += constant
    if not named:
        return (), len(used), tuple(dropped)
    main = np.stack([column for _, _, column in named], axis=1)
    design = np.concatenate([np.ones((len(used), 1)), other[:, None], main, main * other[:, None]], axis=1)
    fitted, trouble = _fit(kind[used].astype(float), design, question, other)
    if fitted is None:
        return (), len(used), (*dropped, f"the mixed model: {trouble}")
    limits = fitted.conf_int(alpha=1 - confidence)
    terms = [
        Term(
            condition=name,
            change=change,
            effect=Estimate(value=float(fitted.params[at]), low=float(limits[at][0]), high=float(limits[at][1])),
            p=float(fitted.pvalues[at]),
        )
        for at, (name, change, _) in enumerate(named, start=2 + len(named))
    ]
    return tuple(terms), len(used), tuple(dropped)


def _design(columns: Columns, used: NDArray[Any], before: int) -> tuple[list[tuple[str, str, NDArray[Any]]], list[str]]:
    """Return (condition, change, column) of every condition that varies, and why the others are left out."""
    named: list[tuple[str, str, NDArray[Any]]] = []
    left: list[str] = []
    question = columns.step_question[used]
    for name in _NUMBERS:
        values = question_values(columns, name, before)[question]
        if not np.isfinite(values).all():
            left.append(f"{TITLES[name]}, in the model: not known for all questions")
            continue
        scaled = np.log(np.maximum(values, 1)) if name != "options" else values
        spread = scaled.std()
        if spread == 0:
            continue  # `where` has said already that it is the same everywhere.
        unit = "one SD more" if name == "options" else "one SD more (log)"
        named.append((name, unit, (scaled - scaled.mean()) / spread))
    right = question_values(columns, "correct", before)[question]
    if np.isfinite(right).all() and 0 < (right >= 0.5).mean() < 1:
        column = (right >= 0.5).astype(float)
        named.append(("correct", "right against wrong", column - column.mean()))
    role = columns.steps["role"][used]
    counts = np.bincount(role, minlength=len(ROLES))
    reference = int(counts.argmax())
    for code in np.flatnonzero(counts >= 0.02 * len(used)):
        if code != reference:
            column = (role == code).astype(float)
            change = f"{ROLES[code].value} against {ROLES[reference].value}".replace("_", " ")
            named.append(("role", change, column - column.mean()))
    return named, left


def _fit(y: NDArray[Any], design: NDArray[Any], groups: NDArray[Any], other: NDArray[Any]) -> tuple[Any, str]:
    from statsmodels.regression.mixed_linear_model import MixedLM

    if np.linalg.matrix_rank(design) < design.shape[1]:
        return None, "the conditions cannot be told apart in these questions"
    trouble = "it did not converge"
    # A random arm effect that has no variance of its own sits on the boundary; the intercept alone is then the model.
    for random in (np.stack([np.ones(len(y)), other], axis=1), np.ones((len(y), 1))):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                fitted = MixedLM(y, design, groups=groups, exog_re=random).fit(method=["lbfgs", "powell"], maxiter=200)
            except np.linalg.LinAlgError:
                continue
        if fitted.converged and np.isfinite(fitted.bse).all():
            return fitted, ""
    return None, trouble
