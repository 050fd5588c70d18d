"""Pairs from the labelled sets: PubMedQA (question, abstract), CliniFact (claim, abstract), MEDEC (sentence, note).

How their labels are read: PubMedQA yes / no / maybe is supported / contradicted / not enough. CliniFact's `no
information` is not enough, and `inconclusive` (the trial did not show what the claim says) is contradicted. In MEDEC a
sentence with an error contradicts its note; the corrected one is merely possible in it: not enough.
"""

from __future__ import annotations

import csv
import json
import random
import re
from collections.abc import Iterator
from pathlib import Path

from tracejury.training.verifier.alter import Diseases, alter, reword
from tracejury.training.verifier.documents import cut
from tracejury.training.verifier.splits import read_splits

Row = tuple[str, str, str, str, str, str, str]
_AUXILIARY = re.compile(
    r"^(?P<aux>is|are|was|were)\s+(?P<subject>.+?)\s+(?P<rest>(?:associated|related|effective|useful|safe|necessary|"
    r"needed|better|more|less|predictive|a|an|the|different|increased|decreased|reduced|affected|influenced|important|"
    r"beneficial|feasible|reliable|valid|accurate|possible|sufficient|correlated|independent|present|higher|lower)\b.*)$",
    re.I,
)


def statement(question: str) -> str:
    """Turn a yes/no question into the statement that it asks about, where that takes no grammar; else leave it."""
    text = question.strip().rstrip("?").strip()
    text = re.sub(r"^(?:does|do|did)\s+", "", text, flags=re.I)
    moved = _AUXILIARY.match(text)
    if moved:
        text = f"{moved['subject']} {moved['aux'].lower()} {moved['rest']}"
    return text[:1].upper() + text[1:]


def task_pairs(data: Path, seed: int) -> Iterator[Row]:
    """Yield (claim, evidence, label, kind, source, group, part); training rows several times, in other words."""
    draw = random.Random(seed)
    splits = {
        name: {key: part for part, keys in parts.items() for key in keys} for name, parts in read_splits().items()
    }
    yield from _pubmedqa(data, splits["pubmedqa"], draw)
    yield from _clinifact(data, splits["clinifact"], draw)
    yield from _medec(data, splits["medec"], draw)


def _pubmedqa(data: Path, parts: dict[str, str], draw: random.Random) -> Iterator[Row]:
    label = {"yes": "supported", "no": "contradicted", "maybe": "not_enough"}
    for key, entry in json.loads((data / "pubmedqa/ori_pqal.json").read_text()).items():
        rest = ("pubmedqa", key, parts[key])
        abstract = cut("\n".join(entry["CONTEXTS"]))
        claim = statement(entry["QUESTION"])
        if parts[key] != "train":
            yield claim, " ".join(abstract[-7:]), label[entry["final_decision"]], "pubmedqa", *rest
            continue
        for n in (4, 5, 6, 7, 8, 10):
            evidence = " ".join(abstract[-n:])
            wording = claim if n % 2 else entry["QUESTION"]
            yield reword(wording, draw, 0.4), evidence, label[entry["final_decision"]], "pubmedqa", *rest
            conclusion = draw.choice(cut(entry["LONG_ANSWER"]) or [claim])
            yield reword(conclusion, draw, 0.4), evidence, "supported", "conclusion", *rest
            changed = alter(draw.choice(["negation", "direction"]), conclusion, draw, (), Diseases(()))
            if changed:
                yield reword(changed.text, draw, 0.4), evidence, "contradicted", "conclusion", *rest


def _clinifact(data: Path, parts: dict[str, str], draw: random.Random) -> Iterator[Row]:
    label = {"1": "supported", "0": "contradicted", "2": "not_enough"}
    with (data / "clinifact/validation_set.csv").open(newline="") as handle:
        for row in csv.DictReader(handle):
            part = parts[row["index"]]
            abstract = cut(row["article_abstract"])
            for n in (3, 4, 5, 6, 7, 8, 10) if part == "train" else (7,):
                claim = reword(row["claim"], draw, 0.3) if part == "train" else row["claim"]
                evidence = " ".join(abstract[-n:])
                if evidence:
                    yield claim, evidence, label[row["label"]], "clinifact", "clinifact", row["nctId"], part


def _medec(data: Path, parts: dict[str, str], draw: random.Random) -> Iterator[Row]:
    with next((data / "medec").glob("*.csv")).open(newline="") as handle:
        for row in csv.DictReader(handle):
            key, part = row["Text ID"], parts[row["Text ID"]]
            if row["Error Flag"] != "1" or part == "dropped":
                continue
            wrong, right = row["Error Sentence"], row["Corrected Sentence"]
            note = [s for s in cut(row["Text"]) if s[:40] not in wrong and wrong[:40] not in s]
            for n in (5, 6, 7, 8, 9) if part == "train" else (8,):
                size = min(n, len(note))
                evidence = " ".join(note[k] for k in sorted(draw.sample(range(len(note)), size)))
                if evidence:
                    strength = 0.4 if part == "train" else 0.0
                    yield reword(wrong, draw, strength), evidence, "contradicted", "medec", "medec", key, part
                    yield reword(right, draw, strength), evidence, "not_enough", "medec", "medec", key, part
