"""What a model must reply, as schemas whose findings come before the label.

The order is the point: a model that has named its label first spends its remaining tokens defending it.
"""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field, create_model

from tracejury.agents.records import Label
from tracejury.traces import ErrorType

WrongAs = Literal[
    "none",
    "factual",
    "unsupported_inference",
    "contradicts_vignette",
    "contradicts_step",
    "arithmetic",
    "unsafe_management",
]
_HANDLE = "^(vignette|P[1-9][0-9]?|step:[0-9]{1,2})$"
_CLAIM = "^C[1-9][0-9]?$"


def _percent(value: Any) -> Any:
    """Read a share of one as percent: 1.0 is as sure as 0.95 is, and 1 stays one percent."""
    return round(100 * value) if isinstance(value, float) and 0 < value <= 1 else value


Percent = Annotated[int, Field(ge=0, le=100), BeforeValidator(_percent)]
# A reply of 160 tokens: about 80 go to keys, handles, label and type. What is left holds strings at their bounds even
# where they are all laboratory values, which take a token for every digit (benchmarks/results/prompt_tokens.json).
_FIXED_TOKENS = 80
_CHARS_PER_TOKEN = 1.8
# What validation lets through beyond what the schema asks for: servers that do not enforce lengths send a sentence
# more now and then, and a good opinion is not lost for it. It still bounds memory.
_SLACK = 8


class Finding(BaseModel):
    """What a model says of one claim: words of the evidence, and what they do to it; both by their handles."""

    claim: str
    evidence: str
    quote: str
    relation: Literal["supports", "contradicts"]


class JudgeReply(BaseModel):
    """A judge's reply; `judge_reply` cuts it to a token limit."""

    findings: list[Finding]
    rationale: str
    label: Label
    error_type: WrongAs
    confidence: Percent


class ResolverReply(BaseModel):
    """The resolver's reply; `resolver_reply` cuts it to a token limit."""

    queries: list[str]
    findings: list[Finding]
    rationale: str
    label: Label
    error_type: WrongAs
    confidence: Percent


class PaperReply(BaseModel):
    """The paper's order: the label first."""

    label: Literal["correct", "incorrect", "uncertain"]
    explanation: Annotated[str, Field(max_length=2000, json_schema_extra={"maxLength": 300})]


@cache
def judge_reply(max_tokens: int) -> type[JudgeReply]:
    """Return the schema of a judge's reply that fits into `max_tokens`.

    Under 300 tokens there is room for one finding: the one on the claim that decides.
    """
    findings = most_findings(max_tokens)
    chars = _chars(max_tokens, findings + 1)
    return create_model(
        "JudgeReply",
        __base__=JudgeReply,
        findings=(_list_of(_finding(chars), findings), ...),
        rationale=(_text(chars), ...),
    )


@cache
def resolver_reply(max_tokens: int, may_search: bool) -> type[ResolverReply]:
    """Return the schema of the resolver's reply; once it may search no more, `queries` is to be empty."""
    queries, findings = (1, 1) if max_tokens < 300 else (2, 3)
    chars = _chars(max_tokens, queries + findings + 1)
    return create_model(
        "ResolverReply",
        __base__=ResolverReply,
        queries=(_list_of(_text(min(chars, 120)), queries if may_search else 0), ...),
        findings=(_list_of(_finding(chars), findings), ...),
        rationale=(_text(chars), ...),
    )


def most_findings(max_tokens: int) -> int:
    """Return how many findings a reply of `max_tokens` may have."""
    return 1 if max_tokens < 300 else 3


def wrong_as(reply: JudgeReply | ResolverReply) -> ErrorType | None:
    """Return the error type that a reply names, where its label is `error`."""
    return ErrorType(reply.error_type) if reply.label is Label.ERROR and reply.error_type != "none" else None


def _chars(max_tokens: int, strings: int) -> int:
    return max(40, min(600, int((max_tokens - _FIXED_TOKENS) * _CHARS_PER_TOKEN / strings)))


def _text(chars: int) -> Any:
    # The schema asks for `chars`; validation takes more, see _SLACK.
    return Annotated[str, Field(max_length=chars * _SLACK, json_schema_extra={"maxLength": chars})]


def _list_of(item: Any, most: int) -> Any:
    return Annotated[list[item], Field(max_length=max(most, 1) * _SLACK, json_schema_extra={"maxItems": most})]


@cache
def _finding(chars: int) -> type[Finding]:
    evidence = Annotated[str, Field(max_length=64, json_schema_extra={"pattern": _HANDLE, "maxLength": 12})]
    claim = Annotated[str, Field(max_length=64, json_schema_extra={"pattern": _CLAIM, "maxLength": 4})]
    return create_model(
        "Finding", __base__=Finding, claim=(claim, ...), evidence=(evidence, ...), quote=(_text(chars), ...)
    )
