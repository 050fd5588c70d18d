"""What the committed verifier can do: held-out alterations, real claims, relevance against cosine, speed.

    python benchmarks/verifier.py PAIRS.jsonl.xz --out benchmarks/results/verifier.json

PAIRS is what `python -m tracejury.training.verifier.pairs` wrote. Accuracy is of the `report` part; thresholds come
from the `calibrate` part. Intervals: 95 %, documents resampled.
"""

from __future__ import annotations

import argparse
import json
import lzma
import random
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tracejury.agents import Entailed, entailment
from tracejury.reports import bootstrap

Row = dict[str, str]


def by_kind(rows: Sequence[Row], scores: Sequence[Entailed]) -> dict[str, Any]:
    """Share of right labels, by how a pair was made, with an interval by document."""
    hits: dict[str, dict[str, list[bool]]] = defaultdict(lambda: defaultdict(list))
    for row, score in zip(rows, scores, strict=True):
        right = label_of(score) == row["label"]
        hits[f"{row['kind']}: {row['label']}"][row["group"]].append(right)
    out = {}
    for kind, groups in sorted(hits.items()):
        sums = np.array([[sum(v), len(v)] for v in groups.values()], dtype=float)
        estimate = bootstrap(sums, lambda c: (c[..., 0] / c[..., 1])[..., None], draws=2000).estimate(0)
        out[kind] = {**estimate.model_dump(), "n": int(sums[:, 1].sum()), "documents": len(sums)}
    return out


def label_of(score: Entailed) -> str:
    """The most likely label."""
    return max(Entailed._fields, key=lambda name: getattr(score, name))


def auroc(rows: Sequence[Row], values: Sequence[float], positive: Callable[[Row], bool]) -> dict[str, Any]:
    """Area under the curve, with an interval by document."""
    levels, level = np.unique(np.round(values, 3), return_inverse=True)
    groups = {g: i for i, g in enumerate(dict.fromkeys(r["group"] for r in rows))}
    sums = np.zeros((len(groups), 2, len(levels)))
    for row, at in zip(rows, level, strict=True):
        sums[groups[row["group"]], int(positive(row)), at] += 1

    def area(counts: np.ndarray) -> np.ndarray:
        no, yes = np.split(counts, 2, axis=-1)
        below = np.cumsum(no, axis=-1) - no / 2
        return ((yes * below).sum(-1) / (yes.sum(-1) * no.sum(-1)))[..., None]

    estimate = bootstrap(sums.reshape(len(groups), -1), area, draws=2000).estimate(0)
    return {**estimate.model_dump(), "n": len(rows), "positive": sum(map(positive, rows))}


def thresholds(rows: Sequence[Row], scores: Sequence[Entailed], precision: float = 0.97) -> dict[str, Any]:
    """Least thresholds of the calibrate part at which the share of right verdicts is at least `precision`."""
    out = {}
    for name in ("supported", "contradicted"):
        values = np.array([getattr(s, name) for s in scores])
        true = np.array([r["label"] == name for r in rows])
        out[name] = next(
            (t for t in np.arange(0.5, 0.99, 0.01).round(2).tolist() if true[values >= t].mean() >= precision), None
        )
    return out


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pairs", type=Path)
    parser.add_argument("--limit", type=int, default=4000, help="corpus pairs a part, drawn at random")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    rows: dict[str, list[Row]] = {"calibrate": [], "report": []}
    with lzma.open(args.pairs, "rt") as handle:
        for line in handle:
            if '"part": "train"' not in line[-40:]:
                row = json.loads(line)
                rows[row["part"]].append(row)
    sets = ("pubmedqa", "clinifact", "medec")
    for part, part_rows in rows.items():
        real = [r for r in part_rows if r["kind"] in sets]
        made_rows = [r for r in part_rows if r["kind"] not in sets]
        rows[part] = real + random.Random(0).sample(made_rows, min(args.limit, len(made_rows)))
    model = entailment()
    scores, began = {}, time.process_time()
    for part, part_rows in rows.items():
        scores[part] = model.score([(r["claim"], r["evidence"]) for r in part_rows])
    spent = time.process_time() - began
    report, report_scores = rows["report"], scores["report"]
    pick = {name: [(r, s) for r, s in zip(report, report_scores, strict=True) if r["kind"] == name] for name in sets}
    clinical = [r for r, _ in pick["clinifact"]]
    decided = [(r, s) for r, s in pick["pubmedqa"] if r["label"] != "not_enough"]
    result: dict[str, Any] = {
        "pairs_a_cpu_second": round(sum(map(len, rows.values())) / spent, 1),
        "accuracy": by_kind(report, report_scores),
        "thresholds_from_calibrate": thresholds(rows["calibrate"], scores["calibrate"]),
        "pubmedqa_yes_against_no_auroc": auroc(
            [r for r, _ in decided],
            [s.supported - s.contradicted for _, s in decided],
            lambda r: r["label"] == "supported",
        ),
        "medec_wrong_against_corrected_auroc": auroc(
            [r for r, _ in pick["medec"]],
            [s.contradicted for _, s in pick["medec"]],
            lambda r: r["label"] == "contradicted",
        ),
        "clinifact_relevance_auroc": {
            "verifier": auroc(clinical, [1 - s.not_enough for _, s in pick["clinifact"]], bears),
            "cosine": auroc(clinical, cosine(clinical), bears),
        },
        "relevance_same_topic_auroc": relevance_auroc(report, report_scores),
    }
    print(json.dumps(result, indent=1))
    if args.out:
        args.out.write_text(json.dumps(result, indent=1) + "\n")


def bears(row: Row) -> bool:
    """Whether the evidence decides the claim, by the label."""
    return row["label"] != "not_enough"


def relevance_auroc(rows: Sequence[Row], scores: Sequence[Entailed]) -> dict[str, Any]:
    """Telling a claim's own sentence from another of its topic: the verifier and cosine."""
    kept_rows = [(r, s) for r, s in zip(rows, scores, strict=True) if r["kind"] in ("true", "restated", "same_topic")][
        :1500
    ]
    rows = [r for r, _ in kept_rows]
    return {
        "verifier": auroc(rows, [1 - s.not_enough for _, s in kept_rows], bears),
        "cosine": auroc(rows, cosine(rows), bears),
    }


def cosine(rows: Sequence[Row]) -> list[float]:
    """The plain scorer's values."""
    from tracejury.retrieval import relevance

    return relevance("cosine").score([(r["claim"], r["evidence"]) for r in rows])


if __name__ == "__main__":
    main()
