"""Whether a text denies what it names: nlplite's NegEx rules, sentence by sentence.

Of the clinical negation libraries it is the one that needs neither a model nor a language toolkit, and of 63 findings
marked by hand it misses no denial (benchmarks/negation.py, which also says what the others do).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal, NamedTuple

from tracejury.agents.data_judge.measures import clauses

# `gluten-free`, `free thyroxine`: a trigger of NegEx that is mostly part of a name in vignettes.
_FREE = re.compile(r"\bfree\b(?!\s+of\b)|\w-free\b", re.I)


class Mention(NamedTuple):
    """One place where a text names something."""

    words: str
    """As the text has them."""
    start: int
    end: int
    clause: str
    """The sentence that it stands in."""
    status: Literal["affirmed", "denied", "uncertain"]


def mentions(text: str, pattern: re.Pattern[str]) -> tuple[Mention, ...]:
    """Return every match of `pattern` in a text, with what its sentence makes of it.

    Sentences that ask something are left out: `the best therapy to prevent a stroke?` says nothing of a stroke.
    """
    out = []
    for offset, clause in clauses(text):
        if clause.rstrip().endswith("?"):
            continue
        for match in pattern.finditer(clause):
            start, end = match.span()
            status = _status(clause, match[0], start)
            out.append(Mention(match[0], start + offset, end + offset, clause, status))
    return tuple(out)


@lru_cache(maxsize=8192)
def _status(clause: str, words: str, start: int) -> Literal["affirmed", "denied", "uncertain"]:
    from nlplite import get_assertion_status

    # Blanked out at the same length, so that the offsets stand.
    plain = _FREE.sub(lambda m: "x" * len(m[0]), clause)
    if plain[start : start + len(words)] != words:
        return "affirmed"
    for marked, at, _ in get_assertion_status(plain, [words]):
        if at == start:
            return {"N": "denied", "Y": "affirmed"}.get(marked.rpartition(":")[2], "uncertain")  # type: ignore[return-value]
    return "uncertain"
