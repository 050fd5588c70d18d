"""A checker's calibration: what makes its probabilities honest, and how sure it must be for a citation to count."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import Field, ValidationError

from tracejury.agents.checkers.contracts import CheckerError, Probabilities
from tracejury.agents.evidence_records import Relation
from tracejury.storage import read_utf8
from tracejury.traces import Record

LEAST_P = 1e-9
"""Probabilities below this are read as this, so that their logarithm is finite."""


class ThresholdEvidence(Record):
    """What a relation's thresholds rest on."""

    steps: int
    """Steps of the certifying half on which the relation would be asserted wrongly."""
    groups: int
    """Groups (questions, documents) that they come from."""
    against: tuple[Relation, ...]
    """How the evidence really stood to their claims; the threshold holds for each of these alone."""
    true_steps: int
    """Steps of the certifying half where the relation holds."""
    true_groups: int
    true_rate: float | None
    """Share of these whose evidence reaches the last threshold, groups weighing the same; None: there are none."""


class CheckerCalibration(Record):
    """What `tracejury quality calibrate --checker` fits. It holds for one checker with one set of weights."""

    format: Literal["tracejury-checker-calibration-1"] = "tracejury-checker-calibration-1"
    checker: str
    identity: str
    can_contradict: bool
    scale: float = Field(gt=0)
    """Factor of the log-probabilities; below 1 the checker was too sure."""
    offsets: dict[Relation, float]
    """Added to each relation's scaled log-probability; silence is 0."""
    thresholds: dict[Relation, tuple[float, ...]]
    """Least P(relation) that counts, where a judge cites at most 1, 2, 3, ... sentences for a claim."""
    alpha: float
    """Of steps on which the relation is asserted wrongly, the share that may have a counting citation at most, where
    the judge cites the best of all sentences of its case."""
    discounted: frozenset[Relation] = frozenset()
    """Relations whose P is multiplied by 1 - P(opposite) of the most opposed sentence of the cited evidence; their
    thresholds were set on that. It costs a reading of every sentence of the evidence of a citation that would count."""
    n: int
    """Labelled rows."""
    groups: int
    evidence: dict[Relation, ThresholdEvidence]
    fitted_from: str
    """Digest of the labelled pairs."""
    seed: int = 0

    def apply(self, answers: Sequence[Probabilities]) -> list[Probabilities]:
        """Return calibrated probabilities: softmax of scaled log-probabilities and offsets."""
        if not answers:
            return []
        columns = [r for r in Relation if r is not Relation.CONTRADICTS or self.can_contradict]
        p = np.array([[answer.of(r) for r in columns] for answer in answers], np.float64)
        logits = self.scale * np.log(np.maximum(p, LEAST_P)) + [self.offsets.get(r, 0.0) for r in columns]
        weights = np.exp(logits - logits.max(axis=1, keepdims=True))
        weights /= weights.sum(axis=1, keepdims=True)
        rows = (dict(zip(columns, map(float, row), strict=True)) for row in weights)
        return [Probabilities(*(row.get(relation, 0.0) for relation in Relation)) for row in rows]

    def threshold(self, relation: Relation, citations: int) -> float | None:
        """Return the least P(relation) that counts; None: this relation is never grounded.

        Args:
            relation: What a judge asserts.
            citations: Sentences that one judge of the panel may cite for a claim, at most.
        """
        of_sizes = self.thresholds.get(relation, ())
        return of_sizes[min(citations, len(of_sizes)) - 1] if of_sizes and citations > 0 else None


def load_calibration(path: Path, identity: str) -> CheckerCalibration:
    """Read a checker's calibration.

    Raises:
        CheckerError: The file is none, or was fitted on another checker; the message says what to do.
    """
    refit = "fit one with `tracejury quality calibrate --checker NAME PAIRS --out FILE`"
    try:
        calibration = CheckerCalibration.model_validate_json(read_utf8(path))
    except FileNotFoundError:
        raise CheckerError(f"{path}: there is no such calibration; {refit}") from None
    except ValidationError as error:
        raise CheckerError(f"{path}: not the calibration of a checker: {error.errors()[0]['msg']}; {refit}") from None
    if calibration.identity != identity:
        raise CheckerError(
            f"{path}: fitted on checker {calibration.identity!r}, and this is {identity!r}: its thresholds say nothing "
            f"here; {refit}"
        )
    return calibration
