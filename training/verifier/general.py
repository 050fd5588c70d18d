"""General entailment: MultiNLI, SNLI and MED. RTE and SciTail are left out, since their licences are not settled."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from tracejury.training.verifier.pairs import Pair
from tracejury.training.verifier.splits import part_of

_LABELS = {"entailment": "supported", "contradiction": "contradicted", "neutral": "not_enough"}


def general_pairs(data: Path) -> Iterator[Pair]:
    """Yield (hypothesis, premise) pairs; 4 % of the premises are calibrate, 4 % report."""
    for name in ("mnli", "snli"):
        with (data / f"nli_general/{name}_dev.csv").open(newline="") as handle:
            for row in csv.DictReader(handle):
                yield _pair(row["hypothesis"], row["premise"], _LABELS[row["label"]], name)
    with (data / "nli_general/MED.tsv").open(newline="") as handle:
        for row in csv.DictReader(handle, delimiter="\t", quoting=csv.QUOTE_NONE):
            # MED has two labels: its `neutral` may be a contradiction.
            label = "supported" if row["gold_label"] == "entailment" else "not_supported"
            yield _pair(row["sentence2"], row["sentence1"], label, "med")


def _pair(claim: str, evidence: str, label: str, source: str) -> Pair:
    group = " ".join(evidence.lower().split())
    return Pair(claim.strip(), evidence.strip(), label, "general", source, group, part_of(f"nli:{group}", 0.92, 0.04))
