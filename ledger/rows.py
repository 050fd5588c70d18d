"""The exported row of a step: the contract that reports, notebooks and other tools build on (docs/formats.md)."""

from __future__ import annotations

from pydantic import Field

from tracejury.agents import EvidenceGap, Grade, Outcome, Reason, Relation, Route, Seat
from tracejury.traces import ErrorType, Record, Role, StepLabel


class ClaimRow(Record):
    """A claim of the step as exported; `start` and `end` are its characters in the step."""

    handle: str
    text: str
    start: int
    end: int
    restates: str | None
    """`vignette` or `step:N` where the claim only restates that; it makes no verdict then."""
    supported: bool
    """Counting evidence stands for it."""
    contradicted: bool


class CitationRow(Record):
    """A citation as exported."""

    claim: str | None = None
    """The handle of the claim that it was checked against."""
    relation: Relation | None = None
    """What the judge asserts that the quote does to the claim."""
    evidence_id: str
    source: str
    citation: str
    quote: str
    sentence: str = ""
    """The whole sentence or table row around the quote: what the checker reads."""
    verified: bool
    """The words stand in the evidence."""
    checked: bool = False
    """The checker finds the asserted relation, above its threshold: the citation counts."""
    p: float | None = None
    """The checker's probability of the asserted relation."""
    relevance: float | None = None


class OpinionRow(Record):
    """An opinion as exported."""

    judge: str
    seat: Seat = Seat.VOTE
    model: str | None
    stands_in_for: str | None = None
    """The judge's own model, where its stand-in answered."""
    label: str | None
    confidence: float | None
    grounded: bool
    error_type: ErrorType | None
    rationale: str
    citations: tuple[CitationRow, ...]
    failed: str | None
    failure: str | None = None
    """The details of the failure; None: there is none, or they were not exported at the time."""


class ResolverRow(Record):
    """What the resolver did, as exported."""

    label: str | None
    grounded: bool
    queries: tuple[str, ...]
    rationale: str
    citations: tuple[CitationRow, ...]
    failed: str | None


class StepRow(Record):
    """One row a step. A trace without steps has one row with `step_index` -1 and outcome None."""

    run: str
    question_id: str
    trace_id: str
    model: str
    arm: str
    sample: int
    split: str | None
    segmenter: str
    panel: str
    step_id: str
    step_index: int
    step_text: str
    start: int
    end: int
    role: Role
    hedges: int
    hint_used: bool | None
    claim: bool
    outcome: Outcome | None
    error_type: ErrorType | None
    confidence: float | None
    route: Route | None
    reason: Reason | None
    majority_outcome: Outcome | None = None
    """What the jury's majority says, whatever the evidence; None: not kept at the time."""
    evidence: Grade | None = None
    """How far counting evidence carries the verdict; None: no verdict, or not checked."""
    evidence_gap: EvidenceGap | None = None
    """Of an abstention: whether evidence was not retrieved, silent or conflicting."""
    claims: tuple[ClaimRow, ...] = ()
    judged_share: float | None = None
    """Share of the trace's text that is in its steps; None: not kept at the time, or the trace has no text."""
    claim_coverage: float | None = None
    """Share of the step's words of content that are in some claim."""
    citations: tuple[CitationRow, ...] = ()
    opinions: tuple[OpinionRow, ...] = ()
    resolver: ResolverRow | None = None
    answer: str | None
    gold: str | None
    answer_correct: bool | None
    """None where there is no gold; an unparsable answer is False with `answer` None."""
    calls: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float = 0.0
    label: StepLabel | None = None
    label_type: ErrorType | None = None
    meta: dict[str, object] = Field(default_factory=dict)
    """Question source and key, number of options, lengths: what analyses stratify by."""
