"""Labelled steps as arrays: what the human says, and what each system (the jury, a judge alone, a majority) says."""

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
    said: dict[str, NDArray[np.int64]]
    suspicion: dict[str, NDArray[np.float64]]
    confidence: NDArray[np.float64]
    questions: tuple[str, ...]

    @property
    def known(self) -> NDArray[np.bool_]:
        """Which steps have a label."""
        return self.label >= 0

    @property
    def systems(self) -> list[str]:
        """The baseline first, then the judges alone, the majority and the jury."""
        judges = sorted(name for name in self.said if name not in (JURY, MAJORITY, ALWAYS))
        return [ALWAYS, *judges, *([MAJORITY] if len(judges) > 1 else []), JURY]


def labelled(rows: Iterable[StepRow]) -> Labelled:
    """Gather the steps of all traces with at least one label.

    Raises:
        NoLabelsError: No step has a label.
    """
    kept = [r for r in rows if r.outcome is not None]
    with_labels = {r.trace_id for r in kept if r.label is not None}
    kept = sorted((r for r in kept if r.trace_id in with_labels), key=lambda r: (r.trace_id, r.step_index))
    if not kept:
        raise NoLabelsError(
            "no step of the run has a human label. Readers that bring labels: mr-ben, medec;"
            " a native trace may bring them as `steps: [{text, label}]`"
        )
    judges = sorted({o.judge for r in kept for o in r.opinions})
    questions = {q: i for i, q in enumerate(sorted({r.question_id for r in kept}))}
    traces = {t: i for i, t in enumerate(sorted(with_labels))}
    said: dict[str, list[int]] = {name: [] for name in (ALWAYS, *judges, MAJORITY, JURY)}
    leaning: dict[str, list[float]] = {name: [] for name in said}
    for row in kept:
        heard = {o.judge: o for o in row.opinions}
        jury = [o for o in row.opinions if o.seat is Seat.VOTE]
        says = {name: _said(heard.get(name)) for name in judges}
        says |= {ALWAYS: SUPPORTED, MAJORITY: _majority(jury), JURY: _OUTCOME[row.outcome or Outcome.FAILED]}
        leans = {name: _leans([heard[name]] if name in heard else []) for name in judges}
        votes = _leans([o for o in row.opinions if o.seat is not Seat.LISTED])
        leans |= {ALWAYS: 0.0, MAJORITY: _leans(jury), JURY: votes}
        # A verdict outranks any vote that did not become one.
        leans[JURY] += {SUPPORTED: -1.0, ERROR: 1.0}.get(says[JURY], 0.0)
        for name in said:
            said[name].append(says[name])
            leaning[name].append(leans[name])
    return Labelled(
        question=np.array([questions[r.question_id] for r in kept]),
        trace=np.array([traces[r.trace_id] for r in kept]),
        index=np.array([r.step_index for r in kept]),
        label=np.array([-1 if r.label is None else int(r.label == "error") for r in kept]),
        said={name: np.array(codes) for name, codes in said.items()},
        suspicion={name: np.round(np.array(values), 3) for name, values in leaning.items()},
        confidence=np.array([np.nan if r.confidence is None else r.confidence for r in kept]),
        questions=tuple(questions),
    )


def _said(opinion: OpinionRow | None) -> int:
    if opinion is None or opinion.label is None:
        return FAILED
    return _LABEL[Label(opinion.label)]


def _majority(jury: Sequence[OpinionRow]) -> int:
    """Return what a strict majority of the voting judges says, grounded or not."""
    votes = Counter(_said(o) for o in jury)
    if not jury or votes[FAILED] == len(jury):
        return FAILED
    return next((code for code in (SUPPORTED, ERROR) if votes[code] > len(jury) / 2), ABSTAINED)


def _leans(opinions: Sequence[OpinionRow]) -> float:
    """Return the mean of +confidence for `error` and -confidence for `supported`, 0 without opinions."""
    sign = {ERROR: 1.0, SUPPORTED: -1.0}
    given = [sign.get(_said(o), 0.0) * (1.0 if o.confidence is None else o.confidence) for o in opinions]
    return sum(given) / len(given) if given else 0.0
