"""The verdict policy: pure functions from opinions to a verdict. `docs/policy.md` holds the full truth table.

Nothing here depends on the order of the opinions, on a clock or on a random number.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from tracejury.agents.records import Citation, Label, Opinion, Outcome, Reason, Resolution, Route, Seat, Verdict
from tracejury.traces import ErrorType, Record

_OUTCOME = {Label.SUPPORTED: Outcome.SUPPORTED, Label.ERROR: Outcome.ERROR}
_NO_VERDICT: dict[Label | None, Reason] = {Label.NO_CLAIM: Reason.NO_CLAIM, Label.UNCLEAR: Reason.EVIDENCE_SILENT}
_SEVERITY = {t: i for i, t in enumerate(ErrorType)}


class Dispute(Record):
    """What goes to the resolver: why, and the outcome's reason should the resolver abstain."""

    reason: Reason
    missing: bool = False
    """A failed opinion could have decided the step: should the resolver abstain, the step failed and is asked again."""


def decide(opinions: Sequence[Opinion], unheard: int = 0, *, require_grounding: bool = True) -> Verdict | Dispute:
    """Apply the policy to one step's opinions.

    Args:
        opinions: One per judge that was asked, in any order; failed ones included. A judge who appears twice counts
            once, with its first opinion by content.
        unheard: Voting judges that were not asked: nothing they say could change the outcome (early stop), or they
            belong to a cascade's second stage. They still count in the size of the panel.
        require_grounding: `panel.require_grounding`; False lets a plain majority decide, and challenges nothing.

    Returns:
        The verdict, or the dispute that the resolver must hear.
    """
    opinions = _once(opinions)
    jury = [o for o in opinions if o.seat is Seat.VOTE]
    size = len(jury) + unheard
    heard = [o for o in jury if o.label is not None]
    if not heard:
        return Verdict(outcome=Outcome.FAILED, route=Route.NONE, reason=Reason.ALL_FAILED)
    votes = Counter(o.label for o in heard)
    majority = size // 2 + 1
    winner = next((label for label, n in votes.items() if n >= majority), None)
    absent = len(jury) - len(heard)
    challenged = require_grounding and any(grounded_error(o) for o in opinions)
    if challenged and winner is not Label.ERROR:
        # A grounded error is never outvoted, whatever the majority and whichever seat it has. With a majority against
        # it a missing opinion changes nothing; without one it could have made the majority for error.
        if winner:
            return Dispute(reason=Reason.CHALLENGED)
        return Dispute(reason=Reason.NO_MAJORITY, missing=_reach(votes, absent, majority))
    if winner in _NO_VERDICT:
        reason = _NO_VERDICT[winner]
        return Verdict(
            outcome=Outcome.ABSTAINED, route=Route.MAJORITY, reason=reason, claim=reason is not Reason.NO_CLAIM
        )
    if winner is None:
        missing = _reach(votes, absent, majority)
        if missing:
            # A missing opinion is not a smaller panel: it could have made the majority, so the step is asked again.
            return Verdict(outcome=Outcome.FAILED, route=Route.NONE, reason=Reason.MISSING_OPINIONS)
        return Dispute(reason=Reason.NO_MAJORITY)
    if require_grounding and not any(o.grounded for o in heard if o.label is winner):
        return Dispute(reason=Reason.NOT_GROUNDED, missing=absent > 0)
    return _verdict(winner, opinions, Route.EARLY_STOP if unheard else Route.MAJORITY, require_grounding)


def settle(dispute: Dispute, opinions: Sequence[Opinion], resolution: Resolution | None) -> Verdict:
    """Turn a dispute and what the resolver made of it into a verdict.

    Only new verified evidence settles a dispute; a label without it is an abstention, however well argued.

    Args:
        dispute: What `decide` returned.
        opinions: The opinions it was given.
        resolution: What the resolver made of it; None where the panel has no resolver.
    """
    if resolution is not None and resolution.label is None:
        return Verdict(outcome=Outcome.FAILED, route=Route.RESOLVER, reason=Reason.RESOLVER_FAILED)
    outcome = _OUTCOME.get(resolution.label) if resolution and resolution.label else None
    if resolution is None or outcome is None or not resolution.grounded:
        route = Route.RESOLVER if resolution else Route.NONE
        if dispute.missing:
            # An abstention here would count a judge's failure as a judgement of the jury's.
            return Verdict(outcome=Outcome.FAILED, route=route, reason=Reason.MISSING_OPINIONS)
        return Verdict(outcome=Outcome.ABSTAINED, route=route, reason=dispute.reason)
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


def _once(opinions: Sequence[Opinion]) -> list[Opinion]:
    """Return the opinions with each judge once; a vote does not count twice because its record came twice."""
    if len({o.judge for o in opinions}) == len(opinions):
        return list(opinions)
    ordered = sorted(opinions, key=lambda o: (o.judge, o.model_dump_json()))
    return list({o.judge: o for o in reversed(ordered)}.values())


def _reach(votes: Counter[Label | None], absent: int, majority: int) -> bool:
    """Tell whether the missing opinions could have made a majority."""
    return absent > 0 and max(votes.values()) + absent >= majority


def _verdict(label: Label, opinions: Sequence[Opinion], route: Route, grounded: bool) -> Verdict:
    side = sorted((o for o in opinions if o.label is label and o.seat is not Seat.LISTED), key=lambda o: o.judge)
    return Verdict(
        outcome=_OUTCOME[label],
        route=route,
        reason=Reason.GROUNDED_MAJORITY if grounded else Reason.PLAIN_MAJORITY,
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
