"""Figures that a step takes over from an earlier one, and takes over wrongly: `the score of 2 obtained above`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tracejury.agents.data_judge.checks import FigureCheck, derived, in_step
from tracejury.agents.data_judge.measures import clauses
from tracejury.agents.data_judge.quantities import NUMBER
from tracejury.agents.records import Case, ContextStep, Quote
from tracejury.traces import ErrorType

_BACK = re.compile(
    r"\b(?:above|before|earlier|previously|already|in step \d+|(?:previous|preceding) step|calculated|computed|"
    r"obtained|derived|determined|worked out|estimated|noted)\b",
    re.I,
)
_NAMED = (
    r"\b(?P<name>(?:[A-Z][\w/-]*|\w+ (?:coma|stroke|pain|risk|severity)) (?:score|index|scale)|"
    r"mean arterial pressure|anion gap|osmol(?:ar|al)(?:ity| gap)|(?:creatinine )?clearance|corrected [cs]\w+ium|"
    r"(?:[\w-]+ )?(?:ratio|deficit)|(?:total|cumulative|loading|maintenance) dose|body mass index|BMI|QTc|eGFR|"
    r"fluid requirement|infusion rate|pack-years?)\b"
)
_BE = r"(?:\s(?:is|was|of|equals|at|being|comes to|to be|about|roughly|approximately|=|only)){1,4}"
_MORE = r"(?!\s*[-+*/×x(=]|\.\d|\s?\d)"  # noqa: RUF001 - a figure that a calculation goes on from
_ASSIGNED = re.compile(rf"{_NAMED}{_BE}\s*(?P<value>{NUMBER}){_MORE}")
_COMPUTED = re.compile(rf"{_NAMED}[^.;=]{{0,80}}(?<!\.)=\s*(?P<value>{NUMBER}){_MORE}")


def earlier_checks(case: Case) -> Iterator[FigureCheck]:
    """Yield the named figures that the step refers back to, held against the earlier step that gave them."""
    for _, clause in clauses(case.step):
        if not _BACK.search(clause):
            continue
        for match in _ASSIGNED.finditer(clause):
            earlier_values = [
                g for step in case.context if step.index < case.step_index for g in _values_of(step, match["name"])
            ]
            values = {value for value, _ in earlier_values}
            if (
                not earlier_values
                or any(float(v) == float(match["value"].replace(",", "")) for v in values)
                or len(values) > 1
            ):
                continue
            value, quote = earlier_values[-1]
            claimed = match["value"].replace(",", "")
            derivation = derived("comparison", value, claimed, (in_step(case, clause.strip()), quote))
            if derivation is not None and not derivation.holds:
                finding = f"earlier: the step has {match[0]!r}, {quote.evidence_id} {quote.quote!r}"
                yield FigureCheck(False, finding, ErrorType.CONTRADICTS_STEP, derivation, (quote,))


def _values_of(step: ContextStep, name: str) -> Iterator[tuple[str, Quote]]:
    for _, clause in clauses(step.text):
        for pattern in (_COMPUTED, _ASSIGNED):
            matches = [m for m in pattern.finditer(clause) if m["name"].lower() == name.lower()]
            if matches:
                yield (
                    matches[0]["value"].replace(",", ""),
                    Quote(evidence_id=f"step:{step.index}", quote=clause.strip()),
                )
                break
