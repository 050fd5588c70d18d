"""What a step calls normal, high or low, held against a reference range that somebody states.

The judge knows no range of its own: it takes the vignette's, or that of a passage of the case, and cites it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from tracejury.agents.data_judge.checks import FigureCheck, derived, in_step
from tracejury.agents.data_judge.measures import Measure, clauses, measures, names_of
from tracejury.agents.data_judge.persons import person
from tracejury.agents.data_judge.quantities import NUMBER, QUANTITY, Quantity, comparable, quantity_of
from tracejury.agents.records import Case, Quote
from tracejury.traces import ErrorType

# Laboratories differ: a range of another one than the vignette's speaks only where this share of its width is between.
_MARGIN = 0.25
_DASH = r"\s?(?:-|–|to|and)\s?"  # noqa: RUF001
_WORD = (
    r"(?:normal|reference|N)\b(?:\s(?:reference|range|ranges|value|values|limits?|is|are|of|for|adults?|between)){0,4}"
)
_HIGH = QUANTITY.pattern.removeprefix(r"(?<![\w.,])")
_RANGE = re.compile(rf"{_WORD}\s?[:=,]?\s?(?:from |between )?(?P<low>{NUMBER})(?:\s?%)?{_DASH}{_HIGH}", re.I)
_UP_TO = re.compile(rf"{_WORD}\s?[:=,]?\s?(?:up to|less than|below|<|≤)\s?(?P<number>{NUMBER})(?P<unit>(?!\w))?", re.I)
_SAYS = {
    "normal": r"(?:(?:with)?in (?:the )?normal (?:range|limits)|(?<!ab)(?<!low[- ])(?<!high[- ])(?<!upper )normal)",
    "high": r"(?:elevated|high|raised|increased|above normal|above the normal range)",
    "low": r"(?:low|decreased|reduced|below normal|below the normal range)",
}
_ADVERB = r"(?:(?:only|well|clearly|still|slightly|mildly|moderately|markedly|severely|very|quite|a little)\s){0,2}"
_IS = r"^,?\s(?:(?:which|and|that)\s)?(?:is|was|remains|lies|falls|sits)\s"
_AFTER = {what: re.compile(rf"{_IS}{_ADVERB}{words}(?![\w-]| for\b)", re.I) for what, words in _SAYS.items()}
_WITHIN = {what: re.compile(rf"(?<![\w-]){_ADVERB}{words}(?![\w-])", re.I) for what, words in _SAYS.items()}
_BEFORE = {what: re.compile(rf"(?<![\w-]){words}\s(?:serum |plasma |blood )?$", re.I) for what, words in _SAYS.items()}
# `high for her age`, `inappropriately normal`: relative to something else than the range.
_RELATIVE = re.compile(
    r"\b(?:not|no|never|if|would|could|should|for (?:an?|his|her|their|the|someone|this)|relative\w*|baseline|despite|"
    r"inappropriate\w*|consider\w+|expect\w*|borderline|near|almost|than|upper|lower|initial\w*|pseudo\w*|target|goal)\b|n't",
    re.I,
)
_NOT_ADULT = re.compile(r"\b(?:pregnan\w+|gestation\w*|newborn|neonat\w+|infant|weeks? postpartum)\b", re.I)
# The same test has another range there.
_OTHER_FLUID = re.compile(r"\b(?:urin\w+|cerebrospinal|CSF|pleural|ascit\w+|sweat|stool)\b", re.I)
_SEX = re.compile(r"\b(?P<sex>men|males?|women|females?)\b", re.I)


class Range(NamedTuple):
    """A reference range and where it is stated. `low` is None where only an upper limit is."""

    low: Quantity | None
    high: Quantity
    quote: Quote
    own: bool
    """Stated by the vignette, of its own laboratory."""


def range_checks(case: Case) -> Iterator[FigureCheck]:
    """Yield what the step calls normal, high or low although a cited range says otherwise."""
    for _, clause in clauses(case.step):
        if _RELATIVE.search(clause):
            continue
        for measure in measures(clause):
            what = _called(clause, measure)
            if what is None:
                continue
            # The vignette's own laboratory goes before any book.
            stated = next(_ranges(case, measure.attribute), None)
            check = _range_check(case, clause, measure, what, stated) if stated else None
            if check is not None:
                yield check


def calls(step: str) -> bool:
    """Tell whether the step calls a figure normal, high or low: more than restating it."""
    return any(_called(clause, m) for _, clause in clauses(step) for m in measures(clause))


def _called(clause: str, measure: Measure) -> str | None:
    before, after = clause[: measure.start], clause[measure.quantity.end :]
    inner = clause[measure.start : measure.quantity.start]
    comparisons = {
        what
        for what in _SAYS
        if _AFTER[what].search(after) or _WITHIN[what].search(inner) or _BEFORE[what].search(before)
    }
    return comparisons.pop() if len(comparisons) == 1 else None


def _range_check(case: Case, clause: str, measure: Measure, what: str, stated: Range) -> FigureCheck | None:
    unit = measure.quantity.unit or stated.high.unit
    value = measure.quantity._replace(unit=unit)
    low, high = (q._replace(unit=q.unit or unit) if q else None for q in (stated.low, stated.high))
    if high is None or not comparable(value, high) or (low is not None and not comparable(value, low)):
        return None
    at, top = value.value, high.value
    margin = 0 * top if stated.own else _MARGIN * (top - low.value if low else top)
    wrong: tuple[Quantity, str] | None = None
    if what == "normal" and at > top + margin:
        wrong = high, "less_equal"
    elif what == "normal" and low is not None and at < low.value - margin:
        wrong = low, "greater_equal"
    elif what == "high" and at < top - margin:
        wrong = high, "greater"
    elif what == "low" and low is not None and at > low.value + margin:
        wrong = low, "less"
    if wrong is None:
        return None
    bound, relation = wrong
    inputs = (in_step(case, clause.strip()), stated.quote)
    derivation = derived("comparison", bound.expression, value.expression.strip("()"), inputs, relation)
    if derivation is None or derivation.holds:
        return None
    finding = f"{measure.attribute}: the step calls {measure.quantity.text} {what}; {stated.quote.quote!r}"
    kind = ErrorType.CONTRADICTS_VIGNETTE if stated.own else ErrorType.FACTUAL
    return FigureCheck(False, finding, kind, derivation, (stated.quote,))


def _ranges(case: Case, attribute: str) -> Iterator[Range]:
    """Yield the ranges that the case states for an attribute: the vignette's first, then the passages'."""
    for _, clause in clauses(case.stem):
        matching = [m for m in measures(clause) if m.attribute == attribute]
        for measure in matching:
            bracket = re.match(r"\s?\(([^()]{3,60})\)", clause[measure.quantity.end :])
            if bracket and (stated := _read(bracket[1], None)):
                low, high = stated
                words = clause[measure.start : measure.quantity.end + bracket.end()]
                yield Range(low, high, Quote(evidence_id="vignette", quote=words), True)
    who = person(case.stem)
    adult = len(who.ages) == 1 and who.ages[0].unit == "year" and int(who.ages[0].number) >= 18
    if not adult or _NOT_ADULT.search(case.stem):
        return
    for passage in case.passages:
        for _, clause in clauses(passage.text):
            named = list(names_of(attribute).finditer(clause))
            if len(named) != 1 or _OTHER_FLUID.search(clause):
                continue
            if stated := _read(clause[named[0].end() :], who.male):
                low, high = stated
                yield Range(low, high, Quote(evidence_id=passage.id, quote=clause.strip()), False)


def _read(text: str, male: bool | None) -> tuple[Quantity | None, Quantity] | None:
    """Read a range, for men or women where it tells them apart; None: there is none, or it is not clear whose."""
    matches = list(_RANGE.finditer(text))
    parts = re.split(r"(?<=men),|(?<=males),", text)
    if len(parts) > 1:
        if male is None:
            return None
        for_sex = [p for p in parts if (s := _SEX.search(p)) and s["sex"].lower().startswith(("men", "male")) is male]
        return _read(f"normal {for_sex[0].rpartition(' is ')[2].strip()}", None) if len(for_sex) == 1 else None
    if len(matches) == 1 and (high := quantity_of(matches[0])):
        return Quantity(matches[0]["low"].replace(",", ""), high.unit, 0, 0, matches[0]["low"]), high
    if not matches and (limit := _UP_TO.search(text)):
        return None, Quantity(limit["number"].replace(",", ""), "", 0, 0, limit["number"])
    return None
