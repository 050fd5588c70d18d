"""A claim of a step beside the sentence that a judge cited for it: what experts say of it validates a checker."""

from __future__ import annotations

import random

from tracejury.agents import Deliberation
from tracejury.traces import Record

RELATIONS = ("supports", "contradicts", "does not decide")
"""What an expert may say that a sentence does to a claim."""


class QuotedClaim(Record):
    """A claim and one cited sentence. Neither the judge nor what it asserted is in it."""

    claim: str
    sentence: str
    """The whole sentence or table row that the quote stands in."""


def draw_quoted_claim(deliberation: Deliberation) -> QuotedClaim | None:
    """Draw one of the citations of a step that a checker read, with the step's id as the seed; None: there is none.

    Whether a citation counts plays no part, so that what experts say is a sample of all that the checker decides.
    """
    case = deliberation.case
    texts = {claim.handle: claim.text for claim in case.claims.claims} if case else {}
    pairs = {
        QuotedClaim(claim=texts[c.claim], sentence=c.sentence): None
        for opinion in deliberation.opinions
        for c in opinion.citations
        if c.p is not None and c.claim in texts
    }
    return random.Random(deliberation.step.id).choice([*pairs]) if pairs else None
