"""Which question or document belongs to which part: train, calibrate or report. Fixed before any pair is made.

Run it to write `training/verifier/splits.json` (ids only, no text):

    python -m tracejury.training.verifier.splits ../shared/data

The question, document or note is the unit; what is nearly the same text goes into the same part. MR-Ben is never
trained on, and MEDEC notes that share a passage of words with a MR-Ben question are taken out of the training part
(both derive from MedQA).
"""

from __future__ import annotations

import csv
import hashlib
import json
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

Part = Literal["train", "calibrate", "report"]
SPLITS = Path(__file__).with_name("splits.json")
_SHINGLE = 6


def part_of(group: str, train: float, calibrate: float) -> Part:
    """Draw the part of `group` from its SHA-256: the same on every machine, whatever else is in the data."""
    draw = int.from_bytes(hashlib.sha256(f"tracejury-verifier-1:{group}".encode()).digest()[:8], "big") / 2**64
    return "train" if draw < train else "calibrate" if draw < train + calibrate else "report"


def corpus_part(source: str, group: str) -> Part:
    """Part of a corpus document. `group` is what its near-copies share: a topic, a chapter, a guideline."""
    return part_of(f"{source}:{' '.join(group.lower().split())}", 0.85, 0.05)


def split_data_sets(data: Path) -> dict[str, dict[str, list[str]]]:
    """Split the labelled data sets under `data` (see ../shared/data/README.md).

    Returns:
        Data set -> part -> ids in the source's own terms. MEDEC has the further key `dropped`: notes of the training
        part that overlap with a MR-Ben question.
    """
    out: dict[str, dict[str, list[str]]] = {}
    pubmed = json.loads((data / "pubmedqa/ori_pqal.json").read_text())
    official = json.loads((data / "pubmedqa/test_ground_truth.json").read_text())
    # The data set's own test questions are reported on; the rest is split.
    out["pubmedqa"] = _parts({k: "report" if k in official else part_of(f"pubmedqa:{k}", 0.75, 0.25) for k in pubmed})

    with (data / "clinifact/validation_set.csv").open(newline="") as handle:
        trials = [(row["index"], row["nctId"], row["PMID"]) for row in csv.DictReader(handle)]
    groups = _connected({index: {nct, pmid} for index, nct, pmid in trials})
    out["clinifact"] = _parts({index: part_of(f"clinifact:{groups[index]}", 0.4, 0.2) for index, *_ in trials})

    mr_ben = json.loads((data / "mr_ben/medicine_dev_subset.json").read_text())
    out["mr_ben"] = _parts({k: part_of(f"mr_ben:{k}", 0.0, 0.5) for k in mr_ben})

    with next((data / "medec").glob("*.csv")).open(newline="") as handle:
        notes = {row["Text ID"]: shingles(row["Text"]) for row in csv.DictReader(handle)}
    groups = _connected(notes, least=0.2)
    parts: dict[str, str] = {key: part_of(f"medec:{groups[key]}", 0.4, 0.25) for key in notes}
    question_shingles = set().union(*(shingles(solutions[0]["Question"]) for solutions in mr_ben.values()))
    for key, note_shingles in notes.items():
        if parts[key] == "train" and overlap(note_shingles, question_shingles) >= 0.05:
            parts[key] = "dropped"
    out["medec"] = _parts(parts)
    return out


def shingles(text: str) -> set[str]:
    """Return the runs of six words of `text`, lower case, without punctuation."""
    words = re.findall(r"[a-z0-9]+", text.lower())
    return {" ".join(words[i : i + _SHINGLE]) for i in range(max(1, len(words) - _SHINGLE + 1))}


def overlap(one: set[str], other: set[str]) -> float:
    """Return the share of the shingles in `one` that stand in `other` as well."""
    return len(one & other) / max(1, len(one))


def _connected(marks: Mapping[str, set[str]], least: float = 0.0) -> dict[str, str]:
    """Return for every key the first key of its group: keys are joined when they share marks (a share > `least`)."""
    holders: dict[str, list[str]] = {}
    for key, key_marks in marks.items():
        for mark in key_marks:
            holders.setdefault(mark, []).append(key)
    leader = {key: key for key in marks}

    def root(key: str) -> str:
        while leader[key] != key:
            leader[key] = leader[leader[key]]
            key = leader[key]
        return key

    for keys in holders.values():
        for other in keys[1:]:
            if root(keys[0]) != root(other) and overlap(marks[other], marks[keys[0]]) > least:
                leader[root(other)] = root(keys[0])
    return {key: root(key) for key in marks}


def _parts(part_of_key: Mapping[str, str]) -> dict[str, list[str]]:
    return {part: sorted(k for k, p in part_of_key.items() if p == part) for part in sorted(set(part_of_key.values()))}


def read_splits() -> dict[str, dict[str, list[str]]]:
    """Read the split that the repository holds."""
    splits: dict[str, dict[str, list[str]]] = json.loads(SPLITS.read_text())
    return splits


def main(arguments: Iterable[str] = sys.argv[1:]) -> None:
    """Write the split of the data under the folder given as the only argument."""
    (data,) = arguments
    splits = split_data_sets(Path(data))
    SPLITS.write_text(json.dumps(splits, indent=0, sort_keys=True) + "\n")
    for name, parts in splits.items():
        print(f"{name}: " + ", ".join(f"{part} {len(ids)}" for part, ids in parts.items()))


if __name__ == "__main__":
    main()
