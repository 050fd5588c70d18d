"""Clinical scores of a step, computed again by the calculator library from what the vignette states.

Of an input that the vignette does not state every value is thought possible, so a score has a least and a most for this
patient; they are one where all inputs are stated. A claim outside them is wrong whatever the patient had besides.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, Literal, NamedTuple

import yaml

from tracejury.agents.data_judge.contradictions import Reading
from tracejury.agents.data_judge.measures import GENERAL, Measure, clauses, measures
from tracejury.agents.data_judge.negation import mentions
from tracejury.agents.data_judge.persons import RELATIVES, person
from tracejury.agents.data_judge.quantities import NUMBER

_IS = r"\s(?:is|was|equals|=|comes to|totals|works out (?:at|to)|adds up to)(?:\s(?:about|approximately|at|only|just))?"
_CLAIMS = (
    r"(?:\b(?:the|this|his|her|their|our|patient's)\s(?:[\w-]+\s){{0,2}})(?:{names}){is_}\s(?P<claimed>{n}){end}",
    r"\b(?:his|her|their|our|patient's)\s(?:[\w-]+\s){{0,2}}(?:{names})\sof\s(?P<claimed>{n}){end}",
    r"\b(?:he|she|patient|man|woman)\s(?:has|had|scores|reaches)\s(?:an?|the)\s(?:{names})\sof\s(?P<claimed>{n}){end}",
    r"(?:^|[.:;(]\s?)(?:{names})\s?[:=]\s?(?P<claimed>{n}){end}",
)
# A figure that a calculation, a range or a threshold goes on from.
_END = r"(?!\w|\.\d|\s?[-+*/×÷=–]|\s(?:or|to)\b|\spoints? (?:for|each|if))"  # noqa: RUF001
_ASIDE = re.compile(r"\b(?:prevent\w*|prophyla\w+|risk|screen\w*)\b", re.I)
_FAMILY = re.compile(r"\bfamily\b", re.I)


class Bounds(NamedTuple):
    """What an input may be for this patient, and the vignette's words that say so."""

    least: Any
    most: Any
    words: tuple[str, ...]


class StatedScore(NamedTuple):
    """One entry of points.yaml."""

    name: str
    claims: tuple[re.Pattern[str], ...]
    unless: re.Pattern[str] | None
    module: str
    function: str
    items: Mapping[str, Mapping[str, Any]]
    tolerance: float
    relative: bool


def points(stem: str, step: str) -> Iterator[Reading]:
    """Yield the clinical scores that the step gives this patient, beside what they can be by the vignette."""
    for _, clause in clauses(step):
        for score in scores():
            if score.unless and score.unless.search(clause):
                continue
            claims = {m.start("claimed"): m for pattern in score.claims for m in pattern.finditer(clause)}
            for match in claims.values():
                if not GENERAL.search(clause[: match.start()]):
                    yield from _readings_of(score, stem, clause.strip(), match["claimed"])


def calculate(name: str, values: Mapping[str, Any]) -> float:
    """Return a score by the calculator library.

    Raises:
        ValueError: It does not take these values.
    """
    score = next(s for s in scores() if s.name == name)
    module = importlib.import_module(f"open_medicine.mcp.calculators.{score.module}")
    function = getattr(module, score.function)
    input_type = next(kind for argument, kind in function.__annotations__.items() if argument != "return")
    input_type = getattr(module, input_type) if isinstance(input_type, str) else input_type
    return float(function(input_type(**values)).value)


@cache
def scores() -> tuple[StatedScore, ...]:
    """Return the scores of points.yaml."""
    listed: dict[str, Any] = yaml.safe_load(
        (files("tracejury.agents") / "data_judge" / "points.yaml").read_text("utf-8")
    )
    out = []
    for name, entry in listed.items():
        names = "|".join(entry["names"])
        claims = (c.format(names=names, is_=_IS, n=NUMBER, end=_END) for c in _CLAIMS)
        module, _, function = entry["calculator"].rpartition(".")
        out.append(
            StatedScore(
                name,
                tuple(re.compile(c, re.I) for c in claims),
                re.compile(entry["unless"], re.I) if "unless" in entry else None,
                module,
                function,
                entry["items"],
                entry.get("tolerance", 0),
                entry.get("relative", False),
            )
        )
    return tuple(out)


@lru_cache(maxsize=1024)
def bounds(name: str, stem: str) -> Mapping[str, Bounds] | None:
    """Return what each input of a score may be by a vignette; None: one that it needs is not stated."""
    score = next(s for s in scores() if s.name == name)
    out = {}
    for item, spec in score.items.items():
        stated = _stated(spec, stem)
        if stated is None:
            if "unstated" not in spec:
                return None
            least, most = spec["unstated"]
            stated = Bounds(least, most, ())
        out[item] = stated
    return out


def _readings_of(score: StatedScore, stem: str, sentence: str, claimed: str) -> Iterator[Reading]:
    inputs = bounds(score.name, stem)
    words = tuple(dict.fromkeys(w for b in (inputs or {}).values() for w in b.words))
    if inputs is None or not words:
        return
    lowest, highest = {i: b.least for i, b in inputs.items()}, {i: b.most for i, b in inputs.items()}
    least, most = calculate(score.name, lowest), calculate(score.name, highest)
    value = float(claimed.replace(",", ""))
    slack = score.tolerance * (most if score.relative else 1)
    sides: tuple[tuple[Literal["equal", "greater_equal", "less_equal"], float, Mapping[str, Any], bool], ...]
    if least == most:
        sides = (("equal", least, lowest, abs(value - least) <= slack),)
    else:
        sides = (
            ("greater_equal", least, lowest, value >= least - slack),
            ("less_equal", most, highest, value <= most + slack),
        )
    for relation, bound, values, holds in sides:
        # That a claim lies between the bounds shows nothing.
        if relation == "equal" or not holds:
            yield Reading(_expression(score.name, values), f"{bound:g}", claimed, words, sentence, relation, holds)


def _expression(name: str, values: Mapping[str, Any]) -> str:
    return f"{name}({', '.join(f'{k}={str(v).lower() if isinstance(v, bool) else v}' for k, v in values.items())})"


def _stated(spec: Mapping[str, Any], stem: str) -> Bounds | None:
    if "age" in spec:
        who = person(stem)
        ages = {a.number: a for a in who.ages if a.unit == spec["age"]}
        if len(ages) != 1 or len(who.ages) > 1:
            return None
        (age,) = ages.values()
        return Bounds(int(age.number), int(age.number), (age.text,))
    if "sex" in spec:
        who = person(stem)
        if who.male is None:
            return None
        return Bounds(not who.male, not who.male, (who.words,))
    if "measure" in spec:
        return _measured(spec, stem)
    return _bounds_of(spec, stem)


def _measured(spec: Mapping[str, Any], stem: str) -> Bounds | None:
    matching = [m for m in measures(stem) if m.attribute == spec["measure"]]
    if len(matching) != 1 or matching[0].quantity.unit not in (spec["unit"], ""):
        return None
    value = _number(matching[0])
    stated: float | bool = value > spec["above"] if "above" in spec else value
    return Bounds(stated, stated, (matching[0].text,))


def _bounds_of(spec: Mapping[str, Any], stem: str) -> Bounds | None:
    """Return yes or no where the vignette says it of the patient, and None where it says nothing, or both."""
    surely, terms, excluded_by = (_any(spec.get(key, ())) for key in ("surely", "terms", "excluded_by"))
    if excluded_by and (excluded := [m for m in mentions(stem, excluded_by) if m.status == "affirmed"]):
        value = spec.get("when_no", False)
        return Bounds(value, value, (excluded[0].clause.strip(),))
    named = [m for m in mentions(stem, terms) if not _ASIDE.search(m.clause)] if terms else []
    own = [m for m in named if not RELATIVES.search(m.clause) and not _FAMILY.search(m.clause)]
    ours = {m.clause for m in own}
    affirmed = [m for m in (mentions(stem, surely) if surely else own) if m.status == "affirmed" and m.clause in ours]
    if affirmed:
        least, most = spec.get("when_yes", (True, True))
        return Bounds(least, most, (affirmed[0].clause.strip(),))
    if own and all(m.status == "denied" for m in own) and not spec.get("never_no"):
        value = spec.get("when_no", False)
        return Bounds(value, value, tuple(dict.fromkeys(m.clause.strip() for m in own)))
    return None


def _any(patterns: tuple[str, ...] | list[str]) -> re.Pattern[str] | None:
    return re.compile(rf"(?<![\w-])(?:{'|'.join(patterns)})(?![\w-])", re.I) if patterns else None


def _number(measure: Measure) -> float:
    value = float(measure.quantity.number)
    return int(value) if value.is_integer() else value
