"""Parts of a step that state something only together: a question with its answer, a lead-in with its list."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tracejury.agents.claims.parts import Kind, Part
from tracejury.agents.claims.verbs import states
from tracejury.traces import Span

_SHORT_ANSWER = re.compile(
    r"(?:yes|no|correct|incorrect|true|false|right|wrong|indeed|exactly|absolutely|certainly|of course|definitely)\b",
    re.I,
)
_SEPARATOR = re.compile(r"[\s,.;:\u2013\u2014-]*")
_BULLET = re.compile(r"(?:^|\n)\s*(?:[-*\u2022]|\d{1,2}[.)])\s*[*_]*$")
_LONGEST_LIST = 400
"""Characters of a lead-in with its items; further items are claims of their own."""


def joined(step: str, parts: Sequence[Part]) -> list[Part]:
    """Join a question with a short answer to it, and a lead-in that states something with the items after it."""
    out: list[Part] = []
    debris: list[Part] = []
    for part in parts:
        if part.kind is Kind.DEBRIS:
            debris.append(part)
            continue
        words = step[part.span.start : part.span.end]
        before = out[-1] if out else None
        if before is not None and before.kind is Kind.QUESTION and _may_answer(step, before, part):
            reply = _SHORT_ANSWER.match(words)
            if reply or not states(words):
                end = part.span.start + reply.end() if reply else part.span.end
                out[-1] = Part(Span(before.span.start, end), Kind.STATEMENT)
                begins = _SEPARATOR.match(step, end).end()  # type: ignore[union-attr]
                if begins < part.span.end:
                    out.append(Part(Span(begins, part.span.end), part.kind))
                continue
        if before is not None and _leads_to(step, before, part):
            out[-1] = Part(Span(before.span.start, part.span.end), Kind.STATEMENT)
            continue
        out.append(part)
    return [*debris, *out]


def _may_answer(step: str, question: Part, part: Part) -> bool:
    same_line = "\n" not in step[question.span.end : part.span.start]
    return part.kind is Kind.STATEMENT or (part.kind is Kind.HEADING and same_line)


def _leads_to(step: str, before: Part, item: Part) -> bool:
    lead = step[before.span.start : before.span.end]
    words = step[item.span.start : item.span.end]
    return (
        before.kind is Kind.STATEMENT
        and item.kind in (Kind.STATEMENT, Kind.HEADING)
        and ":" in lead
        and (lead.endswith(":") or "\n" in lead)
        and bool(_BULLET.search(step[: item.span.start]))
        and not states(words)
        and item.span.end - before.span.start <= _LONGEST_LIST
    )
