"""Scores and indices that a step gives, computed again from the vignette's figures."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import yaml

from tracejury.agents.data_judge.checks import FigureCheck, derived, in_step, in_vignette
from tracejury.agents.data_judge.measures import GENERAL, LINK, Measure, clauses, measures
from tracejury.agents.data_judge.quantities import NUMBER
from tracejury.agents.records import Case, Derivation
from tracejury.traces import ErrorType

_PACK_YEARS = re.compile(rf"(?<![\w.])(?P<claimed>{NUMBER})[- ]pack[- ]years?", re.I)
_HABIT = re.compile(
    r"(?P<packs>\d+(?:\.\d+)?|one|two|three) packs? (?:of cigarettes )?(?:per day|daily|a day|each day)"
    r"[^.;]{0,20}? for (?:the (?:past|last) )?(?P<years>\d+) years",
    re.I,
)
_PACKS = {"one": "1", "two": "2", "three": "3"}


class ScoreCalculator(NamedTuple):
    """One entry of scores.yaml."""

    name: str
    pattern: re.Pattern[str]
    unless: re.Pattern[str] | None
    inputs: Mapping[str, str]
    optional: Mapping[str, str]
    formulas: tuple[str, ...]
    coherent: bool
    source: str


def score_checks(case: Case) -> Iterator[FigureCheck]:
    """Yield every score of the step whose inputs the vignette gives once and in the right unit."""
    if not case.stem.strip():
        return
    stated = _stated_once(case.stem)
    for _, clause in clauses(case.step):
        for score in scores():
            if score.unless and score.unless.search(clause):
                continue
            for match in score.pattern.finditer(clause):
                if not GENERAL.search(clause[: match.start()]) and score.name not in stated:
                    yield from _recomputed(case, score, stated, match)
        yield from _pack_years(case, clause)


@cache
def scores() -> tuple[ScoreCalculator, ...]:
    """Return the scores of scores.yaml."""
    listed: dict[str, Any] = yaml.safe_load(
        (files("tracejury.agents") / "data_judge" / "scores.yaml").read_text("utf-8")
    )
    return tuple(
        ScoreCalculator(
            name,
            re.compile(
                rf"(?<![\w-])(?i:{'|'.join(entry['names'])})(?![\w-])(?i:{LINK})(?<![\w.])(?P<claimed>{NUMBER})"
                r"(?!\w|\.\d|\s*[-+*/×÷−(=])"  # noqa: RUF001 - a figure that a calculation goes on from
            ),
            re.compile(entry["unless"], re.I) if "unless" in entry else None,
            entry["inputs"],
            entry.get("optional", {}),
            tuple(entry["formulas"]),
            entry.get("coherent", False),
            entry["source"],
        )
        for name, entry in listed.items()
    )


def filled(score: ScoreCalculator, values: Mapping[str, str]) -> list[str]:
    """Return the score's formulas with `values` put in; those whose optional inputs are missing are left out."""
    return [
        re.sub(r"\{(\w+)\}", lambda m: values[m[1]], formula)
        for formula in score.formulas
        if set(re.findall(r"\{(\w+)\}", formula)) <= set(values)
    ]


def _recomputed(
    case: Case, score: ScoreCalculator, stated: Mapping[str, Measure], match: re.Match[str]
) -> Iterator[FigureCheck]:
    units = {**score.inputs, **score.optional}
    usable = {name: m for name, unit in units.items() if (m := stated.get(name)) and _in_unit(m, unit, score.coherent)}
    if not set(score.inputs) <= set(usable):
        return
    values = {n: m.quantity.expression if score.coherent else m.quantity.number for n, m in usable.items()}
    claimed = f"{match['claimed']} kg/m**2" if score.name == "bmi" else match["claimed"].replace(",", "")
    derivations = []
    for expression in filled(score, values):
        inputs = (in_step(case, match[0]), *(in_vignette(m.text) for m in usable.values()))
        derivations.append(derived("score", expression, claimed, inputs))
    computed = [d for d in derivations if d is not None]
    if computed:
        yield _checked(score.name.replace("_", " "), computed, match[0], score.source)


def _pack_years(case: Case, clause: str) -> Iterator[FigureCheck]:
    habits = list(_HABIT.finditer(case.stem))
    if len(habits) != 1 or re.search(r"pack[- ]years?", case.stem, re.I):
        return
    packs = habits[0]["packs"].lower()
    for match in _PACK_YEARS.finditer(clause):
        inputs = (in_step(case, match[0]), in_vignette(habits[0][0]))
        derivation = derived("score", f"{_PACKS.get(packs, packs)} * {habits[0]['years']}", match["claimed"], inputs)
        if derivation is not None:
            yield _checked("pack-years", [derivation], match[0], "packs a day times years")


def _checked(name: str, derivations: list[Derivation], step_words: str, source: str) -> FigureCheck:
    holding = next((d for d in derivations if d.holds), None)
    first = holding or derivations[0]
    finding = f"{name}: {first.expression} is {first.computed} ({source})"
    if holding is None:
        finding += f"; the step has {step_words!r}"
    return FigureCheck(holding is not None, finding, ErrorType.ARITHMETIC, first)


def _stated_once(stem: str) -> dict[str, Measure]:
    by_attribute: dict[str, list[Measure]] = {}
    for measure in measures(stem):
        by_attribute.setdefault(measure.attribute, []).append(measure)
    return {name: listed[0] for name, listed in by_attribute.items() if len(listed) == 1}


def _in_unit(measure: Measure, unit: str, coherent: bool) -> bool:
    return measure.quantity.unit == unit or (coherent and bool(measure.quantity.unit))
