"""The verdict policy: pure functions from opinions to a verdict. `docs/policy.md` holds the full truth table.

Nothing here depends on the order of the opinions, on a clock or on a random number.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from tracejury.agents.claim_evidence import ClaimEvidence, contradicted_claims, grade_of, pool_evidence
from tracejury.agents.combining import Combination
from tracejury.agents.evidence_records import ClaimSet, EvidenceGap, Grade, Relation
from tracejury.agents.records import (
    Citation,
    Label,
    Opinion,
    Outcome,
    Policy,
    Reason,
    Resolution,
    Route,
    Seat,
    Verdict,
)
from tracejury.traces import ErrorType, Record

_OUTCOME = {Label.SUPPORTED: Outcome.SUPPORTED, Label.ERROR: Outcome.ERROR}
_RELATION = {Label.SUPPORTED: Relation.SUPPORTS, Label.ERROR: Relation.CONTRADICTS}
_NO_VERDICT: dict[Label | None, Reason] = {Label.NO_CLAIM: Reason.NO_CLAIM, Label.UNCLEAR: Reason.EVIDENCE_SILENT}
_UNGROUNDED = {Grade.NONE: Reason.NOT_GROUNDED, Grade.PART: Reason.PARTLY_GROUNDED}
_SEVERITY = {t: i for i, t in enumerate(ErrorType)}


class Dispute(Record):
    """What goes to the resolver: why, and the outcome's reason should the resolver abstain."""

    reason: Reason
    missing: bool = False
    """A failed opinion could have decided the step: should the resolver abstain, the step failed and is asked again."""
    majority_outcome: Outcome
    """What the jury's majority alone says."""


def decide(
    opinions: Sequence[Opinion],
    claims: ClaimSet,
    unasked: int = 0,
    *,
    policy: Policy = Policy.GROUNDED,
    retrieved: bool = True,
    checked: bool = True,
    weights: Combination | None = None,
) -> Verdict | Dispute:
    """Apply the policy to one step's opinions.

    Args:
        opinions: One per judge that was asked, in any order; failed ones included. A judge who appears twice counts
            once, with its first opinion by content.
        claims: The step's claims, that citations name by handle.
        unasked: Voting judges that were not asked: nothing they say could change the outcome (early stop), or they
            belong to a cascade's second stage. They still count in the size of the panel.
        policy: `panel.policy`.
        retrieved: Whether the case had a passage; it words the reason of an abstention.
        checked: Whether the citations went to a checker. Without a check `consensus` keeps no grade; under `grounded`
            only derivations ground.
        weights: How votes are combined; None: one judge, one vote.

    Returns:
        The verdict, or the dispute that goes to the resolver.
    """
    opinions = _once(opinions)
    jury = [o for o in opinions if o.seat is Seat.VOTE]
    answered = [o for o in jury if o.label is not None]
    if not answered:
        return Verdict(
            outcome=Outcome.FAILED, route=Route.NONE, reason=Reason.ALL_FAILED, majority_outcome=Outcome.FAILED
        )
    votes = Counter(o.label for o in answered)
    majority = (len(jury) + unasked) // 2 + 1
    absent = len(jury) - len(answered)
    winner = next((label for label, n in votes.items() if n >= majority), None)
    could_decide = absent > 0 and max(votes.values()) + absent >= majority
    if weights is not None:
        winner, could_decide = weights.result({o.judge: o.label for o in jury})
    by_majority = _majority_outcome(winner, missing=could_decide)
    evidence = pool_evidence(claims, opinions)

    def dispute(reason: Reason, *, missing: bool = False) -> Dispute:
        return Dispute(reason=reason, missing=missing, majority_outcome=by_majority)

    if policy is Policy.GROUNDED and winner is not Label.ERROR and contradicted_claims(evidence):
        # A checked contradiction is never outvoted, whatever the majority and whichever seat it has. With a majority
        # against it a missing opinion changes nothing; without one it could have made the majority for error.
        if winner:
            return dispute(Reason.CHALLENGED)
        return dispute(Reason.NO_MAJORITY, missing=could_decide)
    if winner in _NO_VERDICT:
        reason = _NO_VERDICT[winner]
        has_claim = reason is not Reason.NO_CLAIM
        return Verdict(
            outcome=Outcome.ABSTAINED,
            route=Route.MAJORITY,
            reason=reason,
            claim=has_claim,
            majority_outcome=by_majority,
            evidence_gap=_gap(evidence, retrieved) if has_claim else None,
        )
    if winner is None:
        if could_decide:
            # A missing opinion is not a smaller panel: it could have made the majority, so the step is asked again.
            return Verdict(
                outcome=Outcome.FAILED,
                route=Route.NONE,
                reason=Reason.MISSING_OPINIONS,
                majority_outcome=by_majority,
            )
        return dispute(Reason.NO_MAJORITY)
    grade = grade_of(winner, evidence, claims.coverage)
    if policy is Policy.GROUNDED and grade is not Grade.FULL:
        return dispute(_UNGROUNDED[grade or Grade.NONE], missing=absent > 0)
    return Verdict(
        outcome=_OUTCOME[winner],
        route=Route.EARLY_STOP if unasked else Route.MAJORITY,
        reason=Reason.GROUNDED_MAJORITY if policy is Policy.GROUNDED else Reason.PLAIN_MAJORITY,
        error_type=_error_type(opinions) if winner is Label.ERROR else None,
        citations=_counting(opinions, _RELATION[winner]),
        grade=grade if checked or policy is Policy.GROUNDED else None,
        majority_outcome=by_majority,
    )


def unchecked(opinions: Sequence[Opinion], unasked: int = 0) -> Verdict:
    """Return the verdict under `grounded` where the checker gave no answer: a failure, to be asked again."""
    by_majority = decide(opinions, ClaimSet(), unasked, policy=Policy.CONSENSUS, checked=False)
    majority_outcome = by_majority.majority_outcome
    return Verdict(
        outcome=Outcome.FAILED, route=Route.NONE, reason=Reason.CHECKER_FAILED, majority_outcome=majority_outcome
    )


def settle(
    dispute: Dispute,
    opinions: Sequence[Opinion],
    claims: ClaimSet,
    resolution: Resolution | None,
    *,
    policy: Policy = Policy.GROUNDED,
    retrieved: bool = True,
) -> Verdict:
    """Turn a dispute and what the resolver made of it into a verdict.

    Only new counting evidence on a claim in dispute settles it; a label without it is an abstention, however well
    argued. Where counting evidence ends up on both sides of the claim, the step abstains.

    Args:
        dispute: What `decide` returned.
        opinions: The opinions it was given.
        claims: The step's claims.
        resolution: What the resolver made of it; None where the panel has no resolver.
        policy: `panel.policy`.
        retrieved: Whether the case, or the resolver's search, had a passage.
    """
    route = Route.RESOLVER if resolution else Route.NONE
    if resolution is not None and resolution.label is None:
        return Verdict(
            outcome=Outcome.FAILED,
            route=route,
            reason=Reason.RESOLVER_FAILED,
            majority_outcome=dispute.majority_outcome,
        )
    before = pool_evidence(claims, opinions)
    after = pool_evidence(claims, opinions, resolution)
    reason = _open_question(dispute, before, after, claims, resolution, policy)
    if reason is None and resolution is not None and resolution.label is not None:
        outcome = _OUTCOME[resolution.label]
        error_type = resolution.error_type or _error_type(opinions)
        return Verdict(
            outcome=outcome,
            route=Route.RESOLVER,
            reason=Reason.RESOLVED,
            error_type=error_type if outcome is Outcome.ERROR else None,
            citations=_distinct(c for c in resolution.citations if c.counts),
            grade=grade_of(resolution.label, after, claims.coverage),
            majority_outcome=dispute.majority_outcome,
        )
    if dispute.missing:
        # An abstention here would count a judge's failure as a judgement of the jury's.
        return Verdict(
            outcome=Outcome.FAILED,
            route=route,
            reason=Reason.MISSING_OPINIONS,
            majority_outcome=dispute.majority_outcome,
        )
    return Verdict(
        outcome=Outcome.ABSTAINED,
        route=route,
        reason=reason or dispute.reason,
        majority_outcome=dispute.majority_outcome,
        evidence_gap=_gap(after, retrieved),
    )


def settled_early(
    opinions: Sequence[Opinion], claims: ClaimSet, unasked: Sequence[Seat], *, policy: Policy = Policy.GROUNDED
) -> bool:
    """Tell whether the judges not yet asked can change neither outcome nor majority outcome, route or resolver.

    Under `grounded` that is so only once a strict majority of the configured panel says `error` and counting evidence
    contradicts a claim: any other state can still be turned, at the least by a contradiction that nobody may outvote.
    Under `consensus` any strict majority stands; the grade of a stopped step is a lower bound.
    """
    jury = [o for o in opinions if o.seat is Seat.VOTE]
    size = len(jury) + sum(s is Seat.VOTE for s in unasked)
    votes = Counter(o.label for o in jury if o.label is not None)
    if policy is Policy.CONSENSUS:
        return any(n > size // 2 for n in votes.values())
    return votes[Label.ERROR] > size // 2 and bool(contradicted_claims(pool_evidence(claims, opinions)))


def _majority_outcome(winner: Label | None, *, missing: bool) -> Outcome:
    if winner is None and missing:
        return Outcome.FAILED
    return _OUTCOME.get(winner, Outcome.ABSTAINED) if winner else Outcome.ABSTAINED


def _open_question(
    dispute: Dispute,
    before: Sequence[ClaimEvidence],
    after: Sequence[ClaimEvidence],
    claims: ClaimSet,
    resolution: Resolution | None,
    policy: Policy,
) -> Reason | None:
    """Return why the resolution settles nothing; None: it settles the dispute."""
    if resolution is None or resolution.label not in _OUTCOME:
        return dispute.reason
    if resolution.label is Label.ERROR:
        if resolution.derivations:
            # What anybody can recompute stands, whatever was quoted for the claim.
            return None
        added = {c.claim for c in resolution.citations if c.counts and c.relation is Relation.CONTRADICTS}
        against = [e for e in after if e.claim.handle in added]
        if not against:
            return dispute.reason
        return Reason.CONFLICTING_EVIDENCE if all(e.conflicting for e in against) else None
    added = {c.claim for c in resolution.citations if c.counts and c.relation is Relation.SUPPORTS}
    no_majority = dispute.reason is Reason.NO_MAJORITY
    disputed = {e.claim.handle for e in before if no_majority or e.contradicted or not e.supported}
    if not added & disputed:
        return dispute.reason
    if any(e.conflicting for e in after):
        return Reason.CONFLICTING_EVIDENCE
    if policy is Policy.CONSENSUS:
        return None
    grade = grade_of(Label.SUPPORTED, after, claims.coverage)
    return None if grade is Grade.FULL else dispute.reason if grade is Grade.NONE else Reason.PARTLY_GROUNDED


def _gap(evidence: Sequence[ClaimEvidence], retrieved: bool) -> EvidenceGap:
    if any(e.conflicting for e in evidence):
        return EvidenceGap.CONFLICTING
    return EvidenceGap.SILENT if retrieved else EvidenceGap.NOT_RETRIEVED


def _once(opinions: Sequence[Opinion]) -> list[Opinion]:
    """Return the opinions with each judge once; a vote does not count twice because its record came twice."""
    if len({o.judge for o in opinions}) == len(opinions):
        return list(opinions)
    ordered = sorted(opinions, key=lambda o: (o.judge, o.model_dump_json()))
    return list({o.judge: o for o in reversed(ordered)}.values())


def _error_type(opinions: Sequence[Opinion]) -> ErrorType | None:
    """Return the type most often given, grounded opinions before others, ties to the more severe."""
    errors = [o for o in opinions if o.label is Label.ERROR and o.error_type and o.seat is not Seat.LISTED]
    counted = Counter(o.error_type for o in errors if o.grounded) or Counter(o.error_type for o in errors)
    ranked = sorted(((-n, _SEVERITY[t], t) for t, n in counted.items() if t), key=lambda row: row[:2])
    return ranked[0][2] if ranked else None


def _counting(opinions: Sequence[Opinion], relation: Relation) -> tuple[Citation, ...]:
    """Return the counting citations of one side, in the order of the judges' names."""
    speakers = sorted((o for o in opinions if o.seat is not Seat.LISTED), key=lambda o: o.judge)
    return _distinct(c for o in speakers for c in o.citations if c.counts and c.relation is relation)


def _distinct(citations: Iterable[Citation]) -> tuple[Citation, ...]:
    first: dict[tuple[str, str, str | None], Citation] = {}
    for citation in citations:
        first.setdefault((citation.evidence_id, citation.quote, citation.claim), citation)
    return tuple(first.values())
