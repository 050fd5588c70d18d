"""What judges see and say: cases, drafts, opinions, resolutions, verdicts, deliberations."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import Field

from tracejury.models import CallRecord, FailureReason
from tracejury.retrieval import Hit, Passage, Withheld
from tracejury.traces import ErrorType, Record, Step


class Label(StrEnum):
    """What a judge may say of a step."""

    SUPPORTED = "supported"
    ERROR = "error"
    UNCLEAR = "unclear"
    """The judge cannot tell: the evidence is silent, or there is nothing to check from its perspective."""
    NO_CLAIM = "no_claim"
    """The step states nothing that could be right or wrong."""


class Seat(StrEnum):
    """What a judge's opinion weighs on its panel."""

    VOTE = "vote"
    """One of the configured panel, of which a strict majority decides."""
    CHALLENGE = "challenge"
    """Counts in no majority; its grounded error goes to the resolver all the same."""
    LISTED = "listed"
    """Heard and recorded only: its measured skill includes chance."""


class Quote(Record):
    """Words that a judge cites: `evidence_id` is a passage id, `vignette` or `step:N` (N from 0)."""

    evidence_id: str
    quote: str


class Derivation(Record):
    """What anybody can find out again: `expression` comes to `computed`, the step claims `claimed`.

    `sex`, `side`, `denied`, `count` and `points` are no arithmetic but rules applied to two texts: the step's sentence,
    the first input, and the vignette's words, the others.
    """

    kind: Literal[
        "arithmetic",
        "unit",
        "dose",
        "comparison",
        "duration",
        "score",
        "sex",
        "side",
        "denied",
        "count",
        "points",
    ]
    expression: str
    """Evaluable by `tracejury.agents.recompute`; its inputs stand verbatim in `inputs`."""
    claimed: str
    computed: str
    relation: Literal["equal", "less", "less_equal", "greater", "greater_equal"] = "equal"
    """What the step says that `claimed` is to `expression`."""
    holds: bool
    inputs: tuple[Quote, ...] = ()


class ContextStep(Record):
    """Another step of the trace, as a judge sees it."""

    index: int
    text: str


class Case(Record):
    """All that a judge may see of one step. No model, no arm; no gold answer unless a control arm says so."""

    step_id: str
    trace_id: str
    """Opaque hashes: names for records and fences, never rendered."""
    stem: str
    options: dict[str, str] = Field(default_factory=dict)
    gold: str | None = None
    context: tuple[ContextStep, ...] = ()
    step_index: int
    step: str
    passages: tuple[Passage, ...] = ()
    omitted: tuple[str, ...] = ()
    """What the token budget left out: `step:0`, passage ids."""


class Draft(Record):
    """A judge's answer before its quotes are checked. A judge can only draft; grounding is not its to claim."""

    label: Label
    error_type: ErrorType | None = None
    findings: tuple[str, ...] = ()
    quotes: tuple[Quote, ...] = ()
    derivations: tuple[Derivation, ...] = ()
    rationale: str = ""
    confidence: float | None = None
    """From 0 to 1."""
    calls: tuple[CallRecord, ...] = ()


class Citation(Record):
    """A quote after the check."""

    evidence_id: str
    source: str = ""
    citation: str = ""
    quote: str
    verified: bool
    """The words stand in the evidence."""
    start: int | None = None
    end: int | None = None
    """Where, in the evidence's own text."""
    relevance: float | None = None
    """How much the quote bears on the step, by the panel's relevance scorer."""
    grounds: bool
    """Verified, relevant above the floor, and citable for this label."""
    why_not: str | None = None


class Opinion(Record):
    """One judge's answer on a case, or the reason why there is none."""

    judge: str
    kind: str
    """The registered judge that it is an instance of."""
    model: str | None = None
    """None: a judge without a model."""
    seat: Seat = Seat.VOTE
    label: Label | None = None
    error_type: ErrorType | None = None
    findings: tuple[str, ...] = ()
    citations: tuple[Citation, ...] = ()
    derivations: tuple[Derivation, ...] = ()
    """Only those that recompute."""
    rationale: str = ""
    confidence: float | None = None
    failed: FailureReason | None = None
    failure: str = ""
    calls: tuple[CallRecord, ...] = ()

    @property
    def grounded(self) -> bool:
        """Whether the opinion rests on verified evidence or on a derivation that recomputes."""
        return any(c.grounds for c in self.citations) or bool(self.derivations)


class Outcome(StrEnum):
    """The four outcomes of a step."""

    SUPPORTED = "supported"
    ERROR = "error"
    ABSTAINED = "abstained"
    FAILED = "failed"


class Route(StrEnum):
    """How the outcome came about."""

    MAJORITY = "majority"
    RESOLVER = "resolver"
    EARLY_STOP = "early_stop"
    """A majority, reached with judges left unasked: nothing they said could change it, or a cascade was sure."""
    NONE = "none"
    """Nothing decided: all failed, the case did not fit, or the panel has no resolver for its dispute."""


class Reason(StrEnum):
    """Why this outcome."""

    GROUNDED_MAJORITY = "grounded_majority"
    PLAIN_MAJORITY = "plain_majority"
    """On panels that require no grounding (`paper`) alone."""
    RESOLVED = "resolved"
    NO_CLAIM = "no_claim"
    NO_MAJORITY = "no_majority"
    NOT_GROUNDED = "not_grounded"
    CHALLENGED = "challenged"
    """A grounded error stood against the majority and the resolver could not settle it."""
    EVIDENCE_SILENT = "evidence_silent"
    BELOW_THRESHOLD = "below_threshold"
    ALL_FAILED = "all_failed"
    MISSING_OPINIONS = "missing_opinions"
    """Opinions that could have made a majority failed."""
    RESOLVER_FAILED = "resolver_failed"
    CONTEXT = "context"


class Resolution(Record):
    """What the resolver did with a dispute."""

    label: Label | None = None
    """None: it failed."""
    error_type: ErrorType | None = None
    citations: tuple[Citation, ...] = ()
    """New evidence only: quotes that no opinion had brought."""
    derivations: tuple[Derivation, ...] = ()
    rationale: str = ""
    confidence: float | None = None
    asked: tuple[str, ...] = ()
    """The queries that it sent to retrieval, in order."""
    found: tuple[Hit, ...] = ()
    rounds: int = 0
    order: tuple[str, ...] = ()
    """The seeded order in which it saw the opinions, by judge; it saw them without names."""
    failed: FailureReason | None = None
    failure: str = ""
    calls: tuple[CallRecord, ...] = ()

    @property
    def grounded(self) -> bool:
        """Whether it brought new verified evidence or a recomputed derivation."""
        return any(c.grounds for c in self.citations) or bool(self.derivations)


class Verdict(Record):
    """The jury's outcome for a step."""

    outcome: Outcome
    route: Route
    reason: Reason
    claim: bool = True
    error_type: ErrorType | None = None
    confidence: float | None = None
    """Calibrated probability of the outcome; None: uncalibrated."""
    citations: tuple[Citation, ...] = ()
    """The verified evidence of the winning side."""


class Retrieved(Record):
    """How a passage of the case was found."""

    passage_id: str
    query: str
    score: float
    ranks: dict[str, int] = Field(default_factory=dict)


class Deliberation(Record):
    """Everything that led to one verdict; the unit of commit."""

    step: Step
    case: Case | None
    """None: the case did not fit into the budget, whatever was left out."""
    found: tuple[Retrieved, ...] = ()
    withheld: tuple[Withheld, ...] = ()
    opinions: tuple[Opinion, ...] = ()
    unheard: tuple[str, ...] = ()
    """Judges that early stop did not ask."""
    resolution: Resolution | None = None
    verdict: Verdict
    path: tuple[str, ...]
    """The graph's nodes in the order taken."""

    @property
    def calls(self) -> tuple[CallRecord, ...]:
        """Every model call of the judges, in their order, then the resolver's."""
        resolver = self.resolution.calls if self.resolution else ()
        return (*(call for opinion in self.opinions for call in opinion.calls), *resolver)
