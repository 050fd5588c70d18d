"""The claims of a step by rule: pieces, parts that state something, their clauses."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from tracejury.agents.claims.clauses import clauses_of
from tracejury.agents.claims.coverage import claim_set
from tracejury.agents.claims.joining import joined
from tracejury.agents.claims.kinds import parts_of
from tracejury.agents.claims.parts import Kind
from tracejury.agents.claims.pieces import pieces, tags
from tracejury.agents.claims.plans import is_plan
from tracejury.agents.claims.restating import restated_by
from tracejury.agents.claims.rewriting import change_of_meaning
from tracejury.agents.evidence_records import Claim, ClaimSet
from tracejury.agents.records import ContextStep
from tracejury.traces import Span


class Cut(NamedTuple):
    """What a step is cut into: drafts of claims, and the spans of what states nothing."""

    claims: list[Claim]
    silent: list[Span]
    """Questions, plans, headings."""


def cut_by_rule(step: str, stem: str, context: Sequence[ContextStep]) -> ClaimSet:
    """Cut a step into claims without a model.

    Args:
        step: The step, as the judges see it.
        stem: The vignette.
        context: The other steps of the case.

    Returns:
        Claims `C1`, `C2`, ... in the order of the step, at most `MOST_CLAIMS`.
    """
    cut = cut_step(step, stem, context)
    return claim_set(step, cut.claims, cut.silent, (stem, *(c.text for c in context)))


def cut_step(step: str, stem: str, context: Sequence[ContextStep]) -> Cut:
    """Cut a step; claims have no handles yet and are not merged."""
    earlier = (stem, *(c.text for c in context))
    claims: list[Claim] = []
    silent = tags(step)
    for part in joined(step, [p for piece in pieces(step, earlier) for p in parts_of(step, *piece)]):
        if part.kind is not Kind.STATEMENT:
            silent.append(part.span)
            continue
        clauses = clauses_of(step, part.span)
        # What stands between clauses connects them: `therefore`, `which means that`.
        silent += [Span(a.span.end, b.span.start) for a, b in pairwise(clauses)]
        silent.append(Span(part.span.start, clauses[0].span.start if clauses else part.span.end))
        for clause in clauses:
            characters = step[clause.span.start : clause.span.end]
            if len(clauses) > 1 and is_plan(characters):
                silent.append(clause.span)
                continue
            text = characters
            if clause.subject is not None:
                text = f"{step[clause.subject.start : clause.subject.end]} {characters}"
                if change_of_meaning(characters, text, (*earlier, step[: clause.span.start])):
                    # The characters of both clauses together need no rewriting.
                    claims[-1] = _claim(step, claims[-1].start, clause.span.end, stem, context)
                    continue
            claims.append(_claim(step, *clause.span, stem, context, text))
    return Cut(claims, silent)


def _claim(
    step: str, start: int, end: int, stem: str, context: Sequence[ContextStep], text: str | None = None
) -> Claim:
    characters = step[start:end]
    text = text or characters
    restates = restated_by(text, stem, context)
    return Claim(handle="", text=text, start=start, end=end, restates=restates, rewritten=text != characters)
