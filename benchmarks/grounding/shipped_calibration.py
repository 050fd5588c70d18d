"""Write the calibration that ships with the checker `nli`: thresholds on what a judge could cite in the product.

    python -m benchmarks.grounding.shipped_calibration --data ../shared/data --work runs/grounding \
        --out agents/weights/nli-calibration.json

A step is scored by the highest discounted probability of the wrongly asserted relation: of any sentence of its own
abstract that passes the first filter, or of any group of the four strongest, times 1 - P(opposite) of the most opposed
sentence. Each claim of the calibrate parts (nothing of them is reported on) also stands beside an abstract of another
group, which shows nothing whatever is true of the claim. The threshold is the largest of those that hold against each
kind of wrong evidence alone (conformal, by group). Probabilities are taken as they come.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import random
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.grounding.checkers import cached_checker
from benchmarks.grounding.strongest import POOL, case_of, citable, jury_panel
from tracejury.agents import JudgePanel, Relation
from tracejury.agents.checkers import (
    MOST_SENTENCES,
    CheckerCalibration,
    Pair,
    ThresholdEvidence,
    best_citations,
    conformal_threshold,
)
from tracejury.training.verifier.labelled import Abstract, LabelledClaim, labelled_claims

ALPHA = 0.05
ASSERTED = (Relation.SUPPORTS, Relation.CONTRADICTS)
RIGHT = {Relation.SUPPORTS: "supported", Relation.CONTRADICTS: "contradicted"}
FOREIGN = "foreign"


class Scored(NamedTuple):
    """A claim beside an abstract, and the discounted probability of its strongest citations, by relation."""

    kind: str
    """The claim's label; `foreign` beside an abstract of another group."""
    group: str
    p: dict[Relation, float]


async def scored_claims(claims: Sequence[LabelledClaim], judge_panel: JudgePanel) -> list[Scored]:
    """Score every claim beside its own abstract and beside one of another group of its set."""
    rng = random.Random(0)
    rows = []
    for claim in claims:
        others = [c for c in claims if c.source == claim.source and c.group != claim.group]
        for kind, abstract in ((claim.label, claim.abstract), (FOREIGN, rng.choice(others).abstract)):
            p = await strongest(claim.claim, abstract, judge_panel)
            rows.append(Scored(kind, f"{claim.source}:{claim.group}", p))
    return rows


async def strongest(claim: str, abstract: Abstract, judge_panel: JudgePanel) -> dict[Relation, float]:
    """Return the discounted probability of the strongest citation of an abstract, for each relation."""
    checker = judge_panel.checker
    if checker is None:
        raise ValueError("the panel has no checker")
    case = case_of(claim, "\n".join(abstract.sentences), "pair")
    sentences = list(dict.fromkeys(c.sentence for c in citable(case, Relation.SUPPORTS, judge_panel)))
    if not sentences:
        return dict.fromkeys(ASSERTED, 0.0)
    answers = await checker.check([Pair(claim, (sentence,)) for sentence in sentences])
    alone = dict(zip(sentences, answers, strict=True))
    p = {}
    for relation in ASSERTED:
        pool = sorted(alone, key=lambda sentence: -alone[sentence].of(relation))[:POOL]
        best = (await best_citations(claim, pool, checker.check))[relation][-1]
        p[relation] = best.p * (1 - max(answer.of(relation.opposite) for answer in answers))
    return p


def calibration_of(rows: Sequence[Scored], identity: str, digest: str) -> CheckerCalibration:
    """Return the thresholds, and what they rest on."""
    thresholds: dict[Relation, tuple[float, ...]] = {}
    evidence: dict[Relation, ThresholdEvidence] = {}
    for relation in ASSERTED:
        right = [row for row in rows if row.kind == RIGHT[relation]]
        kinds = {row.kind for row in rows} - {RIGHT[relation]}
        # MedHallu's hallucinated answers are not supported; whether they are contradicted is not known.
        kinds -= {"not_supported"} if relation is Relation.CONTRADICTS else set()
        wrong = [row for row in rows if row.kind in kinds]
        of_kinds = {
            kind: conformal_threshold(
                [row.p[relation] for row in wrong if row.kind == kind],
                [row.group for row in wrong if row.kind == kind],
                ALPHA,
            )
            for kind in kinds
        }
        print(relation, {kind: round(t, 3) for kind, t in sorted(of_kinds.items())})
        threshold = max(of_kinds.values())
        thresholds[relation] = (threshold,) * MOST_SENTENCES
        evidence[relation] = ThresholdEvidence(
            steps=len(wrong),
            groups=len({row.group for row in wrong}),
            against=tuple(r for r in Relation if r is not relation),
            true_steps=len(right),
            true_groups=len({row.group for row in right}),
            true_rate=sum(row.p[relation] >= threshold for row in right) / len(right),
        )
    return CheckerCalibration(
        checker="nli",
        identity=identity,
        can_contradict=True,
        scale=1.0,
        offsets={},
        thresholds=thresholds,
        alpha=ALPHA,
        discounts_opposition=True,
        n=len(rows),
        groups=len({row.group for row in rows}),
        evidence=evidence,
        fitted_from=digest,
    )


def main() -> None:
    """Read, score, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--work", type=Path, default=Path("runs/grounding"))
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    claims = [c for c in labelled_claims(args.data) if c.part == "calibrate"]
    # The shipped calibration changes no probability, so it may stand in here.
    checker = cached_checker("nli", args.work)
    rows = asyncio.run(scored_claims(claims, jury_panel(checker)))
    digest = hashlib.sha256(repr(rows).encode()).hexdigest()[:16]
    args.out.write_text(calibration_of(rows, checker.identity, digest).model_dump_json(indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
