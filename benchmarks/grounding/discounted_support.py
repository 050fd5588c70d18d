"""Set the threshold of `supports` for the checker `nli` where the rest of the evidence has a say, in its calibration.

    python -m benchmarks.grounding.discounted_support --data ../shared/data --work runs/grounding \
        --calibration agents/weights/nli-calibration.json

A step is scored by the highest discounted P(supports): of any sentence of its abstract that passes the product's first
filter, or of any group of the four strongest, times 1 - P(contradicts) of the most opposed sentence. Each claim of the
calibrate parts (nothing of them is reported on) also stands beside an abstract of another group, which shows nothing
whatever is true of the claim. The threshold is the largest of those that hold against each kind of wrong evidence alone
(conformal, by group). `contradicts` keeps its threshold and no discount: with one, 16 of the 208 true steps of MR-Ben,
whose cases have five passages, had a counting contradiction (8 without).
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

RIGHT = "supported"
FOREIGN = "foreign"


class ScoredClaim(NamedTuple):
    """A claim beside an abstract, and the discounted P(supports) of its strongest citations."""

    kind: str
    """The claim's label; `foreign` beside an abstract of another group."""
    group: str
    p: float


async def scored_claims(claims: Sequence[LabelledClaim], judge_panel: JudgePanel) -> list[ScoredClaim]:
    """Score every claim beside its own abstract and beside one of another group of its set."""
    rng = random.Random(0)
    rows = []
    for claim in claims:
        others = [c for c in claims if c.source == claim.source and c.group != claim.group]
        for kind, abstract in ((claim.label, claim.abstract), (FOREIGN, rng.choice(others).abstract)):
            p = await discounted_support(claim.claim, abstract, judge_panel)
            rows.append(ScoredClaim(kind, f"{claim.source}:{claim.group}", p))
    return rows


async def discounted_support(claim: str, abstract: Abstract, judge_panel: JudgePanel) -> float:
    """Return the discounted P(supports) of the strongest citation of an abstract; 0 where nothing can be cited."""
    checker = judge_panel.checker
    case = case_of(claim, "\n".join(abstract.sentences), "pair")
    sentences = list(dict.fromkeys(c.sentence for c in citable(case, Relation.SUPPORTS, judge_panel)))
    if checker is None or not sentences:
        return 0.0
    alone = dict(zip(sentences, await checker.check([Pair(claim, (s,)) for s in sentences]), strict=True))
    pool = sorted(alone, key=lambda sentence: -alone[sentence].supports)[:POOL]
    best = (await best_citations(claim, pool, checker.check))[Relation.SUPPORTS][-1]
    return best.p * (1 - max(p.contradicts for p in alone.values()))


def with_discounted_support(calibration: CheckerCalibration, rows: Sequence[ScoredClaim]) -> CheckerCalibration:
    """Return the calibration with the threshold that these claims give, and what it rests on."""
    right = [row for row in rows if row.kind == RIGHT]
    wrong = [row for row in rows if row.kind != RIGHT]
    of_kinds = {}
    for kind in sorted({row.kind for row in wrong}):
        of_kind = [row for row in wrong if row.kind == kind]
        scores, groups = [row.p for row in of_kind], [row.group for row in of_kind]
        of_kinds[kind] = conformal_threshold(scores, groups, calibration.alpha)
    print({kind: round(threshold, 3) for kind, threshold in of_kinds.items()})
    threshold = max(of_kinds.values())
    evidence = ThresholdEvidence(
        steps=len(wrong),
        groups=len({row.group for row in wrong}),
        against=(Relation.CONTRADICTS, Relation.SILENT),
        true_steps=len(right),
        true_groups=len({row.group for row in right}),
        true_rate=sum(row.p >= threshold for row in right) / len(right),
    )
    return calibration.model_copy(
        update={
            "thresholds": calibration.thresholds | {Relation.SUPPORTS: (threshold,) * MOST_SENTENCES},
            "evidence": calibration.evidence | {Relation.SUPPORTS: evidence},
            "discounted": frozenset({Relation.SUPPORTS}),
            "fitted_from": hashlib.sha256(f"{calibration.fitted_from}{rows}".encode()).hexdigest()[:16],
        }
    )


def main() -> None:
    """Read, score, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--work", type=Path, default=Path("runs/grounding"))
    parser.add_argument("--calibration", type=Path, required=True, help="read and written")
    args = parser.parse_args()
    claims = [c for c in labelled_claims(args.data) if c.part == "calibrate"]
    # The shipped calibration changes no probability, so it may stand in here.
    rows = asyncio.run(scored_claims(claims, jury_panel(cached_checker("nli", args.work))))
    calibration = CheckerCalibration.model_validate_json(args.calibration.read_text("utf-8"))
    refitted = with_discounted_support(calibration, rows)
    args.calibration.write_text(refitted.model_dump_json(indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
