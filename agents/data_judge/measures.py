"""Measures: what a text says was measured, with value, unit and place, and whether it speaks of this patient."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from importlib.resources import files
from typing import NamedTuple

import yaml

from tracejury.agents.data_judge.quantities import NUMBER, QUANTITY, Quantity, comparable, quantity_of

LINK = (
    r"(?:\s*\([^()]{1,24}\))?[\s,:=]*"
    r"(?:(?:level|count|concentration|rate|value|reading|is|was|are|were|of|at|only|about|approximately|around|measures|"
    r"measured|today|now|currently|still|found to be|recorded at|a little|slightly|mildly|markedly|quite|very|high|low|"
    r"elevated|raised|reduced|normal)\b[\s,:]*){0,5}"
)
_FLUID = re.compile(
    r"(?:urine|urinary|CSF|cerebrospinal fluid|pleural|ascitic|fluid|fecal|stool|sweat|synovial)\s*$", re.I
)
_PATIENT = r"(?:patient|man|woman|boy|girl|child|infant)"
_OWN = re.compile(
    rf"\b(?:his|her|their|its|this {_PATIENT}'s|(?:the|our) {_PATIENT}(?:'s| has| had| is| was| presents with| with)|"
    r"(?:he|she) (?:has|had|is|was|weighs))\b(?:\s[\w-]+){0,4}\s*$",
    re.I,
)
# Words that make of a figure a norm, a threshold, a change or a supposition.
GENERAL = re.compile(
    r"\b(?:normal|range|reference|threshold|cut-?off|criteri\w+|target|goal|defined?|definition|if|would|could|should|"
    r"when|once|until|unless|typical\w*|usual\w*|generally|often|general|above|below|under|over|exceed\w*|greater|less|"
    r"more|fewer|higher|lower|least|most|maxim\w+|minim\w+|between|versus|vs|compared|from|rise|rises|rose|drop\w*|"
    r"fell|falls|fall|increas\w+|decreas\w+|improv\w+|correct\w*|reduc\w+|patients|individuals|adults|children|infants|"
    r"cases|stage|grade|class|suppos\w+|assum\w+|imagin\w+|had (?:it|he|she|the)|not|rather|instead|option|choice)\b"
    r"|[<>≤≥±–]",  # noqa: RUF001
    re.I,
)
# Of these, what stands even against `his temperature`: the figure is not, or not yet, the patient's.
_SUPPOSED = re.compile(
    r"\b(?:if|unless|were|would|could|should|suppos\w+|assum\w+|imagin\w+|target|goal|once|until|when|from|after|not)\b",
    re.I,
)
_LONGEST = 1000
_BLANKS = re.compile(r"[^\S\n]{2,}")
_SENTENCE = re.compile(r"(?<=[.!?;])\s+(?=[A-Z(\d])|\n+")
_PRESSURE = re.compile(
    rf"\b(?:blood pressure|BP)\b{LINK}(?P<sys>{NUMBER})\s?(?:/|over)\s?(?P<dia>{NUMBER})(?:\s?mm ?Hg)?(?![\d/])", re.I
)


class Measure(NamedTuple):
    """A measured attribute. `own` says that the words before it tie it to the patient."""

    attribute: str
    quantity: Quantity
    start: int
    end: int
    text: str
    own: bool
    general: bool
    """The clause has words that may make it a norm, a threshold, a change or a supposition."""


class _Attribute(NamedTuple):
    name: str
    names: re.Pattern[str]
    pattern: re.Pattern[str]
    units: tuple[str, ...]


@lru_cache(maxsize=512)
def measures(text: str) -> tuple[Measure, ...]:
    """Return the measures of a text in order. A blood pressure gives `systolic` and `diastolic`."""
    out: list[Measure] = []
    for start, clause in clauses(text):
        claimed: list[tuple[int, int]] = []
        out.extend(_pressures(clause, start, claimed))
        for attribute in _attributes():
            for match in attribute.pattern.finditer(clause):
                if any(a < match.end() and match.start() < b for a, b in claimed):
                    continue
                quantity = quantity_of(match)
                if quantity is None or not _fits(quantity, attribute):
                    continue
                claimed.append(match.span())
                name = attribute.name
                if fluid := _FLUID.search(clause[: match.start()]):
                    name = f"{fluid[0].strip().lower()} {name}"
                out.append(_measure(name, quantity, clause, match.start(), quantity.end, start))
    return tuple(sorted(out, key=lambda m: m.start))


def clauses(text: str) -> list[tuple[int, str]]:
    """Return the sentences of a text with their offsets."""
    out, start = [], 0
    for cut in _SENTENCE.finditer(text):
        out.append((start, text[start : cut.start()]))
        start = cut.end()
    return [*out, (start, text[start:])]


def prose(text: str) -> str:
    """Return the text without sentences over 1,000 characters and runs of blanks; the rest is verbatim.

    No clinician writes such a sentence, and patterns that look for calculations take minutes over one that was made to
    stall them (measured: 20,000 digits in a row, 146 s).
    """
    text = _BLANKS.sub(" ", text)
    all_clauses = [clause for _, clause in clauses(text)]
    short_clauses = [clause for clause in all_clauses if len(clause) <= _LONGEST]
    return text if len(short_clauses) == len(all_clauses) else "\n".join(short_clauses)


def _pressures(clause: str, offset: int, claimed: list[tuple[int, int]]) -> list[Measure]:
    out = []
    for match in _PRESSURE.finditer(clause):
        claimed.append(match.span())
        for group, name in (("sys", "systolic"), ("dia", "diastolic")):
            quantity = Quantity(match[group], "mmHg", match.start(group), match.end(group), match[group])
            out.append(_measure(name, quantity, clause, match.start(), match.end(), offset))
    return out


def _measure(name: str, quantity: Quantity, clause: str, start: int, end: int, offset: int) -> Measure:
    moved = quantity._replace(start=quantity.start + offset, end=quantity.end + offset)
    return Measure(
        attribute=name,
        quantity=moved,
        start=start + offset,
        end=end + offset,
        text=clause[start:end],
        own=bool(_OWN.search(clause[:start])) and not _SUPPOSED.search(clause),
        general=bool(GENERAL.search(clause)),
    )


def names_of(attribute: str) -> re.Pattern[str]:
    """Return what finds the names of an attribute of attributes.yaml, without a figure."""
    return next(a.names for a in _attributes() if a.name == attribute)


def _fits(quantity: Quantity, attribute: _Attribute) -> bool:
    if not quantity.unit:
        return True
    return any(comparable(quantity, Quantity("1", unit, 0, 0, "")) for unit in attribute.units)


@cache
def _attributes() -> tuple[_Attribute, ...]:
    listed = yaml.safe_load((files("tracejury.agents") / "data_judge" / "attributes.yaml").read_text("utf-8"))
    attributes = []
    for name, entry in listed.items():
        names = "|".join(sorted(entry["names"], key=len, reverse=True))
        # Abbreviations keep their case; spelt-out names do not.
        case = "" if all(n.isupper() for n in entry["names"]) else "(?i:"
        close = ")" if case else ""
        quantity = QUANTITY.pattern.removeprefix(r"(?<![\w.,])")
        pattern = re.compile(rf"(?<![\w-]){case}(?:{names}){close}(?![\w-])(?i:{LINK})(?<![\w.]){quantity}")
        units = tuple(u for u in (entry["unit"], *entry.get("alternatives", ())) if u)
        spoken = re.compile(rf"(?<![\w-]){case}(?:{names}){close}(?![\w-])")
        attributes.append(_Attribute(name, spoken, pattern, units))
    # Longer names first, so that `hemoglobin A1c` is not a hemoglobin.
    return tuple(sorted(attributes, key=lambda a: -len(a.pattern.pattern)))
