"""What a checker that costs seconds a pair reads of a claim: a text of its own evidence, of foreign one, of none."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.grounding.labelled_sets import LabelledClaim, foreign_evidence
from benchmarks.grounding.strongest import case_of, citable
from tracejury.agents import JudgePanel, Relation
from tracejury.agents.checkers import MOST_SENTENCES, Pair


def excerpt_pairs(claims: Sequence[LabelledClaim], judge_panel: JudgePanel) -> list[tuple[Pair, Pair | None, Pair]]:
    """Return for each claim its pair with its own evidence, with another claim's, and with none.

    A text is the three statements nearest to the claim, in the order of the evidence; a judge without the checker's
    scores would cite such. None: nothing of the foreign evidence is near enough to be cited.
    """
    foreign = foreign_evidence(claims)
    rows = []
    for claim, other in zip(claims, foreign, strict=True):
        own_text = nearest_statements(claim.claim, claim.evidence, judge_panel)
        foreign_text = nearest_statements(claim.claim, other, judge_panel)
        own = Pair(claim.claim, own_text or (" ".join(claim.evidence.split()),))
        rows.append((own, Pair(claim.claim, foreign_text) if foreign_text else None, Pair(claim.claim, ("",))))
    return rows


def nearest_statements(claim: str, evidence: str, judge_panel: JudgePanel) -> tuple[str, ...]:
    """Return the citable sentences of `evidence` that are most like the claim, at most three."""
    sentences = [c.sentence for c in citable(case_of(claim, evidence, "excerpt"), Relation.SUPPORTS, judge_panel)]
    if not sentences or judge_panel.relevance is None:
        return ()
    scores = judge_panel.relevance.score([(claim, sentence) for sentence in sentences])
    best = sorted(range(len(sentences)), key=lambda i: -scores[i])[:MOST_SENTENCES]
    return tuple(dict.fromkeys(sentences[i] for i in sorted(best)))
