"""Words before a quote, in its sentence or lead-in, whose scope runs over it."""

from __future__ import annotations

import re

from tracejury.retrieval.cues import Cue, Scope, crosses, cues_in, folded, pattern, word_set
from tracejury.retrieval.readings import Reading
from tracejury.retrieval.scope import has_verb, scope_end

# `Myth 3: ...`, `Common misconception - ...`
_LABEL_END = re.compile(r"(?: (?:#|no\.? ?)?\d+| \w+)?\s*[:.\u2013\u2014-]+(?=[\s*])")
# `Had the count been normal, ...`, `Should the INR exceed 8, ...`
_INVERTED = re.compile(r"\W*(had|should|were)\s[^?]*$")
_CONDITIONS = frozenset(["if", "unless", "in case", "in case of", "in the event of", "in the event that"])


def turned_before(read: Reading) -> str | None:
    """Return the words before the quote that turn, weaken or frame it and that it leaves out, or None."""
    plain = folded(read.text)
    label = _label(plain)
    if 0 < label <= read.start:
        return read.text[:label].strip("*_ ")
    for mark in crosses().finditer(read.text):
        if mark.end() <= read.start:
            return mark[0]
    unsound = pattern("source").search(plain)
    if unsound is not None and not read.start <= unsound.start() < read.end:
        return unsound[0]
    inverted = _INVERTED.match(plain)
    if inverted is not None and inverted.end(1) < read.start and "," in plain[: read.start]:
        return inverted[1]
    for cue in cues_in(read.text):
        if cue.start >= read.start:
            break
        if _turns(read, cue):
            return cue.words
    return None


def _turns(read: Reading, cue: Cue) -> bool:
    between = read.text[cue.end : read.start]
    if read.unit.kind == "row" and ";" in between:
        return False
    if cue.scope is Scope.HEDGE and not _hedges(read, cue):
        return False
    if scope_end(read.without_colons, cue) > read.start:
        return True
    # A condition holds for the main clause that follows it, too.
    return folded(cue.words) in _CONDITIONS and ";" not in between


def _hedges(read: Reading, cue: Cue) -> bool:
    """Whether a hedge weakens the quote, which has a verb or stands beside it. `May include:` over a list does not."""
    if cue.end <= read.own:
        return False
    first = folded(read.quote).split()[:1]
    return not read.text[cue.end : read.start].strip() or has_verb(read.quote) or set(first) <= word_set("plain_verb")


def _label(plain: str) -> int:
    """Return where a label such as `Myth:` ends, 0 where the text begins with none."""
    word = re.compile(r"\W*(?:(?:a|one|common|popular|\d+) )*" + pattern("label").pattern + "s?").match(plain)
    end = _LABEL_END.match(plain, word.end()) if word else None
    return end.end() if end else 0
