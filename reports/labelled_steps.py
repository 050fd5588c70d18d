"""Labelled steps as arrays: the human label, and the outcome of each system (the jury, a judge alone, a majority)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracejury.agents import Label, Outcome, Seat
from tracejury.ledger import OpinionRow, StepRow

SUPPORTED, ERROR, ABSTAINED, FAILED = range(4)
_OUTCOME = {
    Outcome.SUPPORTED: SUPPORTED,
    Outcome.ERROR: ERROR,
    Outcome.ABSTAINED: ABSTAINED,
    Outcome.FAILED: FAILED,
}
_LABEL = {Label.SUPPORTED: SUPPORTED, Label.ERROR: ERROR, Label.UNCLEAR: ABSTAINED, Label.NO_CLAIM: ABSTAINED}
JURY, MAJORITY, ALWAYS = "jury", "majority vote", "always supported"


class NoLabelsError(ValueError):
    """Nothing to score against; the message says which readers bring labels."""


@dataclass(frozen=True)
class Labelled:
    """Steps of the traces that have labels. All arrays have one entry a step, in the order of the trace.

    Attributes:
        question: Question code.
        trace: Trace code.
        index: The step's index in its trace.
        label: 1 error, 0 supported, -1 none (a step after the first error, say).
        said: System -> outcome code (`SUPPORTED`, `ERROR`, `ABSTAINED`, `FAILED`).
        suspicion: System -> how much it holds the step wrong, for ranking: from -2 to 2.
        confidence: The jury's calibrated confidence; nan: uncalibrated.
        questions: Question ids, by code.
    """

    question: NDArray[np.int64]
    trace: NDArray[np.int64]
    index: NDArray[np.int64]
    label: NDArray[np.int64]
    outcomes: dict[str, NDArray[np.int64]]
    suspicion: dict[str, NDArray[np.float64]]
    confidence: NDArray[np.float64]
    questions: tuple[str, ...]

    @property
    def has_label(self) -> NDArray[np.bool_]:
        """Which steps have a label."""
        return self.label >= 0

    @property
    def systems(self) -> list[str]:
        """The baseline first, then the judges alone, the majority and the jury."""
        judges = sorted(name for name in self.outcomes if name not in (JURY, MAJORITY, ALWAYS))
        return [ALWAYS, *judges, *([MAJORITY] if len(judges) > 1 else []), JURY]


def labelled(rows: Iterable[StepRow]) -> Labelled:
    """Gather the steps of all traces with at least one label.

    Raises:
        NoLabelsError: No step has a label.
    """
    steps = [r for r in rows if r.outcome is not None]
    with_labels = {r.trace_id for r in steps if r.label is not None}
    steps = sorted((r for r in steps if r.trace_id in with_labels), key=lambda r: (r.trace_id, r.step_index))
    if not steps:
        raise NoLabelsError(
            "no step of the run has a human label. Readers that bring labels: mr-ben, medec;"
            " a native trace may bring them as `steps: [{text, label}]`"
        )
    judges = sorted({o.judge for r in steps for o in r.opinions})
    questions = {q: i for i, q in enumerate(sorted({r.question_id for r in steps}))}
    traces = {t: i for i, t in enumerate(sorted(with_labels))}
    outcomes: dict[str, list[int]] = {name: [] for name in (ALWAYS, *judges, MAJORITY, JURY)}
    leaning: dict[str, list[float]] = {name: [] for name in outcomes}
    for row in steps:
        by_judge = {o.judge: o for o in row.opinions}
        jury = [o for o in row.opinions if o.seat is Seat.VOTE]
        says = {name: _outcome_code(by_judge.get(name)) for name in judges}
        says |= {ALWAYS: SUPPORTED, MAJORITY: _majority(jury), JURY: _OUTCOME[row.outcome or Outcome.FAILED]}
        leans = {name: _leans([by_judge[name]] if name in by_judge else []) for name in judges}
        votes = _leans([o for o in row.opinions if o.seat is not Seat.LISTED])
        leans |= {ALWAYS: 0.0, MAJORITY: _leans(jury), JURY: votes}
        # A verdict outranks any vote that did not become one.
        leans[JURY] += {SUPPORTED: -1.0, ERROR: 1.0}.get(says[JURY], 0.0)
        for name in outcomes:
            outcomes[name].append(says[name])
            leaning[name].append(leans[name])
    return Labelled(
        question=np.array([questions[r.question_id] for r in steps]),
        trace=np.array([traces[r.trace_id] for r in steps]),
        index=np.array([r.step_index for r in steps]),
        label=np.array([-1 if r.label is None else int(r.label == "error") for r in steps]),
        outcomes={name: np.array(codes) for name, codes in outcomes.items()},
        suspicion={name: np.round(np.array(values), 3) for name, values in leaning.items()},
        confidence=np.array([np.nan if r.confidence is None else r.confidence for r in steps]),
        questions=tuple(questions),
    )


def _outcome_code(opinion: OpinionRow | None) -> int:
    if opinion is None or opinion.label is None:
        return FAILED
    return _LABEL[Label(opinion.label)]


def _majority(jury: Sequence[OpinionRow]) -> int:
    """Return the label of a strict majority of the voting judges, grounded or not."""
    votes = Counter(_outcome_code(o) for o in jury)
    if not jury or votes[FAILED] == len(jury):
        return FAILED
    return next((code for code in (SUPPORTED, ERROR) if votes[code] > len(jury) / 2), ABSTAINED)


def _leans(opinions: Sequence[OpinionRow]) -> float:
    """Return the mean of +confidence for `error` and -confidence for `supported`, 0 without opinions."""
    sign = {ERROR: 1.0, SUPPORTED: -1.0}
    leanings = [sign.get(_outcome_code(o), 0.0) * (1.0 if o.confidence is None else o.confidence) for o in opinions]
    return sum(leanings) / len(leanings) if leanings else 0.0
