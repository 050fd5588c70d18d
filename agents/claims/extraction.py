"""The claims of a step by a model, compared with the rule: what the model leaves out or changes, the rule restores."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, Field, create_model

from tracejury.agents.claims.coverage import MOST_CLAIMS, claim_set
from tracejury.agents.claims.cutting import cut_step
from tracejury.agents.claims.restating import restated_by
from tracejury.agents.claims.rewriting import change_of_meaning
from tracejury.agents.claims.words import content_words, qualifiers
from tracejury.agents.contracts import Ask
from tracejury.agents.evidence_records import Claim, ClaimSet
from tracejury.agents.prompting import case_messages
from tracejury.agents.records import Case
from tracejury.models import CallFailed, Message
from tracejury.traces import Span

_NONE_USABLE = "no listed statement is a whole statement of the step"
_INSTRUCTION = "List the statements of the step."
_CHARS_PER_TOKEN = 2.5
_TOKENS_OF_KEYS = 14
"""What the keys and marks of one listed statement take."""
_FEWEST_CHARS = 80
_SLACK = 8
"""What validation lets through beyond the schema, for servers that do not enforce lengths."""
_LEFT_OVER = 0.25
"""Share of a statement's words of content that the model's quotes may leave out, connectives for the most part."""


class ListedStatement(BaseModel):
    """A statement as the model gives it: its characters in the step, and the same readable alone."""

    quote: str
    text: str


class ClaimsReply(BaseModel):
    """The reply of the extractor; `claims_reply` cuts it to a token limit."""

    statements: list[ListedStatement]


class _Proposal(NamedTuple):
    start: int
    end: int
    text: str


@cache
def claims_reply(max_tokens: int) -> type[ClaimsReply]:
    """Return the schema of a reply that fits into `max_tokens`."""
    most = max(1, min(MOST_CLAIMS, max_tokens // 60))
    chars = max(_FEWEST_CHARS, int((max_tokens / most - _TOKENS_OF_KEYS) * _CHARS_PER_TOKEN / 2))
    text: Any = Annotated[str, Field(max_length=chars * _SLACK, json_schema_extra={"maxLength": chars})]
    statement = create_model("ListedStatement", __base__=ListedStatement, quote=(text, ...), text=(text, ...))
    statements: Any = Annotated[list[statement], Field(max_length=most * _SLACK, json_schema_extra={"maxItems": most})]
    return create_model("ClaimsReply", __base__=ClaimsReply, statements=(statements, ...))


async def claims_of(case: Case, ask: Ask | None) -> ClaimSet:
    """Return the claims of a case's step.

    The model may part a statement further and make it readable alone. It cannot hide one: whatever the rule takes for
    a statement is in the result, with its negation, condition and figures.

    Args:
        case: The case; its step, vignette and other steps are read.
        ask: The way to a model, one call, which is saved where the rule finds no statement; None: the rule alone.

    Returns:
        The claims; `made_by` and `failure` say whether the model's reply was usable.
    """
    cut = cut_step(case.step, case.stem, case.context)
    earlier = (case.stem, *(c.text for c in case.context))
    by_rule = claim_set(case.step, cut.claims, cut.silent, earlier)
    if ask is None or not cut.claims:
        return by_rule
    try:
        reply = await ask(_messages(case), claims_reply(ask.max_tokens))
    except CallFailed as failure:
        return by_rule.model_copy(update={"failure": str(failure)})
    proposals = _located(case.step, reply.statements)
    refined = [_refined(case, statement, proposals) for statement in cut.claims]
    if cut.claims and not any(refined):
        return by_rule.model_copy(update={"failure": _NONE_USABLE})
    claims = [c for statement, better in zip(cut.claims, refined, strict=True) for c in better or [statement]]
    return claim_set(case.step, claims, cut.silent, earlier).model_copy(update={"made_by": "model"})


def _messages(case: Case) -> tuple[Message, ...]:
    # Neither passages nor the answer say what a step states.
    bare = case.model_copy(update={"passages": (), "gold": None, "options": {}})
    return case_messages(bare, _INSTRUCTION, rules="claims", evidence=("vignette", "steps"))


def _located(step: str, statements: Sequence[ListedStatement]) -> list[_Proposal]:
    """Return the statements whose quote stands in the step, with its place; white space may differ."""
    proposals: list[_Proposal] = []
    at = 0
    for statement in statements:
        words = statement.quote.split()
        if not words:
            continue
        pattern = re.compile(r"\s+".join(map(re.escape, words)))
        match = pattern.search(step, at) or pattern.search(step)
        if match:
            proposal = _Proposal(*match.span(), " ".join(statement.text.split()))
            proposals += [proposal] if proposal not in proposals else []
            at = match.end()
    return proposals


def _refined(case: Case, statement: Claim, proposals: Sequence[_Proposal]) -> list[Claim]:
    """Return what the model makes of one statement of the rule; nothing where that loses something."""
    span = Span(statement.start, statement.end)
    inside = [p for p in proposals if _belongs(case.step, p, span)]
    if not inside or not _keeps_all(case.step, span, inside):
        return []
    return [_claim(case, statement, p, alone=len(inside) == 1) for p in inside]


def _belongs(step: str, proposal: _Proposal, span: Span) -> bool:
    """Tell whether all words of content of a proposal are the statement's; its quote may begin at a `therefore`."""
    words = [proposal.start + w.start for w in content_words(step[proposal.start : proposal.end])]
    return bool(words) and all(span.start <= at < span.end for at in words)


def _keeps_all(step: str, span: Span, inside: Sequence[_Proposal]) -> bool:
    covered = {at for p in inside for at in range(p.start, p.end)}
    words = content_words(step[span.start : span.end])
    missing = [w for w in words if span.start + w.start not in covered]
    left_over = "".join(step[at] if at not in covered else " " for at in range(*span))
    if len(missing) > _LEFT_OVER * len(words) or any(qualifiers(left_over)):
        return False
    whole = qualifiers(step[span.start : span.end])
    parts = [qualifiers(step[p.start : p.end]) for p in inside]
    if whole.numbers - sum((part.numbers for part in parts), Counter()):
        return False  # a cut between a number and its unit
    # What a negation, a `may` or an `if` qualifies cannot be told without a parser, so each part must have them all.
    return all(
        (part.negations, part.modality, part.conditions) == (whole.negations, whole.modality, whole.conditions)
        for part in parts
    )


def _claim(case: Case, statement: Claim, proposal: _Proposal, *, alone: bool) -> Claim:
    # A proposal that is the whole statement takes the rule's characters, which leave no full stop out.
    start, end = (statement.start, statement.end) if alone else (proposal.start, proposal.end)
    characters = case.step[start:end]
    read_before = (case.stem, *(c.text for c in case.context), case.step[:start])
    text = proposal.text
    if text == " ".join(characters.split()) or change_of_meaning(characters, text, read_before):
        text = statement.text if alone else characters
    return Claim(
        handle="",
        text=text,
        start=start,
        end=end,
        restates=restated_by(text, case.stem, case.context),
        rewritten=text != characters,
    )
