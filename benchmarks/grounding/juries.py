"""Scripted juries on a case, through the product's check, policy and resolver; and the policy before it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from benchmarks.grounding.lift import Counts
from benchmarks.grounding.strongest import JUDGES, checked, strongest_quotes
from tracejury.agents import (
    Case,
    Citation,
    Claim,
    ClaimSet,
    Dispute,
    JudgePanel,
    Label,
    Opinion,
    Outcome,
    Policy,
    Quote,
    Relation,
    SearchRequest,
    Seat,
    Verdict,
    decide,
    resolve_round,
    settle,
)
from tracejury.traces import split_sentences


class Sides(NamedTuple):
    """The checked opinions that a judge of this case may have: one for each label."""

    supported: Opinion
    error: Opinion

    def of(self, label: Label) -> Opinion:
        """Return the opinion with this label."""
        return self.supported if label is Label.SUPPORTED else self.error


ONE_CLAIM = ClaimSet(claims=(Claim(handle="C1", text="the claim", start=0, end=9),))


def sides_of_counts(counts: Counts) -> Sides:
    """Return the opinions on a step of one claim whose strongest citations are known to count or not."""
    opinions = []
    for label, relation, counting in (
        (Label.SUPPORTED, Relation.SUPPORTS, counts.supports),
        (Label.ERROR, Relation.CONTRADICTS, counts.contradicts),
    ):
        citation = Citation(
            evidence_id="p", quote="a quote", verified=True, claim="C1", relation=relation, counts=counting
        )
        opinions.append(Opinion(judge="a", kind="scripted", label=label, citations=(citation,), confidence=0.8))
    return Sides(*opinions)


async def with_strongest_quotes(case: Case, judge_panel: JudgePanel) -> Sides:
    """Return opinions that cite the sentences which the checker scores highest of all evidence of the case."""
    opinions = [
        await checked(case, relation, await strongest_quotes(case, relation, judge_panel), judge_panel)
        for relation in (Relation.SUPPORTS, Relation.CONTRADICTS)
    ]
    return Sides(*opinions)


async def with_similar_quotes(case: Case, judge_panel: JudgePanel) -> Sides:
    """Return opinions that cite the two sentences most like the step, headings included."""
    quotes = similar_quotes(case, judge_panel)
    opinions = [await checked(case, r, quotes, judge_panel) for r in (Relation.SUPPORTS, Relation.CONTRADICTS)]
    return Sides(*opinions)


def similar_quotes(case: Case, judge_panel: JudgePanel) -> tuple[Quote, ...]:
    """Return the two sentences of vignette and passages that are most like the step."""
    places = [("vignette", case.stem), *((p.id, p.text) for p in case.passages)]
    quotes = [
        Quote(evidence_id=where, quote=text[a:b])
        for where, text in places
        for a, b in split_sentences(text)
        if len(text[a:b].split()) >= 4
    ]
    if not quotes or judge_panel.relevance is None:
        return ()
    scores = judge_panel.relevance.score([(case.step, quote.quote) for quote in quotes])
    best = sorted(range(len(quotes)), key=lambda i: -scores[i])[:2]
    return tuple(quotes[i] for i in best)


async def verdict_of(
    case: Case,
    sides: Sides,
    labels: Sequence[Label],
    judge_panel: JudgePanel,
    policy: Policy = Policy.GROUNDED,
    challenger: Opinion | None = None,
) -> Verdict:
    """Return the jury's verdict on a case where its judges have these labels."""
    opinions = [sides.of(label).model_copy(update={"judge": f"{JUDGES[0]}{i}"}) for i, label in enumerate(labels)]
    opinions += [challenger] if challenger is not None else []
    decision = decide(opinions, case.claims, policy=policy, retrieved=bool(case.passages))
    if not isinstance(decision, Dispute):
        return decision
    resolution = await resolve_round(case, opinions, judge_panel)
    if isinstance(resolution, SearchRequest):
        raise TypeError("a resolver without an endpoint asks for nothing")
    return settle(decision, opinions, case.claims, resolution, policy=policy, retrieved=bool(case.passages))


def verdict_before(sides: Sides, labels: Sequence[Label], floor: float, challenger: Opinion | None = None) -> Outcome:
    """Return the outcome under the policy before: a majority of which somebody's verbatim quote is near enough.

    A grounded error that is outvoted made the step abstain.
    """
    jury = [sides.of(label) for label in labels]
    grounded_error = any(_near(o, floor) for o in [*jury, *([challenger] if challenger else [])] if _says_error(o))
    for label, outcome in ((Label.SUPPORTED, Outcome.SUPPORTED), (Label.ERROR, Outcome.ERROR)):
        majority = [o for o in jury if o.label is label]
        if 2 * len(majority) > len(jury) and any(_near(o, floor) for o in majority):
            return outcome if label is Label.ERROR or not grounded_error else Outcome.ABSTAINED
    return Outcome.ABSTAINED


def _says_error(opinion: Opinion) -> bool:
    return opinion.label is Label.ERROR


def _near(opinion: Opinion, floor: float) -> bool:
    near = any(c.relevance is not None and c.relevance >= floor for c in opinion.citations)
    return near or (bool(opinion.derivations) and opinion.seat is Seat.CHALLENGE)
