"""Where it happens: the conditions under which the step-error difference appears, one at a time and in one model."""

from __future__ import annotations

import numpy as np

from tracejury.reports.columns import ROLES, Bools, Columns
from tracejury.reports.differences import Settings, paired_rates
from tracejury.reports.estimates import Estimate
from tracejury.reports.factors import TITLES, Term, question_values
from tracejury.reports.mixed import interactions
from tracejury.reports.sides import pair
from tracejury.traces import Record

_FEW = 5
"""A number with so few values is taken as it is; any other in thirds."""


class Stratum(Record):
    """The step-error difference among the steps of one level of one condition."""

    condition: str
    level: str
    questions: int
    steps: tuple[int, int]
    """Steps with a verdict, baseline and other."""
    difference: Estimate
    by_question: Estimate


class Where(Record):
    """Boundary conditions of one comparison."""

    strata: tuple[Stratum, ...]
    terms: tuple[Term, ...]
    steps: int
    """Steps with a verdict that the model saw."""
    left_out: tuple[str, ...]
    """Conditions that cannot be told apart here, and why."""


def where(columns: Columns, before: int, after: int, settings: Settings) -> Where:
    """Return the difference under each condition, and the mixed model's interactions.

    Args:
        columns: From `gather`.
        before: Code of the baseline arm.
        after: Code of the other arm.
        settings: Draws, confidence and seed.
    """
    strata: list[Stratum] = []
    left_out: list[str] = []
    for name in TITLES:
        levels = _levels(columns, name, before)
        if len(levels) < 2:
            left_out.append(f"{TITLES[name]}: {'the same everywhere' if levels else 'not known'}")
            continue
        for level, mask in levels:
            if stratum := _stratum(columns, name, level, mask, before, after, settings):
                strata.append(stratum)
    terms, steps, dropped = interactions(columns, before, after, settings.confidence)
    return Where(strata=tuple(strata), terms=terms, steps=steps, left_out=(*left_out, *dropped))


def _levels(columns: Columns, name: str, before: int) -> list[tuple[str, Bools]]:
    """Return (level, mask over steps) of a condition."""
    if name == "role":
        role = columns.steps["role"]
        return [(r.value, role == i) for i, r in enumerate(ROLES) if (role == i).any()]
    values = question_values(columns, name, before)
    known_values = values[np.isfinite(values)]
    if not len(known_values):
        return []
    per_step = values[columns.step_question]
    if name == "correct":
        levels = [("right", per_step >= 0.5), ("wrong", per_step < 0.5)]
    elif name == "source":
        levels = [(columns.sources[int(v)], per_step == v) for v in np.unique(known_values)]
    elif len(np.unique(known_values)) <= _FEW:
        levels = [(f"{v:g}", per_step == v) for v in np.unique(known_values)]
    else:
        low, high = np.quantile(known_values, [1 / 3, 2 / 3])
        levels = [(f"up to {low:.0f}", per_step <= low), (f"over {high:.0f}", per_step > high)]
        levels.insert(1, (f"{low:.0f} to {high:.0f}", (per_step > low) & (per_step <= high)))
    return [(level, mask) for level, mask in levels if mask.any()]


def _stratum(
    columns: Columns, name: str, level: str, mask: Bools, before: int, after: int, settings: Settings
) -> Stratum | None:
    sides = pair(columns, before, after, mask)
    difference = paired_rates(sides, settings)
    if difference is None:
        return None
    return Stratum(
        condition=name,
        level=level,
        questions=difference.questions,
        steps=(int(sides.before[:, :2].sum()), int(sides.after[:, :2].sum())),
        difference=difference.difference,
        by_question=difference.by_question,
    )
