"""What a quote leaves out of its sentence that would turn it: a denial, a hedge, a condition, a frame, a bound."""

from __future__ import annotations

import re

from tracejury.retrieval.bounds import cut_bound
from tracejury.retrieval.cues import foreign_negations, without_exempt
from tracejury.retrieval.cues_after import turned_after
from tracejury.retrieval.cues_before import turned_before
from tracejury.retrieval.readings import Reading, read_unit
from tracejury.retrieval.scope import has_verb
from tracejury.retrieval.surroundings import other_cells, taken_back_before, taken_back_next, under_heading
from tracejury.retrieval.widening import Unit, units_of

_CONDITION = re.compile(
    r"[^,;:.!?]*,?\s(?<!\bas )(?<!\beven )(if|as long as|in case|on condition)\b(?! (?:so|any|present)\b)"
)
_STOP = re.compile(r"[;.:!?](?=\s)")


def turned(evidence: str, start: int, end: int) -> str | None:
    """Return why the quote alone states something else than the sentence or row that it stands in, or None.

    Args:
        evidence: The whole text of one piece of evidence.
        start: Offset of the quote's first character.
        end: Offset after its last one.
    """
    units = units_of(evidence, start, end)
    if not units:
        return None
    if len(units) > 1 and (carried := _carried_over(evidence, units, start, end)):
        return carried
    for unit in units:
        read = read_unit(evidence, unit, start, end)
        why_not = _turned_in_unit(read) or under_heading(read, evidence)
        if why_not is not None:
            return why_not
    return taken_back_before(evidence, units[0]) or taken_back_next(evidence, units[-1], end)


def condition_after(read: Reading) -> str | None:
    """Return the condition that follows the quote in its clause and that the quote leaves out, or None."""
    condition = _CONDITION.match(without_exempt(read.text)[read.end :])
    return leaves_out(condition[1]) if condition else None


def leaves_out(words: str) -> str:
    """Word the refusal for the words that a quote leaves out."""
    words = " ".join(words.split())
    return f"the quote leaves out the word{'s' if ' ' in words else ''} {words!r}"


def _turned_in_unit(read: Reading) -> str | None:
    asks = read.text.rstrip("*_\"'\u201d)] ").endswith("?")
    if asks and "?" not in read.quote and read.start > 3:
        return "the sentence asks this, it does not state it"
    if (words := turned_before(read)) is not None:
        return leaves_out(words)
    if (cut := cut_bound(read.text, read.start, read.end)) is not None:
        return cut
    words = _foreign(read) or turned_after(read) or other_cells(read)
    return leaves_out(words) if words is not None else None


def _foreign(read: Reading) -> str | None:
    """Return a negation of another language in the same clause; its scope is not looked into."""
    for start, end in foreign_negations(read.text):
        if start >= read.start and end <= read.end:
            continue
        between = read.text[end : read.start] if end <= read.start else read.text[read.end : start]
        if not _STOP.search(between):
            return read.text[start:end]
    return None


def _carried_over(evidence: str, units: list[Unit], start: int, end: int) -> str | None:
    """Return the fragment of one sentence that the quote carries into another: `in pregnancy. Isotretinoin is used`."""
    first, last = evidence[start : units[0].end], evidence[units[-1].start : end]
    if units[0].kind == "sentence" and evidence[units[0].start : start].strip(" *_\"'(") and not has_verb(first):
        return f"the quote carries {first.strip()!r} over from another sentence"
    rest = re.sub(r"[\W_]", "", evidence[end : units[-1].end])
    if units[-1].kind == "sentence" and rest and not has_verb(last):
        return f"the quote adds {last.strip()!r} of another sentence"
    return None
