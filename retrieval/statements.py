"""A verified quote read in its whole sentence: what it states there, or why it states nothing or something else."""

from __future__ import annotations

import re
from functools import lru_cache

from tracejury.retrieval.evidence_lines import bare
from tracejury.retrieval.left_out import condition_after, turned
from tracejury.retrieval.quote_tokens import quote_tokens, unspaced_characters
from tracejury.retrieval.readings import read_unit
from tracejury.retrieval.scope import has_verb
from tracejury.retrieval.widening import Unit, units_of
from tracejury.traces import Record

_CAPTION = re.compile(
    r"(?:table|figure|fig|box|chapter|section|appendix|part|slide|page)\.?\s*[\dIVX]+(?:\.\d+)*\b", re.IGNORECASE
)
_POINTER = re.compile(
    r"(?:see also|references?|bibliography|further reading|sources?|keywords?|contents|doi|https?)\b\W*", re.IGNORECASE
)
_OPTION = re.compile(r"\(?[A-Ha-h][.)]\s")
_ASKED_BEFORE = re.compile(r"\?[\s*_\"')]*(?:\(?[A-Ha-h][.)]\s[^?\n]*)?$")
"""A question on the same line, or the options before this one."""
_FEWEST_WORDS, _FEWEST_CHARACTERS = 2, 4


class Statement(Record):
    """What a quote is read as.

    `text` is the whole sentence or sentences, a list item with its lead-in, or a table row with its column headers.
    `start` and `end` are the offsets of the sentence, item or row in the evidence. `why_not` is None where the text
    states something and the quote alone states the same; else it says what is wrong.
    """

    text: str
    start: int
    end: int
    why_not: str | None = None


# Judges of a step, and steps of a trace, cite the same sentences.
@lru_cache(maxsize=2048)
def read_statement(evidence: str, start: int, end: int) -> Statement:
    """Widen a verified quote to its sentence, and judge whether that is a statement which the quote leaves as it is.

    Args:
        evidence: The whole text of one piece of evidence.
        start: Offset of the quote's first character in it, as `check_quote` returns it.
        end: Offset after its last character.

    Returns:
        The statement. Questions, headings, labels, lead-ins and table headers are none; a quote that leaves out a
        negation, a hedge, a condition, a bound or a unit of its sentence states something else than the sentence.
    """
    units = units_of(evidence, start, end)
    if not units:
        return Statement(
            text=evidence[start:end], start=start, end=end, why_not="there is nothing to read at this place"
        )
    text = " ".join(" ".join(read_unit(evidence, unit, start, end).text.split()) for unit in units)
    nothing = [_no_statement(evidence, unit, start, end) for unit in units]
    why_not = next((n for n in nothing if n is not None), None) if all(nothing) or _asks(nothing) else None
    why_not = why_not or turned(evidence, start, end) or condition_after(read_unit(evidence, units[-1], start, end))
    return Statement(text=text, start=units[0].start, end=units[-1].end, why_not=why_not)


def _asks(nothing: list[str | None]) -> bool:
    return nothing[-1] == _QUESTION


_LEAD_IN = "a lead-in states nothing without what it introduces"
_QUESTION = "a question states nothing"


def _no_statement(evidence: str, unit: Unit, start: int, end: int) -> str | None:
    """Return why a unit states nothing, or None."""
    raw = evidence[unit.start : unit.end]
    text = bare(raw)
    if unit.kind in ("heading", "header", "rule"):
        return "a heading states nothing"
    if unit.kind == "lead_in":
        return _LEAD_IN
    if text.rstrip("*_\"'\u201d)] ").endswith("?"):
        return _QUESTION
    if unit.kind == "row":
        return None
    if unit.lead_ins and _OPTION.match(raw) and evidence[slice(*unit.lead_ins[-1])].rstrip("*_ ").endswith("?"):
        return "an answer option states nothing"
    if _OPTION.match(raw) and _ASKED_BEFORE.search(evidence, 0, unit.start):
        return "an answer option states nothing"
    if text.endswith(":"):
        return _LEAD_IN
    if _CAPTION.match(text) and not has_verb(text):
        return "a caption states nothing"
    if _POINTER.match(text) and not has_verb(text):
        return "a pointer to a source states nothing"
    words = quote_tokens(text)
    characters = unspaced_characters(words)
    few = characters < _FEWEST_CHARACTERS if characters else len(words) < _FEWEST_WORDS
    if few and not unit.lead_ins:
        return "a label states nothing"
    return None
