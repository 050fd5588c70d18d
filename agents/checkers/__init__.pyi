from .best_citations import BestCitation, best_citations
from .calibration import CheckerCalibration, ThresholdEvidence, load_calibration
from .contracts import (
    MOST_SENTENCES,
    Checker,
    CheckerAsk,
    CheckerError,
    Pair,
    Probabilities,
    checkers,
)
from .fitting import conformal_threshold, fit_scale_and_offsets, groups_needed
from .groups import GroupCount, count_group, pairs_to_score
from .loaded import LoadedChecker, load_checker
from .same_weights import refuse_same_weights, same_weights
from .spec import CheckerSpec, ClaimsSpec
from .validation import ValidatedChecker, make_checker

__all__ = [
    "MOST_SENTENCES",
    "BestCitation",
    "Checker",
    "CheckerAsk",
    "CheckerCalibration",
    "CheckerError",
    "CheckerSpec",
    "ClaimsSpec",
    "GroupCount",
    "LoadedChecker",
    "Pair",
    "Probabilities",
    "ThresholdEvidence",
    "ValidatedChecker",
    "best_citations",
    "checkers",
    "conformal_threshold",
    "count_group",
    "fit_scale_and_offsets",
    "groups_needed",
    "load_calibration",
    "load_checker",
    "make_checker",
    "pairs_to_score",
    "refuse_same_weights",
    "same_weights",
]
