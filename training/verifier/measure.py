"""Measure a checker on held-out claims: thresholds from the calibrate part, figures from the report part.

    python -m tracejury.training.verifier.readings ../shared/data READINGS.json.xz
    python -m tracejury.training.verifier.score READINGS.json.xz SCORES.npy
    python -m tracejury.training.verifier.measure READINGS.json.xz SCORES.npy --out FIGURES.json

A threshold is set per relation: over all runs of up to three sentences of the claim's own and of the nearest foreign
document, at most 5 % of the claims of the calibrate part may have one that counts for the wrong relation (sets weigh
alike). The lift of a reading is P(counts | right relation) - P(counts | flipped relation), by gold class and averaged.
"""

from __future__ import annotations

import argparse
import json
import lzma
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
SUPPORTS, CONTRADICTS = 0, 1
SETS = ("scifact", "clinifact", "pubmedqa", "medhallu")
FALSE_RATE = 0.05
WAYS = ("whole", "best", "group")


class Claim(NamedTuple):
    """What the figures need to know of a claim."""

    label: str
    source: str
    group: str


class Strengths(NamedTuple):
    """P(supports) and P(contradicts) by claim, (n, 2), for each way of reading: the highest of its texts."""

    claims: list[Claim]
    by_way: dict[str, Floats]


def strengths(claims: list[Claim], readings: Sequence[tuple[int, str]], scores: Floats) -> Strengths:
    """Take the highest probability of each relation over the texts of each way; `found` is (claim, way) a score."""
    by_way: dict[str, Floats] = {}
    for (claim, way), score in zip(readings, scores, strict=True):
        best = by_way.setdefault(way, np.zeros((len(claims), 2)))
        best[claim] = np.maximum(best[claim], score[:2])
    return Strengths(claims, by_way)


def thresholds(calibrate: Strengths, rate: float = FALSE_RATE) -> tuple[float, float]:
    """Least thresholds of `supports` and `contradicts` that keep wrong citations at `rate` of the claims."""
    anything = np.maximum(calibrate.by_way["own group"], calibrate.by_way["foreign group"])
    wrong = (
        {"contradicted", "not_supported", "not_enough"},
        {"supported", "not_enough"},
    )
    cut = []
    for relation, labels in enumerate(wrong):
        sets = [anything[[c.source == name and c.label in labels for c in calibrate.claims], relation] for name in SETS]
        levels = np.unique(np.concatenate([s for s in sets if len(s)]))
        rates = np.mean([(s[None] >= levels[:, None]).mean(1) for s in sets if len(s)], axis=0)
        cut.append(float(levels[rates <= rate].min() if (rates <= rate).any() else 1.0))
    return cut[0], cut[1]


def lifts(strong: Strengths, source: str, way: str, cut: tuple[float, float]) -> tuple[Floats, list[str]]:
    """Per claim: right relation counts less wrong relation counts; NaN where the label names no relation.

    For a hallucinated answer the flipped relation is `supports` and no right one is known, so that the lift is that of
    the supports side: true answers that count less hallucinated ones that do.
    """
    counts = (strong.by_way[way] >= np.array(cut)).astype(float)
    values, groups = [], []
    for claim, (supports, contradicts) in zip(strong.claims, counts, strict=True):
        if claim.source == source and claim.label != "not_enough":
            if source == "medhallu":
                values.append((claim.label == "supported", supports, 0.0))
            else:
                right = (supports, contradicts) if claim.label == "supported" else (contradicts, supports)
                values.append((claim.label == "supported", *right))
            groups.append(claim.group)
    return np.array(values, float), groups


def mean_lift(values: Floats, source: str) -> float:
    """Average over the gold classes; on MedHallu the difference of true and hallucinated answers."""
    yes = values[values[:, 0] == 1]
    no = values[values[:, 0] == 0]
    if source == "medhallu":
        return float(yes[:, 1].mean() - no[:, 1].mean())
    return float(np.mean([(part[:, 1] - part[:, 2]).mean() for part in (yes, no)]))


def with_interval(value: Callable[[NDArray[np.int64]], float], groups: Sequence[str]) -> list[float]:
    """Return the estimate and its 95 % interval, groups resampled; `value` takes places in the list of claims."""
    places: dict[str, list[int]] = {}
    for i, group in enumerate(groups):
        places.setdefault(group, []).append(i)
    members = [np.array(p) for p in places.values()]
    random = np.random.default_rng(0)
    resampled = []
    for _ in range(1000):
        chosen = np.concatenate([members[k] for k in random.integers(len(members), size=len(members))])
        resampled.append(value(chosen))
    low, high = np.nanquantile(resampled, [0.025, 0.975])
    return [round(float(x), 3) for x in (value(np.arange(len(groups))), low, high)]


def auroc(yes: Floats, no: Floats) -> float:
    """Share of (yes, no) pairs in the right order, ties at half."""
    if not len(yes) or not len(no):
        return float("nan")
    below = np.searchsorted(np.sort(no), yes, "left") + np.searchsorted(np.sort(no), yes, "right")
    return float(below.mean() / (2 * len(no)))


def figures(strong: Strengths, source: str, cut: tuple[float, float]) -> dict[str, Any]:
    """All figures of one set."""
    chosen = [i for i, c in enumerate(strong.claims) if c.source == source]
    labels = np.array([strong.claims[i].label for i in chosen])
    alone = strong.by_way["empty"][chosen]
    margin = alone[:, SUPPORTS] - alone[:, CONTRADICTS]
    out: dict[str, Any] = {"n": {str(k): int((labels == k).sum()) for k in np.unique(labels)}}
    out |= {way: figures_of_way(strong, source, way, cut) for way in WAYS}
    true, false = labels == "supported", np.isin(labels, ("contradicted", "not_supported"))
    out["auroc without evidence"] = round(auroc(margin[true], margin[false]), 3)
    return out


def figures_of_way(strong: Strengths, source: str, way: str, cut: tuple[float, float]) -> dict[str, Any]:
    """Figures of one set for one way of reading its evidence, with intervals by group."""
    chosen = [i for i, c in enumerate(strong.claims) if c.source == source]
    labels = np.array([strong.claims[i].label for i in chosen])
    groups = [strong.claims[i].group for i in chosen]
    own, foreign = strong.by_way[f"own {way}"][chosen], strong.by_way[f"foreign {way}"][chosen]
    counts, foreign_counts = own >= np.array(cut), foreign >= np.array(cut)
    true, false = labels == "supported", np.isin(labels, ("contradicted", "not_supported"))
    margin = own[:, SUPPORTS] - own[:, CONTRADICTS]
    values, members = lifts(strong, source, f"own {way}", cut)
    empty, elsewhere = (lifts(strong, source, name, cut)[0] for name in ("empty", f"foreign {way}"))

    def lift(k: NDArray[np.int64]) -> float:
        return mean_lift(values[k], source)

    def share(relation: int, among: NDArray[np.bool_]) -> list[float]:
        return with_interval(lambda k: _rate(counts[k, relation], among[k]), groups)

    entry = {
        "auroc": with_interval(lambda k: auroc(margin[k][true[k]], margin[k][false[k]]), groups),
        "own against foreign": round(auroc(own[true, SUPPORTS], foreign[true, SUPPORTS]), 3),
        "true rate, supports": share(SUPPORTS, true),
        "false rate, supports": share(SUPPORTS, false),
        "foreign counts": with_interval(lambda k: float(foreign_counts[k].any(1).mean()), groups),
        "foreign P(supports) over .5": round(float((foreign[:, SUPPORTS] > 0.5).mean()), 3),
        "lift": with_interval(lift, members),
        "lift beyond empty": with_interval(lambda k: lift(k) - mean_lift(empty[k], source), members),
        "lift beyond foreign": with_interval(lambda k: lift(k) - mean_lift(elsewhere[k], source), members),
    }
    if source != "medhallu":
        entry["true rate, contradicts"] = share(CONTRADICTS, labels == "contradicted")
        entry["false rate, contradicts"] = share(CONTRADICTS, true)
    return entry


def _rate(counts: NDArray[np.bool_], among: NDArray[np.bool_]) -> float:
    return float(counts[among].mean()) if among.any() else float("nan")


def report(calibrate: Strengths, held_out: Strengths) -> dict[str, Any]:
    """Thresholds and figures by set."""
    cut = thresholds(calibrate)
    sets = {name: figures(held_out, name, cut) for name in (*SETS, "nli4ct")}
    return {"thresholds": {"supports": cut[0], "contradicts": cut[1]}, "sets": sets}


def read_strengths(readings: Path, scores: Path) -> tuple[Strengths, Strengths]:
    """Return the strengths of the calibrate and the report part from the files of `readings` and `score`."""
    with lzma.open(readings, "rt") as handle:
        file = json.load(handle)
    table = np.load(scores)
    parts = []
    for part in ("calibrate", "report"):
        places = [i for i, row in enumerate(file["rows"]) if row[6] == part]
        claims: dict[int, Claim] = {}
        ways: list[tuple[int, str]] = []
        for i in places:
            _, _, label, way, source, group, *_ = file["rows"][i]
            number, name = group.split(":", 1)
            claims.setdefault(int(number), Claim(label, source, name))
            ways.append((int(number), way))
        parts.append(strengths([claims[i] for i in range(len(claims))], ways, table[places]))
    return parts[0], parts[1]


def main() -> None:
    """Write the figures of the scores."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("readings", type=Path)
    parser.add_argument("scores", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    result = report(*read_strengths(args.readings, args.scores))
    args.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
