"""What identifies a person in clinical text, by rule: dates, numbers, addresses, names that a title gives away.

Rules, because nothing may leave the machine before they have run, and a model that finds names would have to be fetched
first. What they cannot see is a name without a title or a label in front of it (docs/security.md has the figures).
Clinical figures must stay what they are, so every rule asks for a shape that no dose, value, score or duration has.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_MONTH = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?|"
    r"Nov(?:ember)?|Dec(?:ember)?)\b\.?"
)
_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
_DAY_TOLD = rf"{_DAY}(?:st|nd|rd|th)?"
_YEAR = r"(?:19|20)\d{2}"
# A number right of which a unit stands is a figure, whatever its shape.
_NO_FIGURE = r"(?![\d/]|\.\d|[-\u2013]\d|\s*(?:mm\s?Hg|mg|mcg|g|mL|%|mEq|mmol))"
_NAME = r"(?:[A-Z]['\u2019])?[A-Z][a-z]+(?:[A-Z][a-z]+)?(?:[-'\u2019][A-Z][a-z]+)?"
_INITIAL = r"(?:[A-Z]\.\s+)"
_TITLE = r"(?:Mr|Mrs|Ms|Miss|Dr|Prof|Professor|Doctor|Nurse)\b\.?"
_STREET = r"(?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|EndpointClient|Ln|Drive|RunContext|Place|Terrace|Way)"
_NUMBER = r"[:#]?\s*(?:is|no\.?|number)?\s*[:#]?\s*"

# Longer shapes first: where two rules meet, the earlier one has it.
RULES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        ("EMAIL", r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b"),
        ("URL", r"\b(?:https?://|www\.)[^\s<>\"')\]]+[^\s<>\"')\].,;:]"),
        (
            "SSN",
            r"\b\d{3}-\d{2}-\d{4}\b|(?i:\b(?:SSN|social security)(?:\s+number)?)[:#]?\s*(?:is\s*)?(?P<SSN>\d{9})\b",
        ),
        (
            "ID",
            r"(?i:\b(?:MRN|medical record|patient ID|chart|accession|encounter|account|policy|member ID|insurance ID|"
            rf"NHS)(?:\s+(?:number|no\.?|#))?){_NUMBER}(?P<ID>(?=[A-Z-]*\d)[A-Z]{{0,4}}-?\d[\d -]{{3,14}}\d)\b",
        ),
        ("IP", r"\b(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)\b(?!\.\d)"),
        (
            "PHONE",
            r"(?<![\d.-])(?:\+?1[ .-]?)?(?:\(\d{3}\)\s?|\d{3}[ .-])\d{3}[.-]\d{4}\b"
            r"|(?<![\d.])\+\d{1,3}(?:[ .-]?\d){7,12}\b"
            rf"|(?i:\b(?:tel|telephone|phone|fax|pager|mobile|cell))\.?\s*{_NUMBER}"
            r"(?P<PHONE>\+?\d[\d ().-]{5,16}\d)\b",
        ),
        (
            "DATE",
            rf"(?<![\d/.-]){_YEAR}[-/.](?:0[1-9]|1[0-2])[-/.](?:0[1-9]|[12]\d|3[01])(?!\d)"
            rf"|(?<![\d/.-]){_DAY}/{_DAY}/(?:{_YEAR}|\d{{2}}){_NO_FIGURE}"
            rf"|(?<![\d/.-]){_DAY}[.-](?:0?[1-9]|1[0-2])[.-]{_YEAR}(?!\d)"
            rf"|\b{_MONTH}\s+{_DAY_TOLD}(?:,?\s+{_YEAR})?\b{_NO_FIGURE}"
            rf"|\b{_DAY_TOLD}(?:\s+of)?\s+{_MONTH}(?:,?\s+{_YEAR})?(?![A-Za-z])"
            rf"|\b{_MONTH},?\s+(?:of\s+)?{_YEAR}\b"
            r"|(?i:\b(?:DOB|date of birth|admitted on|discharged on|seen on|dated)[:]?\s*)"
            rf"(?P<DATE>(?:0?[1-9]|1[0-2])/{_DAY})(?![\d/])",
        ),
        (
            "ADDRESS",
            rf"\b\d{{1,5}}\s+(?:[NSEW]\.?\s+)?(?:[A-Z][a-z]+\s+){{1,3}}{_STREET}\b\.?"
            r"(?:,?\s+(?:Apt|Suite|Unit)\.?\s*\w+)?(?:,\s+[A-Z][A-Za-z ]+,?\s+[A-Z]{2}\s+\d{5}(?:-\d{4})?)?"
            r"|\b[A-Z]{2}\s+\d{5}(?:-\d{4})?\b",
        ),
        (
            "NAME",
            rf"\b{_TITLE}\s+(?P<NAME>{_INITIAL}?{_NAME}(?:\s+{_INITIAL}?{_NAME})?)"
            r"|\b(?:Patient(?:'s)?\s+name|Patient|Name|Attending|Signed)\s*:\s*"
            rf"(?P<NAME2>{_NAME}(?:,?\s+{_INITIAL}?{_NAME}){{0,2}})"
            rf"|\b(?:named|called|name is)\s+(?P<NAME3>{_NAME}(?:\s+{_NAME})?)",
        ),
    )
)
KINDS = tuple(kind for kind, _ in RULES)
# Words that follow a name where it names a finding and no person: "Mrs. Jones" does not make Jones criteria hers.
_EPONYM = (
    r"(?!(?:['\u2019]s)?\s+(?:disease|syndrome|sign|criteria|fracture|test|score|scale|reflex|lymphoma|palsy|chorea|triad|"
    r"nodes?|bodies|anemia|tumou?r|phenomenon|murmur|maneuver|ulcer|cells?|hernia|contracture|esophagus|thyroiditis))"
)


class Identifier(NamedTuple):
    """A span that identifies somebody."""

    kind: str
    start: int
    end: int


def identifiers(text: str, names: tuple[str, ...] = ()) -> list[Identifier]:
    """Find the identifiers in `text`, in order, none within another.

    Args:
        text: Any text.
        names: Names that are known from elsewhere (the vignette), found again wherever they stand.
    """
    candidates: list[Identifier] = []
    for kind, rule in RULES:
        for match in rule.finditer(text):
            # A rule with a label in front keeps the label: "MRN 123456" becomes "MRN [ID_1]".
            group = next((g for g, value in match.groupdict().items() if value is not None), 0)
            candidates.append(Identifier(kind, match.start(group), match.end(group)))
    person_names = set(names) | {text[i.start : i.end] for i in candidates if i.kind == "NAME"}
    candidates.extend(_again(text, person_names))
    # What begins first has it; of those, the longer.
    chosen: list[Identifier] = []
    for one in sorted(candidates, key=lambda i: (i.start, -i.end)):
        if not chosen or one.start >= chosen[-1].end:
            chosen.append(one)
    return chosen


def _again(text: str, names: set[str]) -> Iterator[Identifier]:
    """Find names that a title gave away once, and their last parts, wherever else they stand."""
    parts = names | {part for name in names if len(part := name.replace(",", " ").split()[-1].strip(".")) > 3}
    for part in parts:
        for match in re.finditer(rf"\b{re.escape(part)}\b{_EPONYM}", text):
            yield Identifier("NAME", match.start(), match.end())
