"""Labelled pairs for `tracejury quality calibrate --checker nli`, from the calibrate parts of four sets.

    python -m benchmarks.grounding.calibration_pairs --data ../shared/data --out runs/grounding/pairs.jsonl

Each claim stands beside its own abstract and beside another one of its set, which is silent. Evidence is what a judge
could cite in the product: statements that pass the first filter. MedHallu's hallucinated answers are left out: whether
the abstract contradicts them or is silent is not known. PubMedQA's `maybe` and CliniFact's `no information` are silent.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from benchmarks.grounding.strongest import case_of, citable, jury_panel
from tracejury.agents import JudgePanel, Relation
from tracejury.reports import LabelledPair
from tracejury.training.verifier.labelled import LabelledClaim, labelled_claims

RELATION = {"supported": Relation.SUPPORTS, "contradicted": Relation.CONTRADICTS, "not_enough": Relation.SILENT}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    claims = [c for c in labelled_claims(args.data) if c.part == "calibrate" and c.label in RELATION]
    pairs = list(labelled_pairs(claims, jury_panel(None)))
    args.out.write_text("".join(pair.model_dump_json() + "\n" for pair in pairs), "utf-8")
    print(Counter((pair.group.split(":")[0], pair.relation.value) for pair in pairs))


def labelled_pairs(claims: list[LabelledClaim], judge_panel: JudgePanel) -> Iterator[LabelledPair]:
    """Yield two rows a claim where anything can be cited: its own evidence, and that of another group of its set."""
    rng = random.Random(0)
    for claim in claims:
        others = [c for c in claims if c.source == claim.source and c.group != claim.group]
        for abstract, relation in ((claim.abstract, RELATION[claim.label]), (rng.choice(others).abstract, None)):
            case = case_of(claim.claim, "\n".join(abstract.sentences), "pair")
            sentences = tuple(dict.fromkeys(c.sentence for c in citable(case, Relation.SUPPORTS, judge_panel)))
            if sentences:
                group = f"{claim.source}:{claim.group}"
                yield LabelledPair(
                    claim=claim.claim, evidence=sentences, relation=relation or Relation.SILENT, group=group
                )


if __name__ == "__main__":
    main()
