"""Write the calibration that ships with the checker `nli`, from the calibrate parts' readings and their scores.

    python -m tracejury.training.verifier.calibration READINGS.json.xz SCORES.npy agents/weights/nli-calibration.json

A step's score is the highest probability of the wrongly asserted relation over all that a judge could cite: every
run of up to three neighbouring sentences of its own abstract, and the nearest runs of the nearest foreign one. The
threshold is the largest of those that hold against each kind of wrong evidence alone (conformal, by group). Runs of one
sentence are not told from longer ones, so the thresholds for 1, 2 and 3 citations are the same: the one for 3.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tracejury.agents import Relation
from tracejury.agents.checkers import (
    MOST_SENTENCES,
    CheckerCalibration,
    ThresholdEvidence,
    conformal_threshold,
    make_checker,
)
from tracejury.training.verifier.measure import CONTRADICTS, SUPPORTS, Claim, Floats, Strengths, read_strengths

ALPHA = 0.05
_OWN, _FOREIGN = "own group", "foreign group"
_COLUMNS = {Relation.SUPPORTS: SUPPORTS, Relation.CONTRADICTS: CONTRADICTS}
_LABELS = {Relation.SUPPORTS: "supported", Relation.CONTRADICTS: "contradicted"}
_WRONG: dict[Relation, dict[str, Callable[[Claim], bool]]] = {
    Relation.SUPPORTS: {
        "contradicted": lambda claim: claim.label == "contradicted",
        "not supported": lambda claim: claim.label == "not_supported",
        "silent": lambda claim: claim.label == "not_enough",
    },
    Relation.CONTRADICTS: {
        "supported": lambda claim: claim.label == "supported",
        "silent": lambda claim: claim.label == "not_enough",
    },
}
"""Relation -> kind of claim for which asserting it is wrong; MedHallu's hallucinated answers are `not supported`."""


def calibrate(calibrated: Strengths, digest: str, alpha: float = ALPHA) -> CheckerCalibration:
    """Return thresholds at `alpha` for the shipped checker; its probabilities are taken as they come."""
    checker = make_checker("nli", {})
    claims, groups = calibrated.claims, [f"{c.source}:{c.group}" for c in calibrated.claims]
    anything = np.maximum(calibrated.by_way[_OWN], calibrated.by_way[_FOREIGN])
    thresholds: dict[Relation, tuple[float, ...]] = {}
    evidence: dict[Relation, ThresholdEvidence] = {}
    for relation, column in _COLUMNS.items():
        kinds = {kind: [i for i, c in enumerate(claims) if wrong(c)] for kind, wrong in _WRONG[relation].items()}
        by_kind = {kind: _threshold(anything[rows, column], groups, rows, alpha) for kind, rows in kinds.items()}
        # Whatever is true of a claim, an abstract about something else shows nothing of it.
        by_kind["foreign"] = _threshold(calibrated.by_way[_FOREIGN][:, column], groups, range(len(claims)), alpha)
        print(relation, {kind: round(t, 3) for kind, t in by_kind.items()})
        threshold = max(by_kind.values())
        thresholds[relation] = (threshold,) * MOST_SENTENCES
        right = [i for i, c in enumerate(claims) if c.label == _LABELS[relation]]
        wrong_rows = sorted({i for rows in kinds.values() for i in rows})
        evidence[relation] = ThresholdEvidence(
            steps=len(wrong_rows),
            groups=len({groups[i] for i in wrong_rows}),
            against=tuple(r for r in Relation if r is not relation),
            true_steps=len(right),
            true_groups=len({groups[i] for i in right}),
            true_rate=float((calibrated.by_way[_OWN][right, column] >= threshold).mean()),
        )
    return CheckerCalibration(
        checker="nli",
        identity=checker.identity,
        can_contradict=True,
        scale=1.0,
        offsets={},
        thresholds=thresholds,
        alpha=alpha,
        n=len(claims),
        groups=len(set(groups)),
        evidence=evidence,
        fitted_from=digest,
    )


def _threshold(scores: Floats, groups: list[str], rows: list[int] | range, alpha: float) -> float:
    return min(1.0, conformal_threshold([float(s) for s in scores], [groups[i] for i in rows], alpha))


def main() -> None:
    """Read, fit, write."""
    readings, scores, out = map(Path, sys.argv[1:])
    calibrated, _ = read_strengths(readings, scores)
    digest = hashlib.sha256(readings.read_bytes()).hexdigest()[:16]
    out.write_text(calibrate(calibrated, digest).model_dump_json(indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
