"""Fitting a panel's calibrator on a labelled run: P(step is wrong) from the opinions, and certified thresholds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from tracejury.agents import Calibrator, Certified, Outcome, Panel, Route, feature_names, features, seats_of
from tracejury.ledger import StepRow
from tracejury.reports.certification import Unit, Verdicts, certify

_LEAST = 10
"""Labelled questions below which nothing is fitted."""


class NotEnoughLabelsError(ValueError):
    """The run cannot calibrate anything; the message says what is missing."""


def calibrate(
    rows: Iterable[StepRow],
    panel: Panel,
    *,
    alpha_supported: float = 0.1,
    alpha_error: float = 0.2,
    delta: float = 0.1,
    seed: int = 0,
    attempts: int = 1,
    prompts: Mapping[str, str] | None = None,
    per: Unit = "question",
) -> Calibrator:
    """Fit and certify a calibrator.

    The labelled questions are halved by a seeded draw: one half fits the probabilities and lays down the thresholds to
    try, the other tests them.

    Args:
        rows: A run's rows; those without a label, or without a verdict before calibration, are passed over.
        panel: The panel of the run.
        alpha_supported: Risk allowed for `supported`: P(the step is wrong | it is kept as supported).
        alpha_error: Risk allowed for `error`: P(the step is right | it is kept as error).
        delta: How often either guarantee may fail, over draws of the certifying questions.
        seed: Seed of the split into halves and of the random choice of verdicts.
        attempts: How many calibrations these labels have served, this one included; each is tested at delta / attempts
            (Bonferroni), so that the best of several seeds keeps the guarantee.
        prompts: The prompts of the run, from its manifest; None: those of today.
        per: Whether the risk is of a question's kept verdict or of all kept verdicts alike; see `certify`.

    Raises:
        NotEnoughLabelsError: Fewer than ten labelled questions, or labels of one kind only.
        ValueError: alpha or delta outside (0, 1), or the run was calibrated already.
    """
    for name, value in {"alpha_supported": alpha_supported, "alpha_error": alpha_error, "delta": delta}.items():
        if not 0 < value < 1:
            raise ValueError(f"{name} is {value:g}; give a share between 0 and 1")
    labelled = [
        r for r in rows if r.label is not None and r.outcome in (Outcome.SUPPORTED, Outcome.ERROR, Outcome.ABSTAINED)
    ]
    if panel.calibrator or any(r.confidence is not None for r in labelled):
        raise ValueError(
            "the run's verdicts are calibrated already: calibrate on a run whose panel names no calibrator"
        )
    questions = sorted({r.question_id for r in labelled})
    label_kinds = {r.label for r in labelled}
    if len(questions) < _LEAST or len(label_kinds) < 2:
        raise NotEnoughLabelsError(
            f"{len(labelled)} labelled steps of {len(questions)} questions,"
            f" labels {sorted(map(str, label_kinds)) or 'none'}: it takes at least"
            f" {_LEAST} questions and both labels. Readers that bring labels: mr-ben, medec"
        )
    shuffled = np.random.default_rng(seed).permutation(len(questions))
    first = {questions[i] for i in shuffled[: len(questions) // 2]}
    judges = tuple(sorted({o.judge for r in labelled for o in r.opinions}))
    fitting = [r for r in labelled if r.question_id in first]
    certifying = [r for r in labelled if r.question_id not in first]
    weights, intercept = fit(matrix(fitting, judges), labels(fitting))
    rules: dict[Outcome, Certified] = {}
    for outcome, alpha in ((Outcome.SUPPORTED, alpha_supported), (Outcome.ERROR, alpha_error)):
        halves = [_verdicts(half, outcome, judges, weights, intercept) for half in (fitting, certifying)]
        rules[outcome] = certify(*halves, alpha=alpha, delta=delta / attempts, seed=seed, per=per)
    return Calibrator(
        panel=panel.name,
        seats=seats_of(panel, prompts),
        judges=judges,
        features=feature_names(judges),
        weights=tuple(float(w) for w in weights),
        intercept=float(intercept),
        delta=delta / attempts,
        supported=rules[Outcome.SUPPORTED],
        error=rules[Outcome.ERROR],
        fitted_on={
            "run": labelled[0].run,
            "source": str(labelled[0].meta.get("source", "")),
            "questions_fitting": len(first),
            "questions_certifying": len(questions) - len(first),
            "steps_fitting": len(fitting),
            "steps_certifying": len(certifying),
            "seed": seed,
            "attempts": attempts,
        },
    )


def fit(x: NDArray[np.float64], wrong: NDArray[np.bool_]) -> tuple[NDArray[np.float64], float]:
    """Fit a logistic model with a ridge, shape (steps, features) -> weights (features,) and intercept.

    Platt's targets are not needed: the ridge keeps probabilities off 0 and 1. Where the fitting half happens to hold
    one label alone, the base rate of (k + 1) / (n + 2) is all that can be said.
    """
    # Imported here: scikit-learn takes a second, and `tracejury quality score` has no use for it.
    from sklearn.linear_model import LogisticRegression

    if wrong.all() or not wrong.any():
        rate = (wrong.sum() + 1) / (len(wrong) + 2)
        return np.zeros(x.shape[1]), float(np.log(rate / (1 - rate)))
    model = LogisticRegression(C=0.3, max_iter=1000).fit(x, wrong)
    return model.coef_[0], float(model.intercept_[0])


def matrix(rows: Sequence[StepRow], judges: Sequence[str]) -> NDArray[np.float64]:
    """Return the features of `rows`, shape (rows, features)."""
    names = feature_names(judges)
    feature_rows = [features(r.route is Route.RESOLVER, r.opinions, judges) for r in rows]
    return np.array([[f[name] for name in names] for f in feature_rows], dtype=np.float64).reshape(
        len(rows), len(names)
    )


def labels(rows: Sequence[StepRow]) -> NDArray[np.bool_]:
    """Return whether each step is wrong, shape (rows,)."""
    return np.array([r.label == "error" for r in rows], dtype=np.bool_)


def _verdicts(
    rows: Sequence[StepRow], outcome: Outcome, judges: Sequence[str], weights: NDArray[np.float64], intercept: float
) -> Verdicts:
    of_outcome = [r for r in rows if r.outcome is outcome]
    codes = {q: i for i, q in enumerate(dict.fromkeys(r.question_id for r in of_outcome))}
    wrong_step = 1 / (1 + np.exp(-(matrix(of_outcome, judges) @ weights + intercept)))
    is_error = outcome is Outcome.ERROR
    return Verdicts(
        question=np.array([codes[r.question_id] for r in of_outcome], dtype=np.int64),
        mistaken=1 - wrong_step if is_error else wrong_step,
        wrong=~labels(of_outcome) if is_error else labels(of_outcome),
    )
