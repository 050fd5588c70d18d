"""The verdict policy: pure functions from opinions to a verdict. `docs/policy.md` holds the full truth table.

Nothing here depends on the order of the opinions, on a clock or on a random number.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from tracejury.agents.records import Citation, Label, Opinion, Outcome, Reason, Resolution, Route, Seat, Verdict
from tracejury.traces import ErrorType, Record

_OUTCOME = {Label.SUPPORTED: Outcome.SUPPORTED, Label.ERROR: Outcome.ERROR}
_SEVERITY = {t: i for i, t in enumerate(ErrorType)}


class Dispute(Record):
    """What goes to the resolver: why, and the outcome's reason should the resolver abstain."""

    reason: Reason


def decide(opinions: Sequence[Opinion], unheard: int = 0) -> Verdict | Dispute:
    """Apply the policy to one step's opinions.

    Args:
        opinions: One per judge that was asked, in any order; failed ones included.
        unheard: Voting judges that were not asked, because nothing they say could change the outcome.

    Returns:
        The verdict, or the dispute that the resolver must hear.
    """
    jury = [o for o in opinions if o.seat is Seat.VOTE]
    size = len(jury) + unheard
    heard = [o for o in jury if o.label is not None]
    if not heard:
        return Verdict(outcome=Outcome.FAILED, route=Route.NONE, reason=Reason.ALL_FAILED)
    votes = Counter(o.label for o in heard)
    majority = size // 2 + 1
    winner = next((label for label, n in votes.items() if n >= majority), None)
    challenged = any(grounded_error(o) for o in opinions)
    if winner is Label.ERROR:
        return _error_majority(opinions, unheard)
    if challenged:
        # A grounded error is never outvoted, whatever the majority and whichever seat it has.
        return Dispute(reason=Reason.CHALLENGED if winner else Reason.NO_MAJORITY)
    if winner is Label.NO_CLAIM:
        return Verdict(outcome=Outcome.ABSTAINED, route=Route.MAJORITY, reason=Reason.NO_CLAIM, claim=False)
    if winner is Label.UNCLEAR:
        return Verdict(outcome=Outcome.ABSTAINED, route=Route.MAJORITY, reason=Reason.EVIDENCE_SILENT)
    if winner is Label.SUPPORTED:
        if not any(o.grounded for o in heard if o.label is winner):
            return Dispute(reason=Reason.NOT_GROUNDED)
        return _verdict(Label.SUPPORTED, opinions, Route.MAJORITY)
    if max(votes.values()) + (len(jury) - len(heard)) >= majority and len(heard) < len(jury):
        # A missing opinion is not a smaller panel: it could have made the majority, so the step is asked again.
        return Verdict(outcome=Outcome.FAILED, route=Route.NONE, reason=Reason.MISSING_OPINIONS)
    return Dispute(reason=Reason.NO_MAJORITY)


def settle(dispute: Dispute, opinions: Sequence[Opinion], resolution: Resolution) -> Verdict:
    """Turn a dispute and what the resolver made of it into a verdict.

    Only new verified evidence settles a dispute; a label without it is an abstention, however well argued.
    """
    if resolution.label is None:
        return Verdict(outcome=Outcome.FAILED, route=Route.RESOLVER, reason=Reason.RESOLVER_FAILED)
    outcome = _OUTCOME.get(resolution.label)
    if outcome is None or not resolution.grounded:
        return Verdict(outcome=Outcome.ABSTAINED, route=Route.RESOLVER, reason=dispute.reason)
    return Verdict(
        outcome=outcome,
        route=Route.RESOLVER,
        reason=Reason.RESOLVED,
        error_type=(resolution.error_type or _error_type(opinions)) if outcome is Outcome.ERROR else None,
        citations=tuple(c for c in resolution.citations if c.grounds),
    )


def settled_early(opinions: Sequence[Opinion], unheard: Sequence[Seat]) -> bool:
    """Tell whether the judges not yet heard can no longer change outcome, route or resolver.

    That is so only once a strict majority of the configured panel says `error` and one of them is grounded: any other
    state can still be turned, at the least by a grounded error that nobody may outvote.
    """
    jury = [o for o in opinions if o.seat is Seat.VOTE]
    size = len(jury) + sum(s is Seat.VOTE for s in unheard)
    errors = [o for o in jury if o.label is Label.ERROR]
    return len(errors) > size // 2 and any(o.grounded for o in errors)


def grounded_error(opinion: Opinion) -> bool:
    """Tell whether the opinion is an error with verified evidence, from a judge who may challenge."""
    return opinion.seat is not Seat.LISTED and opinion.label is Label.ERROR and opinion.grounded


def _error_majority(opinions: Sequence[Opinion], unheard: int) -> Verdict | Dispute:
    if not any(grounded_error(o) and o.seat is Seat.VOTE for o in opinions):
        return Dispute(reason=Reason.NOT_GROUNDED)
    return _verdict(Label.ERROR, opinions, Route.EARLY_STOP if unheard else Route.MAJORITY)


def _verdict(label: Label, opinions: Sequence[Opinion], route: Route) -> Verdict:
    side = sorted((o for o in opinions if o.label is label and o.seat is not Seat.LISTED), key=lambda o: o.judge)
    return Verdict(
        outcome=_OUTCOME[label],
        route=route,
        reason=Reason.GROUNDED_MAJORITY,
        error_type=_error_type(opinions) if label is Label.ERROR else None,
        citations=_distinct(c for o in side for c in o.citations if c.grounds),
    )


def _error_type(opinions: Sequence[Opinion]) -> ErrorType | None:
    """Return the type most often given, grounded opinions before others, ties to the more severe."""
    errors = [o for o in opinions if o.label is Label.ERROR and o.error_type and o.seat is not Seat.LISTED]
    counted = Counter(o.error_type for o in errors if o.grounded) or Counter(o.error_type for o in errors)
    ranked = sorted(((-n, _SEVERITY[t], t) for t, n in counted.items() if t), key=lambda row: row[:2])
    return ranked[0][2] if ranked else None


def _distinct(citations: Iterable[Citation]) -> tuple[Citation, ...]:
    seen: dict[tuple[str, str], Citation] = {}
    for citation in citations:
        seen.setdefault((citation.evidence_id, citation.quote), citation)
    return tuple(seen.values())
