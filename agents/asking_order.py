"""Which judges to ask next: early stop, cascades, and the seeded share of steps on which every judge is asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tracejury.agents.evidence_records import ClaimSet
from tracejury.agents.order import falls_within, permuted
from tracejury.agents.panel import JudgeSpec, Panel
from tracejury.agents.policy import decide, settled_early
from tracejury.agents.records import Label, Opinion, Outcome, Policy, Reason, Seat, Verdict


def judge_order(panel: Panel, step_id: str) -> tuple[JudgeSpec, ...]:
    """Return the panel's judges in the order of asking: first stage, then second; each permuted by seed.

    With `ask_in_order` they keep the panel's order. No judge sees another one's opinion, so the order changes none.

    With early stop, the judges of a stage that cost nothing are asked before those that call a model.
    """
    seeded = permuted(panel.judges, lambda j: j.name, panel.seed, step_id, "judges")
    order = panel.judges if panel.ask_in_order else seeded
    return tuple(sorted(order, key=lambda j: (j.only_if == "disputed", panel.early_stop and j.endpoint is not None)))


def asks_every_judge(panel: Panel, step_id: str) -> bool:
    """Tell whether the step is in the seeded share on which every judge is asked (for an estimate of agreement)."""
    return falls_within(panel.full_share, panel.seed, step_id, "full")


def next_judges(panel: Panel, step_id: str, opinions: Sequence[Opinion], claims: ClaimSet) -> tuple[JudgeSpec, ...]:
    """Return the judges to ask next, all at once; empty once no judge is left to ask.

    Args:
        panel: The panel; `early_stop`, `full_share` and its judges' `only_if` decide.
        step_id: The step.
        opinions: The opinions on it so far, checked, in any order.
        claims: The step's claims.
    """
    answered = {o.judge for o in opinions}
    waiting = [j for j in judge_order(panel, step_id) if j.name not in answered]
    if not waiting or asks_every_judge(panel, step_id):
        return tuple(waiting)
    if panel.early_stop and settled_early(opinions, claims, [j.seat for j in waiting], policy=panel.policy):
        return ()
    first = [j for j in waiting if j.only_if == "always"]
    if first:
        return _batch(panel, opinions, first)
    if opinions and _sure(panel, opinions, claims, waiting):
        return ()
    return _batch(panel, opinions, waiting)


def unasked_votes(panel: Panel, opinions: Sequence[Opinion]) -> int:
    """Return how many voting judges were not asked; what `decide` takes as `unasked`."""
    answered = {o.judge for o in opinions}
    return sum(j.seat is Seat.VOTE for j in panel.judges if j.name not in answered)


def _batch(panel: Panel, opinions: Sequence[Opinion], stage: Sequence[JudgeSpec]) -> tuple[JudgeSpec, ...]:
    """Return as many judges of the stage as can be asked at once without asking one too many."""
    if not panel.early_stop:
        return tuple(stage)
    majority = sum(j.seat is Seat.VOTE for j in panel.judges) // 2 + 1
    votes = Counter(o.label for o in opinions if o.seat is Seat.VOTE and o.label is not None)
    leading = max(votes.values(), default=0) if panel.policy is Policy.CONSENSUS else votes[Label.ERROR]
    missing = majority - leading
    votes_left = sum(j.seat is Seat.VOTE for j in panel.judges) - sum(o.seat is Seat.VOTE for o in opinions)
    if missing > votes_left:
        # No majority that could stop the step early can come any more.
        return tuple(stage)
    return tuple(stage[: max(missing, 1)])


def _sure(panel: Panel, opinions: Sequence[Opinion], claims: ClaimSet, waiting: Sequence[JudgeSpec]) -> bool:
    """Tell whether the first stage of a cascade reached a verdict that it is sure of."""
    unasked = sum(j.seat is Seat.VOTE for j in waiting)
    verdict = decide(opinions, claims, unasked, policy=panel.policy)
    if not isinstance(verdict, Verdict) or verdict.outcome not in (Outcome.SUPPORTED, Outcome.ERROR):
        return verdict.reason is Reason.NO_CLAIM
    winning = Label(verdict.outcome)
    jury = [o for o in opinions if o.seat is Seat.VOTE and o.label is winning]
    confidences = [o.confidence for o in jury if o.confidence is not None]
    return not confidences or sum(confidences) / len(confidences) >= panel.unsure_below
