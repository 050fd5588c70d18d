"""A panel: its judges, their models, references and budgets. Read from YAML."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, JsonValue, field_validator, model_validator

from tracejury.agents.checkers.spec import CheckerSpec, ClaimsSpec
from tracejury.agents.records import Policy, Seat
from tracejury.models import Endpoint, secret_settings
from tracejury.traces import Record


class JudgeSpec(Record):
    """One judge of a panel, re-created from (kind, params)."""

    name: str
    """Unique on the panel; what opinions are recorded under."""
    judge: str
    """A registered kind: see `tracejury panels judges`."""
    endpoint: str | None = None
    """A key of the panel's `endpoints`; None for a judge without a model."""
    seat: Seat = Seat.VOTE
    temperature: float = Field(default=0.0, ge=0)
    sample: int = 0
    """Tells apart judges that ask the same model the same thing, at a temperature above 0."""
    only_if: Literal["always", "disputed"] = "always"
    """`disputed`: the second stage of a cascade, asked only where the first reached no verdict or is unsure."""
    stand_in: str | None = None
    """The endpoint that answers in its place where its own cannot be had; the opinion says so."""
    sources: tuple[str, ...] = ()
    """Sources of its own: it is offered passages of these alone, and the other judges see none of them; none: the
    panel's."""
    search: int = Field(default=0, ge=0, le=8)
    """How often it may search the references before it answers; 0: it sees what all judges see."""
    params: dict[str, JsonValue] = Field(default_factory=dict)

    @field_validator("params")
    @classmethod
    def _no_secret(cls, params: dict[str, JsonValue]) -> dict[str, JsonValue]:
        # A panel is written into the ledger.
        if secret := next(secret_settings(params), None):
            raise ValueError(f"{secret} holds a key: let the judge read it from an environment variable")
        return params


class ResolverSpec(Record):
    """The resolver. Without an endpoint it only recomputes derivations, and abstains otherwise."""

    endpoint: str | None = None
    rounds: int = Field(default=2, ge=0, le=8)
    """How often it may ask retrieval for more."""
    k: int = 4
    """Passages a query."""
    max_tokens: int = 512


class RetrievalSpec(Record):
    """Which references, and how they are found."""

    sources: tuple[str, ...] = ()
    k: int = 5
    """Passages a case."""
    embedder: str = "minilm"
    fusion: bool = True
    """Dense and BM25 fused; false: dense alone."""
    queries: Literal["claims", "step"] = "claims"
    """One query a claim of the step, whose passages share the `k` places; or one query for the whole step."""
    search_k: int = Field(default=3, ge=1)
    """Passages a search of a judge."""
    params: dict[str, JsonValue] = Field(default_factory=dict)


class RelevanceSpec(Record):
    """A cheap first filter: sentences less near to the step than the floor are not worth the checker's time."""

    scorer: str = "cosine"
    floor: float = 0.32


class Panel(Record):
    """A whole panel, as its YAML file says it."""

    name: str
    description: str = ""
    endpoints: dict[str, Endpoint] = Field(default_factory=dict)
    judges: tuple[JudgeSpec, ...] = Field(min_length=1)
    resolver: ResolverSpec | None = ResolverSpec()
    retrieval: RetrievalSpec = RetrievalSpec()
    relevance: RelevanceSpec = RelevanceSpec()
    checker: CheckerSpec | None = CheckerSpec()
    """What decides whether a citation counts; None: nothing is checked, and quotes ground nothing."""
    claims: ClaimsSpec = ClaimsSpec()
    policy: Policy = Policy.GROUNDED
    """What makes a verdict: docs/policy.md."""
    case_tokens: int = 6000
    """Budget of a case: earlier steps, passages, vignette, step."""
    reply_tokens: int = 512
    show_gold: bool = False
    """A control arm of its own; judges are answer-blind otherwise."""
    show_earlier: bool = True
    seeded_options: bool = False
    """List a question's options in a seeded order, each with its own letter: a control of what their order does."""
    early_stop: bool = False
    ask_in_order: bool = False
    """Ask the judges in the order in which they stand, not in a seeded one: with early stop it says who is spared."""
    full_share: float = Field(default=0.1, ge=0, le=1)
    """With early stop: the seeded share of steps on which every judge is asked all the same."""
    unsure_below: float = Field(default=0.0, ge=0, le=1)
    """With a cascade: a verdict whose judges are on average less confident than this goes to the second stage."""
    combine: Literal["majority", "weighted"] = "majority"
    """`weighted`: judges that err together share one vote, by the file `weights`."""
    weights: str | None = None
    """A file that `tracejury panels weigh` wrote."""
    segmenter: str = "auto"
    """`auto`: `given` where a trace brings steps, else `reasoning`."""
    allow_same_family: bool = False
    """Judges may be of the family of the model whose traces they judge; refused otherwise."""
    calibrator: str | None = None
    """A file that `tracejury quality calibrate` wrote."""
    deidentify: bool = False
    """Put placeholders for identifiers (dates, names) before anything is asked or written: docs/security.md."""
    seed: int = 0

    @property
    def sources(self) -> tuple[str, ...]:
        """All sources that the panel searches: those of the cases, then those of single judges."""
        own = (source for judge in self.judges for source in judge.sources)
        return tuple(dict.fromkeys((*self.retrieval.sources, *own)))

    @model_validator(mode="before")
    @classmethod
    def _read_require_grounding(cls, data: Any) -> Any:
        # Panels, and the ledgers that keep them, from before `policy`.
        if not isinstance(data, dict) or "require_grounding" not in data:
            return data
        data = dict(data)
        if data.pop("require_grounding") is False:
            data.setdefault("policy", "consensus")
        return data

    @model_validator(mode="after")
    def _check(self) -> Panel:
        names = [j.name for j in self.judges]
        if len(set(names)) < len(names):
            raise ValueError(f"two judges have the same name: {sorted(n for n in names if names.count(n) > 1)}")
        endpoint_of = {j.name: j.endpoint for j in self.judges if j.endpoint} | (
            {"resolver": self.resolver.endpoint} if self.resolver and self.resolver.endpoint else {}
        )
        endpoint_of |= {f"{j.name}, stand_in": j.stand_in for j in self.judges if j.stand_in}
        endpoint_of |= {"checker": self.checker.endpoint} if self.checker and self.checker.endpoint else {}
        endpoint_of |= {"claims": self.claims.endpoint} if self.claims.endpoint else {}
        for who, endpoint in endpoint_of.items():
            if endpoint not in self.endpoints:
                raise ValueError(f"{who}: no endpoint {endpoint!r}; the panel has {sorted(self.endpoints)}")
        for judge in self.judges:
            if judge.search and not (judge.endpoint and (judge.sources or self.retrieval.sources)):
                raise ValueError(
                    f"judge {judge.name!r} has `search`: it needs an endpoint, and the panel needs sources"
                )
        if all(j.only_if == "disputed" for j in self.judges):
            raise ValueError("every judge is asked only if disputed; let at least one be asked always")
        if (self.combine == "weighted") != (self.weights is not None):
            raise ValueError("`combine: weighted` and `weights: FILE` go together; `tracejury panels weigh` writes it")
        if self.combine == "weighted" and (self.early_stop or any(j.only_if == "disputed" for j in self.judges)):
            raise ValueError("`combine: weighted` asks every judge; leave early_stop and `only_if: disputed` out")
        if not any(j.seat is Seat.VOTE for j in self.judges):
            raise ValueError("no judge has a vote; give at least one the seat 'vote'")
        return self
