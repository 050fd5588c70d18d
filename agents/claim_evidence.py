"""What counting evidence says of each claim of a step, and the grade that follows. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from tracejury.agents.evidence_records import Claim, ClaimSet, Grade, Relation
from tracejury.agents.records import Citation, Derivation, Label, Opinion, Resolution, Seat

FULL_COVERAGE = 0.9
"""Below this share of the step's words in claims, nobody checked the step as a whole: the grade is at most `part`."""


MOST_BESIDE = 2
"""Words of its own, in no claim, that a step of restatements may have: `Step 2`, `in summary`."""


class ClaimEvidence(NamedTuple):
    """One claim, and whether counting evidence stands for it and against it."""

    claim: Claim
    supported: bool
    contradicted: bool

    @property
    def conflicting(self) -> bool:
        """Whether counting evidence stands both ways."""
        return self.supported and self.contradicted


def pool_evidence(
    claims: ClaimSet, opinions: Iterable[Opinion], resolution: Resolution | None = None
) -> tuple[ClaimEvidence, ...]:
    """Return the evidence of the claims that make the verdict: no restatement, unless the step is nothing else.

    A step of restatements beside a question, a plan or a heading with words of its own is something else: what it says
    there was checked by nobody.
    """
    evidence = evidence_of_claims(claims, opinions, resolution)
    own = tuple(e for e in evidence if e.claim.restates is None)
    return own or (evidence if len(claims.beside) <= MOST_BESIDE else ())


def evidence_of_claims(
    claims: ClaimSet, opinions: Iterable[Opinion], resolution: Resolution | None = None
) -> tuple[ClaimEvidence, ...]:
    """Pool the counting evidence of voting and challenging judges, and of the resolver, by claim.

    Judges that are listed never count. A superseded passage counts only where nothing newer speaks to the claim.
    """
    speakers: list[Opinion | Resolution] = [o for o in opinions if o.seat is not Seat.LISTED and o.label is not None]
    speakers += [resolution] if resolution is not None else []
    citations = [c for s in speakers for c in s.citations if c.counts]
    derivations = [d for s in speakers for d in s.derivations]
    return tuple(_evidence(claim, citations, derivations) for claim in claims.claims)


def grade_of(label: Label | None, evidence: Sequence[ClaimEvidence], coverage: float) -> Grade | None:
    """Return how far evidence carries a verdict with this label; None for labels that are no verdict.

    `supported` is full when every claim has counting support and none is contradicted, part when some have; `error` is
    full with a counting contradiction or a derivation.
    """
    if label is Label.ERROR:
        return Grade.FULL if any(e.contradicted for e in evidence) else Grade.NONE
    if label is not Label.SUPPORTED:
        return None
    sound = [e for e in evidence if e.supported and not e.contradicted]
    if not sound:
        return Grade.NONE
    return Grade.FULL if len(sound) == len(evidence) and coverage >= FULL_COVERAGE else Grade.PART


def contradicted_claims(evidence: Iterable[ClaimEvidence]) -> tuple[str, ...]:
    """Return the handles of the claims that counting evidence contradicts."""
    return tuple(e.claim.handle for e in evidence if e.contradicted)


def _evidence(claim: Claim, citations: Sequence[Citation], derivations: Sequence[Derivation]) -> ClaimEvidence:
    on_claim = [c for c in citations if c.claim == claim.handle]
    current = [c for c in on_claim if not c.superseded] or on_claim
    relations = {c.relation for c in current}
    recomputed = {d.holds for d in derivations if d.claim == claim.handle}
    return ClaimEvidence(
        claim=claim,
        supported=Relation.SUPPORTS in relations or True in recomputed,
        contradicted=Relation.CONTRADICTS in relations or False in recomputed,
    )
