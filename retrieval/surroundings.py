"""What stands around a sentence or a cell and turns it: other cells of its row, its heading, the next sentence."""

from __future__ import annotations

import re
from functools import cache

from tracejury.retrieval.cues import crosses, folded, heading_pattern, pattern
from tracejury.retrieval.evidence_lines import bare
from tracejury.retrieval.readings import Reading
from tracejury.retrieval.scope import has_verb
from tracejury.retrieval.widening import Unit

_FACT = re.compile(r"\W*(?:fact|truth|reality|correct|true)\b")
_MARKED = re.compile(r"\W*(?:x|yes|y|true|1)?\W*")


def other_cells(read: Reading) -> str | None:
    """Return the cell of the quote's row that denies it: `No`, `contraindicated`, or a mark under `Absent`."""
    if read.unit.kind != "row" or has_verb(read.quote):
        return None
    for cell in re.finditer(r"[^;]+", read.text):
        if cell.start() < read.end and cell.end() > read.start:
            continue
        header, _, value = folded(cell[0]).partition(": ") if read.unit.headers else ("", "", folded(cell[0]))
        marked = bool(value.strip()) and _MARKED.fullmatch(value) is not None
        if (marked and _denying_cell().match(header)) or _denying_cell().match(value) or crosses().search(value):
            return cell[0].strip()
    return None


def under_heading(read: Reading, evidence: str) -> str | None:
    """Return the heading under which the unit says the opposite: `Myths`, or `Contraindications` above a list."""
    fact = _FACT.match(folded(read.text))
    listed = read.unit.kind == "item" or not has_verb(read.text)
    for span in read.unit.headings:
        heading = bare(evidence[slice(*span)])
        plain = folded(heading)
        if (heading_pattern("frame").search(plain) and not fact) or (listed and heading_pattern("items").match(plain)):
            return f"it stands under the heading {heading!r}"
    return None


def taken_back_next(evidence: str, unit: Unit, end: int) -> str | None:
    """Return how the next sentence takes the quoted one back, as `This is a myth` does."""
    if end > unit.end or unit.kind not in ("sentence", "item"):
        return None
    # A sentence that ends with an abbreviation (`8 g. (Correction: 4 g.)`) has the next one within its unit.
    starts = (unit.end, end)
    taken_back = next(filter(None, (_taken_back().match(folded(evidence[at : at + 120])) for at in starts)), None)
    return f"the next sentence takes it back: {taken_back[0].strip()!r}" if taken_back else None


def taken_back_before(evidence: str, unit: Unit) -> str | None:
    """Return how the sentence before announces what does not hold: `The following is false.`, `Which is not true?`."""
    announced = _announced().search(folded(evidence[max(0, unit.start - 120) : unit.start]))
    return f"the sentence before takes it back: {announced[0].strip()!r}" if announced else None


@cache
def _announced() -> re.Pattern[str]:
    false = pattern("refuted").pattern
    return re.compile(
        r"\b(?:the following|what follows|the next (?:sentence|statement))\b[^.;:!?]{0,30}?"
        rf"\b(?:is|are|was|were|has|have|been)(?: (?:\w+ly|been))* {false}"
        r"(?: (?:by|in|after|since|for)\b[^.;:!?]{0,60})?\s*[.:!]\s*$"
        r"|\b(?:which|what|all of the following)\b[^.?!]{0,100}\b(?:not|except|false|incorrect|wrong|untrue|least)\b"
        r"[^.?!]{0,40}[?:]\s*$"
    )


@cache
def _denying_cell() -> re.Pattern[str]:
    return re.compile(r"\W*" + pattern("denying_cell").pattern)


@cache
def _taken_back() -> re.Pattern[str]:
    false = pattern("taken_back").pattern
    return re.compile(
        r"\W*(?:(?:this|that|it|such|these|both|all|the (?:claim|belief|statement|idea|notion))\b[^.;:!?]{0,30}?"
        rf"\b(?:is|are|was|were|has|have|been|proved)(?: (?:\w+ly|now|since|long|been))* {false}"
        r"|(?:false|wrong|untrue|incorrect|myth|not so|not true)[.!]"
        r"|(?:correction|erratum|corrigendum|retraction|retracted|withdrawn)\s*[:.)\]]"
        r"|[*\u2020\u2021]+\W*[*\u2020\u2021]\s*(?:not|except|only|unless)\b)"
    )
