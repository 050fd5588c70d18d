"""Words before a quote, in its sentence or lead-in, whose scope runs over it."""

from __future__ import annotations

import re
from functools import cache

from tracejury.retrieval.cues import Cue, Scope, crosses, cues_in, folded, pattern, ticks, word_set
from tracejury.retrieval.readings import Reading
from tracejury.retrieval.scope import has_verb, scope_end

# `Myth 3: ...`, `Common misconception - ...`, `A common error on this ward: ...`
_EXCEPTION = re.compile(r"except|other than|apart from|save for|with the exception")
_LABEL_END = re.compile(
    r"(?: (?:#|no\.? ?)?\d+| (?:on|in|among|of|at|from)(?: \w+){1,3}| \w+)?\s*[:.)\]\u2013\u2014-]+(?=[\s*])"
)


def turned_before(read: Reading) -> str | None:
    """Return the words before the quote that turn, weaken or frame it and that it leaves out, or None."""
    plain = folded(read.text)
    label = _label(plain)
    if 0 < label <= read.start:
        return read.text[:label].strip("*_ ")
    for mark in crosses().finditer(read.text):
        if mark.end() <= read.start and not ticks().search(read.text[mark.end() : read.start]):
            return mark[0]
    unsound = pattern("source").search(plain)
    if unsound is not None and not read.start <= unsound.start() < read.end:
        return unsound[0]
    condition = _fronted_condition().match(plain)
    if condition is not None and condition.end(1) < read.start and "," in plain[: read.start] and "?" not in plain:
        return condition[1]
    exception = _fronted_exception().match(plain)
    if exception is not None and exception.end() < read.start and pattern("universal").search(folded(read.quote)):
        return exception[1]
    privative = _privative().search(plain[: read.start])
    if privative is not None:
        return privative[1]
    denied = False
    for cue in cues_in(read.text):
        if cue.start >= read.start:
            break
        # `No complaints except for | mild pain`: an exception from a denial affirms.
        if not (denied and _EXCEPTION.match(folded(cue.words))) and _turns(read, cue):
            return cue.words
        denied = denied or cue.scope in (Scope.CLAUSE, Scope.PHRASE)
    return None


def _turns(read: Reading, cue: Cue) -> bool:
    between = read.text[cue.end : read.start]
    if read.unit.kind == "row" and ";" in between:
        return False
    if cue.scope is Scope.HEDGE and not _hedges(read, cue):
        return False
    reached = scope_end(read.without_colons, cue) > read.start
    # A condition holds for the main clause after it, too.
    return reached or (folded(cue.words) in ("if", "unless") and ";" not in between)


def _hedges(read: Reading, cue: Cue) -> bool:
    """Whether a hedge weakens the quote, which has a verb or stands beside it. `May include:` over a list does not."""
    if cue.end <= read.own:
        return False
    first = folded(read.quote).split()[:1]
    return (
        not read.text[cue.end : read.start].strip()
        or has_verb(read.quote)
        or set(first) <= word_set("plain_verb", "noun_or_verb")
    )


@cache
def _fronted_condition() -> re.Pattern[str]:
    return re.compile(rf"\W*({pattern('fronted_condition').pattern})\s(?!n't)")


@cache
def _fronted_exception() -> re.Pattern[str]:
    return re.compile(rf"\W*({pattern('fronted_exception').pattern})\s")


@cache
def _privative() -> re.Pattern[str]:
    return re.compile(rf"({pattern('privative').pattern})[\s-]+$")


def _label(plain: str) -> int:
    """Return where a label such as `Myth:` ends, 0 where the text begins with none."""
    word = re.compile(r"\W*(?:(?:a|one|common|popular|\d+) )*" + pattern("label").pattern + "s?").match(plain)
    end = _LABEL_END.match(plain, word.end()) if word else None
    return end.end() if end else 0
