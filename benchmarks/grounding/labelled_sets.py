"""Claims with human labels and the evidence that they are about; parts that nothing was trained or tuned on."""

from __future__ import annotations

import ast
import csv
import json
import random
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from tracejury.agents import Relation
from tracejury.training.verifier.splits import read_splits
from tracejury.training.verifier.tasks import statement


class LabelledClaim(NamedTuple):
    """A claim, its evidence, and how that stands to it by a person's judgement."""

    source: str
    group: str
    """Article, trial or question: rows of one group are not independent of each other."""
    claim: str
    evidence: str
    """An abstract or the gold lines, one sentence or line after another."""
    relation: Relation | None
    """None: the evidence does not support the claim, and nothing else is known (MedHallu's wrong answers)."""


def labelled_sets(data: Path) -> dict[str, list[LabelledClaim]]:
    """Return every set by name; claims whose evidence is silent are left out."""
    sets = {
        "SciFact": list(scifact(data)),
        "CliniFact": list(clinifact(data)),
        "PubMedQA": list(pubmedqa(data)),
        "MedHallu": list(medhallu(data)),
        "NLI4CT gold lines": list(nli4ct(data)),
    }
    return {name: [c for c in claims if c.relation is not Relation.SILENT] for name, claims in sets.items()}


def sample(claims: Sequence[LabelledClaim], most: int, seed: int = 0) -> list[LabelledClaim]:
    """Return whole groups in a seeded order until there are `most` claims."""
    by_group: dict[str, list[LabelledClaim]] = {}
    for claim in claims:
        by_group.setdefault(claim.group, []).append(claim)
    order = sorted(by_group)
    random.Random(seed).shuffle(order)
    chosen: list[LabelledClaim] = []
    for group in order:
        if len(chosen) >= most:
            break
        chosen += by_group[group]
    return chosen


def foreign_evidence(claims: Sequence[LabelledClaim], seed: int = 0) -> list[str]:
    """Return for each claim the evidence of another group of the same set, drawn at random."""
    rng = random.Random(seed)
    drawn = []
    for claim in claims:
        other = rng.choice(claims)
        while other.group == claim.group or other.evidence == claim.evidence:
            other = rng.choice(claims)
        drawn.append(other.evidence)
    return drawn


def scifact(data: Path) -> Iterator[LabelledClaim]:
    """The set's own development rows: claims and the sentences that decide them."""
    names = {"entailment": Relation.SUPPORTS, "not_entailment": Relation.CONTRADICTS}
    for row in _rows(data / "scifact_pairs/dev.tsv", "\t"):
        group = " ".join(row["sentence1"].lower().split())[:60]
        yield LabelledClaim("SciFact", group, row["sentence2"], row["sentence1"], names[row["entailment"]])


def clinifact(data: Path) -> Iterator[LabelledClaim]:
    """Claims about trials and the abstract of the article: report part."""
    names = {"1": Relation.SUPPORTS, "0": Relation.CONTRADICTS, "2": Relation.SILENT}
    report = set(read_splits()["clinifact"]["report"])
    for row in _rows(data / "clinifact/validation_set.csv"):
        if row["index"] in report:
            yield LabelledClaim("CliniFact", row["nctId"], row["claim"], row["article_abstract"], names[row["label"]])


def pubmedqa(data: Path) -> Iterator[LabelledClaim]:
    """Questions as statements and the abstract without its conclusion: report part."""
    names = {"yes": Relation.SUPPORTS, "no": Relation.CONTRADICTS, "maybe": Relation.SILENT}
    entries = json.loads((data / "pubmedqa/ori_pqal.json").read_text("utf-8"))
    for key in read_splits()["pubmedqa"]["report"]:
        entry = entries[key]
        relation = names[entry["final_decision"]]
        yield LabelledClaim("PubMedQA", key, statement(entry["QUESTION"]), "\n".join(entry["CONTEXTS"]), relation)


def medhallu(data: Path) -> Iterator[LabelledClaim]:
    """True and hallucinated answers and the abstract; the part is that of the PubMedQA question."""
    entries = json.loads((data / "pubmedqa/ori_pqal.json").read_text("utf-8"))
    report = {_plain(entries[key]["QUESTION"]): key for key in read_splits()["pubmedqa"]["report"]}
    for row in _rows(data / "medhallu/prepared_detection_input.csv"):
        key = report.get(_plain(row["question"]))
        if key is not None:
            text = "\n".join(ast.literal_eval(row["knowledge"])["contexts"])
            for column, relation in (("ground_truth", Relation.SUPPORTS), ("least_similar_answer", None)):
                yield LabelledClaim("MedHallu", key, " ".join(row[column].split()), text, relation)


def nli4ct(data: Path) -> Iterator[LabelledClaim]:
    """Statements about trial records and the lines that decide them."""
    names = {"Entailment": Relation.SUPPORTS, "Contradiction": Relation.CONTRADICTS}
    with zipfile.ZipFile(data / "nli4ct/nli4ct_dev.zip") as archive:
        for entry in json.loads(archive.read("Complete_dataset/Gold_test_dev_half.json")).values():
            lines = []
            for role in ("Primary", "Secondary"):
                if trial := entry.get(f"{role}_id"):
                    record = json.loads(archive.read(f"Complete_dataset/CT json/{trial}.json"))[entry["Section_id"]]
                    cited = [record[i].strip() for i in entry.get(f"{role}_evidence_index", []) if i < len(record)]
                    lines += [f"{role} trial: {line}" for line in cited]
            if lines:
                group = entry["Primary_id"]
                yield LabelledClaim(
                    "NLI4CT gold lines", group, entry["Statement"], "\n".join(lines), names[entry["Label"]]
                )


def _plain(text: str) -> str:
    return " ".join("".join(c if c.isalnum() else " " for c in text.lower()).split())


def _rows(path: Path, delimiter: str = ",") -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as handle:
        return list(csv.DictReader(handle, delimiter=delimiter))
