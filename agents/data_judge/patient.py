"""The patient of a step against the patient of the vignette: age, measures, durations, sides."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tracejury.agents.data_judge.checks import FigureCheck, derived, in_step, in_vignette
from tracejury.agents.data_judge.contradictions import SIDE, sides_of
from tracejury.agents.data_judge.measures import Measure, clauses, measures
from tracejury.agents.data_judge.persons import AGE, HYPOTHETICAL, RELATIVES, aged, person
from tracejury.agents.data_judge.quantities import COUNTED, Quantity, comparable
from tracejury.agents.records import Case
from tracejury.traces import ErrorType

_DURATION = re.compile(
    r"(?P<number>\d+|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)[- ]"
    r"(?P<unit>hour|day|week|month|year)s?[- ](?:(?:long|old)\s)?(?P<kind>history|course) of (?P<what>[^.;,:()]{3,60})",
    re.I,
)
_FUNCTION_WORDS = frozenset({"with", "from", "their", "severe", "mild", "progressive", "worsening", "history"})


def patient_checks(case: Case) -> Iterator[FigureCheck]:
    """Yield what the step says of the patient, held against the vignette."""
    if not case.stem.strip():
        return
    yield from _ages(case)
    yield from _measures(case)
    yield from _durations(case)
    yield from _sides(case)


def _ages(case: Case) -> Iterator[FigureCheck]:
    ages = person(case.stem).ages
    if not ages:
        return
    for _, clause in clauses(case.step):
        for match in AGE.finditer(clause):
            claimed = aged(match)
            if any(_same(claimed, age) for age in ages):
                yield FigureCheck(True, f"age: {match[0]!r} stands in the vignette")
                continue
            # One age in the vignette, a person in the singular, and no word that makes it a textbook's patient.
            alone = len(ages) == 1 and not RELATIVES.search(clause) and not RELATIVES.search(case.stem)
            if alone and match["person"] and not HYPOTHETICAL.search(clause.replace(match[0], "")):
                yield from _against(case, "age", claimed, ages[0], ages[0].text, match[0])


def _measures(case: Case) -> Iterator[FigureCheck]:
    stated: dict[str, list[Measure]] = {}
    for measure in measures(case.stem):
        stated.setdefault(measure.attribute, []).append(measure)
    for measure in measures(case.step):
        comparable = [m for m in stated.get(measure.attribute, []) if _comparable(measure.quantity, m.quantity)]
        if not comparable:
            continue
        same = [m for m in comparable if _same(measure.quantity, m.quantity)]
        if same:
            finding = f"{measure.attribute}: {measure.text!r} stands in the vignette"
            yield FigureCheck(True, finding, quotes=(in_vignette(same[0].text),))
        elif len(comparable) == 1 and (measure.own or not measure.general):
            yield from _differs(case, measure, comparable[0])


def _differs(case: Case, measure: Measure, recorded: Measure) -> Iterator[FigureCheck]:
    unit = measure.quantity.unit or recorded.quantity.unit
    claimed, stated = (
        measure.quantity._replace(unit=unit),
        recorded.quantity._replace(unit=recorded.quantity.unit or unit),
    )
    inputs = (in_step(case, measure.text), in_vignette(recorded.text))
    derivation = derived("comparison", stated.expression, claimed.expression.strip("()"), inputs)
    if derivation is not None and not derivation.holds:
        finding = f"{measure.attribute}: the step has {measure.text!r}, the vignette {recorded.text!r}"
        yield FigureCheck(False, finding, ErrorType.CONTRADICTS_VIGNETTE, derivation, (in_vignette(recorded.text),))


def _durations(case: Case) -> Iterator[FigureCheck]:
    durations = [(m, _lasting(m)) for m in _DURATION.finditer(case.stem)]
    for _, clause in clauses(case.step):
        for match in _DURATION.finditer(clause):
            claimed, what = _lasting(match), _content(match["what"])
            same = [m for m, q in durations if _same(claimed, q)]
            if same:
                yield FigureCheck(True, f"duration: {match[0]!r} agrees with the vignette")
                continue
            about = [(m, q) for m, q in durations if _content(m["what"]) & what]
            numeric = match["number"].isdigit() and len(about) == 1 and about[0][0]["number"].isdigit()
            if numeric and len(durations) == 1 and not HYPOTHETICAL.search(clause):
                stated, quantity = about[0]
                yield from _against(case, "duration", claimed, quantity, stated[0], match[0])


def _sides(case: Case) -> Iterator[FigureCheck]:
    """Yield the sides that agree; those that do not are a rule's."""
    stated = sides_of(case.stem)
    for match in SIDE.finditer(case.step):
        if (match["side"].lower(), match["part"].lower()) in stated:
            yield FigureCheck(True, f"side: {match[0]!r} stands in the vignette")


def _against(
    case: Case, what: str, claimed: Quantity, stated: Quantity, words: str, step_words: str
) -> Iterator[FigureCheck]:
    inputs = (in_step(case, step_words), in_vignette(words))
    derivation = derived("comparison", stated.expression, claimed.expression.strip("()"), inputs)
    if derivation is not None and not derivation.holds:
        finding = f"{what}: the step has {step_words!r}, the vignette {words!r}"
        quotes = (in_vignette(words),)
        yield FigureCheck(False, finding, ErrorType.CONTRADICTS_VIGNETTE, derivation, quotes)


def _lasting(match: re.Match[str]) -> Quantity:
    number = match["number"].lower()
    value = number if number.isdigit() else str(COUNTED[number])
    return Quantity(value, match["unit"].lower(), match.start(), match.end(), match[0])


def _comparable(left: Quantity, right: Quantity) -> bool:
    return not left.unit or not right.unit or comparable(left, right)


def _same(claimed: Quantity, stated: Quantity) -> bool:
    unit = claimed.unit or stated.unit
    claimed, stated = claimed._replace(unit=unit), stated._replace(unit=stated.unit or unit)
    derivation = derived("comparison", stated.expression, claimed.expression.strip("()"), ())
    return derivation is not None and derivation.holds


def _content(text: str) -> set[str]:
    return {w for w in re.findall(r"[a-z]{4,}", text.lower()) if w not in _FUNCTION_WORDS}
