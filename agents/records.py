"""What judges see and say: cases, drafts, opinions, resolutions, verdicts, deliberations."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal

from pydantic import Field, model_validator

from tracejury.agents.evidence_records import ClaimSet, EvidenceGap, Grade, Relation
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
    """Its opinions are recorded and have no vote: its measured skill includes chance."""


class Quote(Record):
    """Words that a judge cites: `evidence_id` is a passage id, `vignette` or `step:N` (N from 0)."""

    evidence_id: str
    quote: str
    claim: str | None = None
    """The handle of the claim that the words bear on; None: the claim that they bear on most."""
    relation: Relation | None = None
    """What the judge asserts that they do to the claim; None: what its label says."""


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
    claim: str | None = None
    """The handle of the claim that states `claimed`; set by the check."""


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
    claims: ClaimSet = ClaimSet()
    """The step's checkable statements, by handle."""
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
    confidence: float | None = Field(default=None, ge=0, le=1)
    """From 0 to 1."""
    calls: tuple[CallRecord, ...] = ()


class Citation(Record):
    """A quote after the check."""

    evidence_id: str
    source: str = ""
    citation: str = ""
    quote: str
    sentence: str = ""
    """The whole sentence or table row that the quote stands in: what the checker reads."""
    verified: bool
    """The words stand in the evidence."""
    start: int | None = None
    end: int | None = None
    """Where, in the evidence's own text."""
    claim: str | None = None
    """The handle of the claim that it was checked against."""
    relation: Relation | None = None
    """What the judge asserts."""
    relevance: float | None = None
    """How near the sentence is to the step, by the panel's relevance scorer: a cheap first filter."""
    p: float | None = None
    """The checker's probability of the relation, for the judge's sentences on the claim, read together."""
    counts: bool = False
    """The checker finds the asserted relation, above its measured threshold."""
    superseded: bool = False
    """A newer reference replaces the passage."""
    why_not: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _without_the_old_check(cls, data: Any) -> Any:
        # Ledgers from before the checker say `grounds`: likeness of topic, which grounds nothing any more.
        return {k: v for k, v in data.items() if k != "grounds"} if isinstance(data, dict) else data


class Search(Record):
    """What a judge looked up before it answered."""

    query: str
    hits: tuple[Hit, ...] = ()
    withheld: tuple[Withheld, ...] = ()


class Opinion(Record):
    """One judge's answer on a case, or the reason why there is none."""

    judge: str
    kind: str
    """The registered judge that it is an instance of."""
    model: str | None = None
    """None: a judge without a model."""
    stands_in_for: str | None = None
    """The judge's own model, where another one answered in its place."""
    seat: Seat = Seat.VOTE
    label: Label | None = None
    error_type: ErrorType | None = None
    findings: tuple[str, ...] = ()
    citations: tuple[Citation, ...] = ()
    derivations: tuple[Derivation, ...] = ()
    """Only those that recompute."""
    rationale: str = ""
    confidence: float | None = None
    searches: tuple[Search, ...] = ()
    """What it looked up, in order; its citations may name the passages found."""
    failed: FailureReason | None = None
    failure: str = ""
    calls: tuple[CallRecord, ...] = ()

    @property
    def grounded(self) -> bool:
        """Whether a counting citation or a derivation that recomputes shows what the label says."""
        return bool(self.derivations) or _shows_label(self.label, self.citations)


def _renamed(data: Any, names: dict[str, str]) -> Any:
    """Read what an earlier version wrote: fields under the names that they had then."""
    return {names.get(key, key): value for key, value in data.items()} if isinstance(data, dict) else data


def _shows_label(label: Label | None, citations: tuple[Citation, ...]) -> bool:
    relation = {Label.SUPPORTED: Relation.SUPPORTS, Label.ERROR: Relation.CONTRADICTS}.get(label or Label.UNCLEAR)
    return any(c.counts and c.relation is relation for c in citations)


class Policy(StrEnum):
    """What makes a verdict (docs/policy.md)."""

    GROUNDED = "grounded"
    """A strict majority whose claims are fully grounded; a checked contradiction is never outvoted."""
    CONSENSUS = "consensus"
    """A strict majority; how far it is grounded is recorded beside it."""


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
    """Under the policy `consensus`."""
    RESOLVED = "resolved"
    NO_CLAIM = "no_claim"
    NO_MAJORITY = "no_majority"
    NOT_GROUNDED = "not_grounded"
    CHALLENGED = "challenged"
    """A checked contradiction stood against the majority and the resolver could not settle it."""
    EVIDENCE_SILENT = "evidence_silent"
    BELOW_THRESHOLD = "below_threshold"
    ALL_FAILED = "all_failed"
    MISSING_OPINIONS = "missing_opinions"
    """Opinions that could have made a majority failed."""
    RESOLVER_FAILED = "resolver_failed"
    CONTEXT = "context"
    CHECKER_FAILED = "checker_failed"
    """The checker's model gave no usable answer, so nobody knows what the citations are worth."""
    PARTLY_GROUNDED = "partly_grounded"
    """Some of the step's claims are grounded, others are not."""
    CONFLICTING_EVIDENCE = "conflicting_evidence"
    """Counting evidence stands for and against the same claim."""


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
    queries: tuple[str, ...] = ()
    """What it searched for, in order."""
    hits: tuple[Hit, ...] = ()
    rounds: int = 0
    order: tuple[str, ...] = ()
    """The seeded order in which it saw the opinions, by judge; it saw them without names."""
    failed: FailureReason | None = None
    failure: str = ""
    calls: tuple[CallRecord, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _read_earlier_names(cls, data: Any) -> Any:
        return _renamed(data, {"asked": "queries", "found": "hits"})

    @property
    def grounded(self) -> bool:
        """Whether new counting evidence or a recomputed derivation shows what the label says."""
        return bool(self.derivations) or _shows_label(self.label, self.citations)


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
    """The counting evidence of the winning side."""
    grade: Grade | None = None
    """How far the evidence carries the verdict; None: not checked, or no verdict."""
    majority_outcome: Outcome | None = None
    """What the jury's strict majority says, whatever the evidence; None in ledgers from before it was kept."""
    evidence_gap: EvidenceGap | None = None
    """Of an abstention: whether evidence was not retrieved, silent or in conflict."""


class Retrieved(Record):
    """How a passage of the case was found."""

    passage_id: str
    query: str
    score: float
    ranks: dict[str, int] = Field(default_factory=dict)
    claims: tuple[str, ...] = ()
    """Handles of the claims that it was found for."""
    is_later: bool = False
    """Whether the passage is dated after the question."""


class Deliberation(Record):
    """Everything that led to one verdict; the unit of commit."""

    step: Step
    case: Case | None
    """None: the case did not fit into the budget, whatever was left out."""
    retrieved: tuple[Retrieved, ...] = ()
    withheld: tuple[Withheld, ...] = ()
    opinions: tuple[Opinion, ...] = ()
    unasked: tuple[str, ...] = ()
    """Judges that early stop did not ask."""
    resolution: Resolution | None = None
    verdict: Verdict
    path: tuple[str, ...]
    """The graph's nodes in the order taken."""
    evidence_calls: tuple[CallRecord, ...] = ()
    """Model calls for the step's claims and for the checker."""

    @model_validator(mode="before")
    @classmethod
    def _read_earlier_names(cls, data: Any) -> Any:
        return _renamed(data, {"found": "retrieved", "unheard": "unasked"})

    @property
    def further_passages(self) -> tuple[Passage, ...]:
        """Passages that searches of judges and of the resolver found beyond those of the case, each once."""
        in_case = {passage.id for passage in self.case.passages} if self.case else set()
        searched = [hit for opinion in self.opinions for search in opinion.searches for hit in search.hits]
        hits = (*searched, *(self.resolution.hits if self.resolution else ()))
        return tuple({h.passage.id: h.passage for h in hits if h.passage.id not in in_case}.values())

    @property
    def calls(self) -> tuple[CallRecord, ...]:
        """Every model call: of the judges in their order, for claims and checks, then the resolver's."""
        resolver = self.resolution.calls if self.resolution else ()
        judges = (call for opinion in self.opinions for call in opinion.calls)
        return (*judges, *self.evidence_calls, *resolver)
