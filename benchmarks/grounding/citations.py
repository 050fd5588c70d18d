"""Citation precision and recall of the truthful jury's verdicts (Gao et al. 2023, arXiv 2305.14627, section 3).

Recall: the share of claims whose cited sentences, read together, stand in the asserted relation to them. Precision: the
share of cited sentences that a recalled claim needs: without them the relation is weaker. The reader of entailment is
the panel's own checker at its threshold, so these figures say how much of a verdict is carried by evidence that this
checker accepts, and nothing about whether it is right: that is the lift.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from benchmarks.grounding.juries import Sides
from benchmarks.grounding.lift import Floats
from benchmarks.grounding.mr_ben import LabelledCase
from tracejury.agents import Case, Label, Opinion
from tracejury.reports import bootstrap


def measure_citations(cases: Sequence[LabelledCase], sides: Sequence[Sides]) -> dict[str, Any]:
    """Return precision and recall over all verdicts of the truthful jury, whatever their grade."""
    questions = sorted({c.question for c in cases})
    place = {question: i for i, question in enumerate(questions)}
    result: dict[str, Any] = {}
    for title, labels in (
        ("all", (Label.SUPPORTED, Label.ERROR)),
        *((x.value, (x,)) for x in (Label.SUPPORTED, Label.ERROR)),
    ):
        sums = np.zeros((len(questions), 4))
        for labelled, both in zip(cases, sides, strict=True):
            if labelled.label in labels:
                for row in _claims(labelled.case, both.of(labelled.label)):
                    sums[place[labelled.question]] += row
        boot = bootstrap(sums, _shares)
        counted = sums.sum(axis=0).astype(int).tolist()
        result[title] = {"claims": counted[0], "sentences cited": counted[2]}
        result[title] |= {name: boot.estimate(i).model_dump() for i, name in enumerate(("recall", "precision"))}
    return result


def _claims(case: Case, opinion: Opinion) -> Iterator[tuple[int, int, int, int]]:
    """Yield for each claim that is no restatement: 1, recalled, sentences cited, sentences needed."""
    for claim in case.claims.claims:
        if claim.restates is None:
            cited = [c for c in opinion.citations if c.claim == claim.handle]
            counting = sum(c.counts for c in cited)
            yield 1, int(counting > 0), len(cited), counting


def _shares(columns: Floats) -> Floats:
    claims, recalled, cited, needed = np.moveaxis(columns, -1, 0)
    return np.stack([recalled / claims, needed / cited], axis=-1)
