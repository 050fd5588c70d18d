"""What is read for each held-out claim when the checker is measured: gold, foreign and empty evidence.

    python -m tracejury.training.verifier.readings ../shared/data READINGS.json.xz

A judge cites at most three sentences, so an abstract is read in every run of up to three neighbouring sentences
(`group`), in its three sentences most like the claim (`best`), and as a whole (`whole`).
"""

from __future__ import annotations

import json
import lzma
import sys
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from tracejury.training.verifier.excerpts import LONGEST_ABSTRACT, best, best_places, groups
from tracejury.training.verifier.foreign import ForeignSentences
from tracejury.training.verifier.labelled import Abstract, LabelledClaim, labelled_claims

FOREIGN_GROUPS = 9
"""Runs of a foreign document that are read: those most like the claim."""


class Reading(NamedTuple):
    """One evidence text for claim number `claim` of a list of claims; `way` says which text it is."""

    claim: int
    way: str
    text: str


def held_out_claims(data: Path, part: str) -> list[LabelledClaim]:
    """Claims of one part; the report part has NLI4CT as well, which is never trained or tuned on."""
    claims = [c for c in labelled_claims(data) if c.part == part and c.abstract.sentences]
    return claims + (list(nli4ct(data)) if part == "report" else [])


def nli4ct(data: Path) -> Iterator[LabelledClaim]:
    """Statements about trial records with the lines that decide them; the group is the first trial."""
    names = {"Entailment": "supported", "Contradiction": "contradicted"}
    with zipfile.ZipFile(data / "nli4ct/nli4ct_dev.zip") as archive:
        for entry in json.loads(archive.read("Complete_dataset/Gold_test_dev_half.json")).values():
            lines: list[str] = []
            for role in ("Primary", "Secondary"):
                if trial := entry.get(f"{role}_id"):
                    record = json.loads(archive.read(f"Complete_dataset/CT json/{trial}.json"))[entry["Section_id"]]
                    cited = [record[i].strip() for i in entry.get(f"{role}_evidence_index", []) if i < len(record)]
                    lines += [f"{role} trial: {line}" for line in cited]
            text = Abstract(tuple(lines or ["No line is cited."]))
            yield LabelledClaim(
                entry["Statement"], text, names[entry["Label"]], "nli4ct", entry["Primary_id"], "report"
            )


def readings(claims: Sequence[LabelledClaim]) -> Iterator[Reading]:
    """Yield every reading of every claim; foreign evidence is the nearest other document of the same set."""
    for source in dict.fromkeys(c.source for c in claims):
        chosen = [i for i, c in enumerate(claims) if c.source == source]
        own = list(dict.fromkeys((claims[i].group, claims[i].abstract.sentences) for i in chosen))
        foreign = ForeignSentences([sentences for _, sentences in own], [group for group, _ in own])
        near = foreign.nearest([claims[i].claim for i in chosen], [claims[i].group for i in chosen], 2)
        for at, (i, places) in enumerate(zip(chosen, near, strict=True)):
            labelled = claims[i]
            yield Reading(i, "empty", "")
            yield from _of(i, "own", labelled.claim, labelled.abstract.sentences)
            yield from _of(i, "foreign", labelled.claim, foreign.documents[places[0][0]], most=FOREIGN_GROUPS)
            other = claims[chosen[(at + len(chosen) // 2) % len(chosen)]]
            yield Reading(i, "random whole", " ".join(other.abstract.sentences[-LONGEST_ABSTRACT:]))
            yield Reading(i, "random best", best(labelled.claim, other.abstract.sentences, 3))


def _of(i: int, whose: str, claim: str, sentences: Sequence[str], most: int = 100) -> Iterator[Reading]:
    yield Reading(i, f"{whose} whole", " ".join(sentences[-LONGEST_ABSTRACT:]))
    yield Reading(i, f"{whose} best", best(claim, sentences, 3))
    runs = groups(sentences[:24])
    yield from (Reading(i, f"{whose} group", runs[k]) for k in best_places(claim, runs, most))


def write_readings(data: Path, out: Path) -> int:
    """Write the readings of both held-out parts in the form of `checker_pairs`; return how many there are.

    A row's `group` is the claim's number in its part and the group that it shares with others, `12:NCT01646255`.
    """
    texts: dict[str, int] = {}
    rows = []
    for part in ("calibrate", "report"):
        claims = held_out_claims(data, part)
        for i, way, text in readings(claims):
            one = claims[i]
            ends = [texts.setdefault(t, len(texts)) for t in (one.claim, text)]
            rows.append((*ends, one.label, way, one.source, f"{i}:{one.group}", part, "reading"))
    with lzma.open(out, "wt") as handle:
        json.dump({"texts": list(texts), "rows": rows}, handle, ensure_ascii=False)
    return len(rows)


if __name__ == "__main__":
    print(write_readings(Path(sys.argv[1]), Path(sys.argv[2])), "readings")
