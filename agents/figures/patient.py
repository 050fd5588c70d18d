"""The patient of a step against the patient of the vignette: age, sex, measures, durations, sides."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from tracejury.agents.figures.checks import Check, derived, in_step, in_vignette
from tracejury.agents.figures.measures import Measure, clauses, measures
from tracejury.agents.figures.quantities import Quantity, comparable
from tracejury.agents.records import Case
from tracejury.traces import ErrorType

_MALE = frozenset({"man", "boy", "male", "gentleman"})
_PERSON = r"(?P<person>man|woman|boy|girl|male|female|gentleman|lady)"
_AGE = re.compile(
    rf"(?<![\w.-])(?P<age>\d{{1,3}})[- ](?P<unit>year|month|week|day)s?[- ]old(?:[ ,](?P<between>(?:[\w-]+ ){{0,3}}?)"
    rf"(?:{_PERSON})\b)?",
    re.I,
)
_THIS = re.compile(rf"\b(?:this|our|the|a|an)\s(?:[\w-]+\s){{0,4}}?{_PERSON}\b(?!-)", re.I)
_RELATIVES = re.compile(
    r"\b(?:mother|father|brother|sister|husband|wife|son|daughter|partner|aunt|uncle|cousin|grand\w+|twin|baby|newborn|"
    r"parents?|boyfriend|girlfriend|neighbou?r|roommate|friend|sibling)s?\b",
    re.I,
)
_HYPOTHETICAL = re.compile(
    r"\b(?:if|would|could|typical\w*|usual\w*|commonly|generally|classic\w*|often|most|more common|in (?:a|an)|such as|"
    r"e\.g|for example|patients|women|men|girls|boys|children|adults|than|range|between|after age|before age|unlike|"
    r"option|choice|screen\w*|recommend\w*|ages?|aged|not|rather)\b",
    re.I,
)
_DURATION = re.compile(
    r"(?P<number>\d+|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)[- ]"
    r"(?P<unit>hour|day|week|month|year)s?[- ](?:(?:long|old)\s)?(?P<kind>history|course) of (?P<what>[^.;,:()]{3,60})",
    re.I,
)
_COUNTS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_WORDS = {word: number for number, word in enumerate(_COUNTS, 1)}
_SIDE = re.compile(
    r"\b(?P<side>left|right)(?P<sided>-sided)?\s(?P<part>(?:upper|lower|middle)\s(?:quadrant|lobe|extremity|arm|leg)|"
    r"(?:\w+\s)?(?:arm|leg|hand|foot|knee|hip|shoulder|elbow|wrist|ankle|eye|ear|breast|testicle|testis|kidney|flank|"
    r"temple|calf|thigh|groin|ovary|ureter|cheek|weakness|hemiparesis|hemiplegia|paralysis|numbness|lobe|quadrant))\b",
    re.I,
)
_FUNCTION_WORDS = frozenset({"with", "from", "their", "severe", "mild", "progressive", "worsening", "history"})


class Person(NamedTuple):
    """Who the vignette is about."""

    ages: tuple[Quantity, ...]
    male: bool | None
    """None: the vignette does not say, or speaks of several."""
    words: str
    """The vignette's own words for it."""


@lru_cache(maxsize=512)
def person(stem: str) -> Person:
    """Return every age that a vignette mentions, and the sex, where all persons with an age have the same."""
    found = list(_AGE.finditer(stem))
    persons = [m for m in found if m["person"]]
    sexes = {m["person"].lower() in _MALE for m in persons}
    male = sexes.pop() if len(sexes) == 1 else None
    return Person(tuple(_aged(m) for m in found), male, persons[0][0] if persons else "")


def patient_checks(case: Case) -> Iterator[Check]:
    """Yield what the step says of the patient, held against the vignette."""
    if not case.stem.strip():
        return
    yield from _ages(case)
    yield from _sexes(case)
    yield from _measures(case)
    yield from _durations(case)
    yield from _sides(case)


def _ages(case: Case) -> Iterator[Check]:
    known = person(case.stem).ages
    if not known:
        return
    for _, clause in clauses(case.step):
        for match in _AGE.finditer(clause):
            claimed = _aged(match)
            if any(_same(claimed, age) for age in known):
                yield Check(True, f"age: {match[0]!r} stands in the vignette")
                continue
            # One age in the vignette, a person in the singular, and no word that makes it a textbook's patient.
            alone = len(known) == 1 and not _RELATIVES.search(clause) and not _RELATIVES.search(case.stem)
            if alone and match["person"] and not _HYPOTHETICAL.search(clause.replace(match[0], "")):
                yield from _against(case, "age", claimed, known[0], known[0].text, match[0])


def _sexes(case: Case) -> Iterator[Check]:
    who = person(case.stem)
    if who.male is None:
        return
    for _, clause in clauses(case.step):
        if _RELATIVES.search(clause) or _HYPOTHETICAL.search(clause):
            continue
        found = [m for m in (*_AGE.finditer(clause), *_THIS.finditer(clause)) if m["person"]]
        # "a woman" may be any woman; "this woman" and "a 45-year-old woman" are the patient.
        meant = [m for m in found if "old" in m[0].lower() or m[0].lower().startswith(("this", "our"))]
        for match in meant:
            male = match["person"].lower() in _MALE
            if male is not who.male:
                finding = f"sex: the step has {match[0]!r}, the vignette {who.words!r}"
                quotes = (in_vignette(who.words),)
                yield Check(False, finding, ErrorType.CONTRADICTS_VIGNETTE, None, quotes)
                return


def _measures(case: Case) -> Iterator[Check]:
    stated: dict[str, list[Measure]] = {}
    for measure in measures(case.stem):
        stated.setdefault(measure.attribute, []).append(measure)
    for measure in measures(case.step):
        known = [m for m in stated.get(measure.attribute, []) if _comparable(measure.quantity, m.quantity)]
        if not known:
            continue
        same = [m for m in known if _same(measure.quantity, m.quantity)]
        if same:
            finding = f"{measure.attribute}: {measure.text!r} stands in the vignette"
            yield Check(True, finding, quotes=(in_vignette(same[0].text),))
        elif len(known) == 1 and (measure.own or not measure.general):
            yield from _differs(case, measure, known[0])


def _differs(case: Case, measure: Measure, known: Measure) -> Iterator[Check]:
    unit = measure.quantity.unit or known.quantity.unit
    claimed, stated = measure.quantity._replace(unit=unit), known.quantity._replace(unit=known.quantity.unit or unit)
    inputs = (in_step(case, measure.text), in_vignette(known.text))
    made = derived("comparison", stated.expression, claimed.expression.strip("()"), inputs)
    if made is not None and not made.holds:
        finding = f"{measure.attribute}: the step has {measure.text!r}, the vignette {known.text!r}"
        yield Check(False, finding, ErrorType.CONTRADICTS_VIGNETTE, made, (in_vignette(known.text),))


def _durations(case: Case) -> Iterator[Check]:
    known = [(m, _lasting(m)) for m in _DURATION.finditer(case.stem)]
    for _, clause in clauses(case.step):
        for match in _DURATION.finditer(clause):
            claimed, what = _lasting(match), _content(match["what"])
            same = [m for m, q in known if _same(claimed, q)]
            if same:
                yield Check(True, f"duration: {match[0]!r} agrees with the vignette")
                continue
            about = [(m, q) for m, q in known if _content(m["what"]) & what]
            numeric = match["number"].isdigit() and len(about) == 1 and about[0][0]["number"].isdigit()
            if numeric and len(known) == 1 and not _HYPOTHETICAL.search(clause):
                stated, quantity = about[0]
                yield from _against(case, "duration", claimed, quantity, stated[0], match[0])


def _sides(case: Case) -> Iterator[Check]:
    stated = {(m["side"].lower(), m["part"].lower()): m[0] for m in _SIDE.finditer(case.stem)}
    offered = " ".join(case.options.values()).lower()
    for _, clause in clauses(case.step):
        for match in _SIDE.finditer(clause):
            side, part = match["side"].lower(), match["part"].lower()
            other = "left" if side == "right" else "right"
            if (side, part) in stated:
                yield Check(True, f"side: {match[0]!r} stands in the vignette")
            elif (other, part) in stated and not any((side, p) in stated for p in _related(part)):
                if _HYPOTHETICAL.search(clause) or match[0].lower() in offered or _contrasts(clause, other):
                    continue
                words = stated[other, part]
                finding = f"side: the step has {match[0]!r}, the vignette {words!r}"
                quotes = (in_vignette(words),)
                yield Check(False, finding, ErrorType.CONTRADICTS_VIGNETTE, None, quotes)


def _against(case: Case, what: str, claimed: Quantity, stated: Quantity, words: str, said: str) -> Iterator[Check]:
    inputs = (in_step(case, said), in_vignette(words))
    made = derived("comparison", stated.expression, claimed.expression.strip("()"), inputs)
    if made is not None and not made.holds:
        finding = f"{what}: the step has {said!r}, the vignette {words!r}"
        quotes = (in_vignette(words),)
        yield Check(False, finding, ErrorType.CONTRADICTS_VIGNETTE, made, quotes)


def _aged(match: re.Match[str]) -> Quantity:
    return Quantity(match["age"], match["unit"].lower(), match.start(), match.end(), match[0])


def _lasting(match: re.Match[str]) -> Quantity:
    number = match["number"].lower()
    value = number if number.isdigit() else str(_WORDS[number])
    return Quantity(value, match["unit"].lower(), match.start(), match.end(), match[0])


def _comparable(left: Quantity, right: Quantity) -> bool:
    return not left.unit or not right.unit or comparable(left, right)


def _same(claimed: Quantity, stated: Quantity) -> bool:
    unit = claimed.unit or stated.unit
    claimed, stated = claimed._replace(unit=unit), stated._replace(unit=stated.unit or unit)
    made = derived("comparison", stated.expression, claimed.expression.strip("()"), ())
    return made is not None and made.holds


def _related(part: str) -> tuple[str, ...]:
    return (part, part.split()[-1])


def _contrasts(clause: str, other: str) -> bool:
    return bool(re.search(rf"\b{other}\b", clause, re.I))


def _content(text: str) -> set[str]:
    return {w for w in re.findall(r"[a-z]{4,}", text.lower()) if w not in _FUNCTION_WORDS}
