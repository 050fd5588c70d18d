"""The votes of a run as arrays, and what is counted of them: shared errors and the jury's balanced accuracy."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracejury.agents import Seat
from tracejury.ledger import StepRow
from tracejury.reports.estimates import Floats
from tracejury.reports.intervals import Jackknife

SUPPORTED, ERROR, SILENT = 0, 1, -1
_CODES = {"supported": SUPPORTED, "error": ERROR}


@dataclass(frozen=True)
class JudgeVotes:
    """The voting judges' labels of a run's steps.

    Attributes:
        run: The run's name.
        judges: Names of the voting judges.
        models: Their models; None: no model is named.
        says: Shape (steps, judges): 0 supported, 1 error, -1 anything else.
        question: Question code of each step, shape (steps,).
        human: Human label of each step: 0, 1, or -1 for none.
    """

    run: str
    judges: tuple[str, ...]
    models: tuple[str | None, ...]
    says: NDArray[np.int64]
    question: NDArray[np.int64]
    human: NDArray[np.int64]

    @property
    def questions(self) -> int:
        """The number of questions."""
        return int(self.question.max()) + 1 if len(self.question) else 0

    @property
    def has_labels(self) -> bool:
        """Whether human labels of both kinds are there."""
        return bool((self.human == SUPPORTED).any() and (self.human == ERROR).any())

    def labelled(self) -> JudgeVotes:
        """Return the steps with a human label."""
        return self.only(self.human >= 0)

    def only(self, mask: NDArray[np.bool_]) -> JudgeVotes:
        """Return the steps in `mask`; questions keep their codes."""
        return JudgeVotes(self.run, self.judges, self.models, self.says[mask], self.question[mask], self.human[mask])


def read_votes(rows: Iterable[StepRow]) -> JudgeVotes:
    """Read a run's rows.

    Raises:
        ValueError: The run has no opinions.
    """
    steps = [row for row in rows if row.outcome is not None and row.opinions]
    if not steps:
        raise ValueError("the run has no opinions; adjudicate a batch first")
    models = {o.judge: o.model for row in steps for o in row.opinions if o.seat is Seat.VOTE}
    judges = tuple(sorted(models))
    column = {name: i for i, name in enumerate(judges)}
    says = np.full((len(steps), len(judges)), SILENT, dtype=np.int64)
    for i, row in enumerate(steps):
        for opinion in row.opinions:
            if opinion.judge in column and opinion.label in _CODES:
                says[i, column[opinion.judge]] = _CODES[opinion.label]
    codes = {q: i for i, q in enumerate(dict.fromkeys(row.question_id for row in steps))}
    return JudgeVotes(
        run=steps[0].run,
        judges=judges,
        models=tuple(models[j] for j in judges),
        says=says,
        question=np.array([codes[row.question_id] for row in steps]),
        human=np.array([_CODES.get(row.label or "", SILENT) for row in steps]),
    )


def majority(says: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the label of a strict majority of the columns, -1 where there is none, shape (steps,)."""
    half = says.shape[1] / 2
    is_error, is_supported = (says == ERROR).sum(axis=1) > half, (says == SUPPORTED).sum(axis=1) > half
    return np.where(is_error, ERROR, np.where(is_supported, SUPPORTED, SILENT))


def credit_sums(
    outcomes: Sequence[NDArray[np.int64]], human: NDArray[np.int64], question: NDArray[np.int64], questions: int
) -> Floats:
    """Return by question, for each system, the credit on supported and on erroneous steps, then the steps of either.

    A right verdict is credited 1, a wrong one 0, an abstention 1/2: what a coin would get.

    Args:
        outcomes: For each system its label of each step.
        human: The human labels, each 0 or 1.
        question: Question codes.
        questions: The number of questions.

    Returns:
        Shape (questions, 2 * systems + 2).
    """
    columns = []
    for label in (SUPPORTED, ERROR):
        of_label = human == label
        for system in outcomes:
            credit = np.where(system == SILENT, 0.5, system == human) * of_label
            columns.append(np.bincount(question, weights=credit, minlength=questions))
    columns += [np.bincount(question, weights=human == label, minlength=questions) for label in (SUPPORTED, ERROR)]
    return np.stack(columns, axis=1)


def balanced(sums: Floats) -> Floats:
    """From added-up `credit_sums`, shape (..., 2 * systems + 2), to balanced accuracies, shape (..., systems)."""
    systems = (sums.shape[-1] - 2) // 2
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = [sums[..., k * systems : (k + 1) * systems] / sums[..., -2 + k, None] for k in (0, 1)]
    return np.asarray((parts[0] + parts[1]) / 2)


def balanced_difference(sums: Floats) -> Floats:
    """From added-up `credit_sums` of two systems to the balanced accuracy of the first less the second, (..., 1)."""
    both = balanced(sums)
    return both[..., :1] - both[..., 1:2]


def compared(one: NDArray[np.int64], other: NDArray[np.int64], votes: JudgeVotes) -> tuple[Jackknife, Jackknife]:
    """Return balanced accuracies of two systems, and their difference, over the labelled steps of `votes`."""
    sums = credit_sums((one, other), votes.human, votes.question, votes.questions)
    return Jackknife(sums, balanced), Jackknife(sums, balanced_difference)
