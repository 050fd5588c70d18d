"""What the rules read out of vignette and step, as checks."""

from __future__ import annotations

from collections.abc import Iterator

from tracejury.agents.data_judge.checks import FigureCheck, in_vignette
from tracejury.agents.data_judge.contradictions import CONTRADICTIONS
from tracejury.agents.data_judge.rules import read
from tracejury.agents.records import Case
from tracejury.traces import ErrorType

_BOUND = {"equal": "", "greater_equal": "at least ", "less_equal": "at most "}


def contradiction_checks(case: Case) -> Iterator[FigureCheck]:
    """Yield what the step says of the patient and the vignette says otherwise: sex, side, denied findings, counts."""
    if not case.stem.strip():
        return
    offered = " ".join(case.options.values()).lower()
    for kind in CONTRADICTIONS:
        for derivation, reading in read(kind, case.stem, case.step, case.step_index):
            if kind == "side" and f"{derivation.claimed} {reading.what.removeprefix('side of ')}" in offered:
                continue  # the wording of an option, not a claim about the patient
            finding = f"{kind}: the step has {reading.step_words!r}, the vignette {reading.words[0]!r}"
            quotes = tuple(in_vignette(w) for w in reading.words)
            yield FigureCheck(False, finding, ErrorType.CONTRADICTS_VIGNETTE, derivation, quotes)


def point_checks(case: Case) -> Iterator[FigureCheck]:
    """Yield the clinical scores of the step, computed again."""
    if not case.stem.strip():
        return
    for derivation, reading in read("points", case.stem, case.step, case.step_index):
        finding = f"{derivation.expression} is {_BOUND[reading.relation]}{derivation.computed}"
        if not derivation.holds:
            finding += f"; the step says {derivation.claimed}"
        yield FigureCheck(derivation.holds, finding, ErrorType.ARITHMETIC, derivation)
