"""Identifiers in HL7 version 2 messages, by the place of their field: a segment a line, fields between bars."""

from __future__ import annotations

import re
from collections.abc import Iterator

_SEGMENT = re.compile(
    r"(?:^|(?<=[\r\n]))[ \t]{0,8}"
    r"(?P<name>MSH|EVN|PID|PD1|NK1|PV1|PV2|ORC|OBR|OBX|GT1|IN1|IN2|MRG|SCH|TXA|AL1|DG1|PR1|RXA|FT1|ACC)\|[^\r\n]{0,4000}"
)
_NUMBER_FIELDS = {
    "PID": {2, 3, 4, 18, 19, 20}, "MRG": {1, 3, 4}, "PV1": {19, 50}, "IN1": {2, 8, 36, 49}, "GT1": {2, 12},
    "ORC": {2, 3},
    "OBR": {2, 3, 18, 19},
}  # fmt: skip
_NAME_FIELDS = {
    "PID": {5, 6, 9}, "NK1": {2, 30}, "GT1": {3, 4}, "IN1": {16}, "PD1": {4}, "PV1": {7, 8, 9, 17, 52},
    "ORC": {10, 11, 12, 19},
    "OBR": {10, 16, 28, 32, 33, 34, 35}, "OBX": {16}, "TXA": {5, 9, 10, 11}, "EVN": {5}, "MRG": {7},
}  # fmt: skip
_ADDRESS_FIELDS = {"PID": {11}, "NK1": {4, 32}, "GT1": {5}, "IN1": {5, 19}, "ORC": {24}}
_PHONE_FIELDS = {"PID": {13, 14}, "NK1": {5, 6, 31}, "GT1": {6, 7}, "IN1": {7}, "ORC": {14, 23}, "OBR": {17}}
_TIME = re.compile(
    r"(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:\d{2}){0,3}(?:\.\d{1,4})?(?:[+-]\d{4})?\Z"
)
_NUMBER = re.compile(r"[A-Z]{0,6}-?\d[\w-]{3,30}")
_NAME = re.compile(
    r"(?:[A-Z]{0,4}\d{2,12}\^)?"
    r"(?P<name>[^\W\d_]+(?:['’ -][^\W\d_]+){0,3}(?:\^[^\W\d_]+(?:['’ .-]{1,2}[^\W\d_]+){0,2}){1,2})"
)
_PERSON_NUMBER = re.compile(r"[A-Z]{0,4}\d{2,12}(?=\^[^\W\d_])")
_CODED = {"OBX", "OBR", "DG1", "PR1", "AL1", "RXA", "FT1"}
"""Segments with codes and their words ("GLU^Glucose"), which have the form of a short name."""
_SHORT_NAME = re.compile(r"[^\W\d_]{2,30}\^[^\W\d_]{2,30}(?:\^[^\W\d_]{1,20})?\Z")
_PERSON_ANYWHERE = re.compile(r"[^\W\d_]{2,30}\^[^\W\d_]{2,30}(?:\^[^\W\d_]{1,20})?(?=\^\^)")


def hl7_identifiers(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield kind, start and end of the identifiers in the fields of HL7 segments.

    Fields are counted as the standard counts them (HL7 v2.5, chapters 2 to 6); in the header the separator is the
    first. A shortened message has its fields elsewhere: persons are found in any field that has the form of one.
    """
    for segment in _SEGMENT.finditer(text):
        name = segment["name"]
        start = segment.start("name")
        for place, field in enumerate(text[start : segment.end()].split("|")):
            yield from _in_field(name, place + (name == "MSH"), field, start)
            start += len(field) + 1


def _in_field(segment: str, place: int, field: str, start: int) -> Iterator[tuple[str, int, int]]:
    if not field or not place:
        return
    if time := _TIME.match(field):
        yield "DATE", start, start + time.end()
    elif place in _NUMBER_FIELDS.get(segment, ()) and (number := _NUMBER.match(field)):
        yield "ID", start, start + number.end()
    elif place in _ADDRESS_FIELDS.get(segment, ()) and len(field) > 4:
        yield "ADDRESS", start, start + len(field.rstrip("^"))
    elif place in _PHONE_FIELDS.get(segment, ()) and any(character.isdigit() for character in field):
        yield "PHONE", start, start + len(field)
    else:
        if place in _NAME_FIELDS.get(segment, ()) and (person := _NAME.match(field)):
            yield "NAME", start + person.start("name"), start + person.end("name")
            if number := _PERSON_NUMBER.match(field):
                yield "ID", start, start + number.end()
        elif person := (_PERSON_ANYWHERE if segment in _CODED else _SHORT_NAME).match(field) or _PERSON_ANYWHERE.match(
            field
        ):
            yield "NAME", start, start + person.end()
