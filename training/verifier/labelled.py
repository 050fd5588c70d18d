"""Labelled claims about abstracts, each with its part: what may be trained on and what is only measured on.

Sets share trials, articles and questions. Rows of a training file that share one with a row held out are dropped here,
before any pair is made: CliniFact by trial, article and claim (and by trial with NLI4CT), SciFact by evidence and
claim, MedHallu by the PubMedQA question that it asks.
"""

from __future__ import annotations

import ast
import csv
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tracejury.training.verifier.documents import cut
from tracejury.training.verifier.splits import overlap, part_of, read_splits, shingles
from tracejury.training.verifier.tasks import statement

_SECTION = re.compile(r"(?m)^([A-Z][A-Z /,&-]{2,}):")
_OPENING = re.compile(r"BACKGROUND|OBJECTIVE|PURPOSE|AIM|INTRODUCTION|CONTEXT|RATIONALE|IMPORTANCE|SETTING|PARTICIPANT")
_CLOSING = re.compile(r"CONCLUSION|INTERPRETATION|DISCUSSION")


class Abstract(NamedTuple):
    """Sentences of an article, and which of them open it (aims, methods) or close it (conclusions)."""

    sentences: tuple[str, ...]
    opening: frozenset[int] = frozenset()
    closing: frozenset[int] = frozenset()


class LabelledClaim(NamedTuple):
    """A claim and what its abstract says of it.

    `label` is supported, contradicted, not_enough, or not_supported where the set tells only that. `group` is the unit
    that the claim shares with others: a trial, a question, an article.
    """

    claim: str
    abstract: Abstract
    label: str
    source: str
    group: str
    part: str


def clinifact(data: Path) -> Iterator[LabelledClaim]:
    """Claims of trials: supported, contradicted (`inconclusive`), not enough."""
    parts = _part_by_id("clinifact")
    validation = _rows(data / "clinifact/validation_set.csv")
    apart = [r for r in validation if parts[r["index"]] != "train"]
    held_out = set().union(*map(_shared, apart)) | nli4ct_trials(data)
    for row in apart:
        yield _trial(row, parts[row["index"]])
    # The validation set's calibrate part has 53 rows: every seventh article of the other file is added to it.
    further = [r for r in _rows(data / "clinifact/train_set_apart.csv") if not held_out & _shared(r)]
    for row in further:
        if part_of(f"clinifact:{row['PMID']}", 0.85, 0.15) == "calibrate":
            held_out |= _shared(row)
            yield _trial(row, "calibrate")
    for row in (*(r for r in validation if parts[r["index"]] == "train"), *further):
        if not held_out & _shared(row):
            yield _trial(row, "train")


def _shared(row: dict[str, str]) -> set[str]:
    return {_plain(row[key]) for key in ("nctId", "PMID", "claim")}


def _trial(row: dict[str, str], part: str) -> LabelledClaim:
    label = {"1": "supported", "0": "contradicted", "2": "not_enough"}[row["label"]]
    return LabelledClaim(row["claim"], abstract(row["article_abstract"]), label, "clinifact", row["nctId"], part)


def nli4ct_trials(data: Path) -> set[str]:
    """Trials that NLI4CT asks about, in the form in which rows are compared."""
    with zipfile.ZipFile(data / "nli4ct/nli4ct_dev.zip") as archive:
        names = [n for n in archive.namelist() if n.endswith(".json") and "CT json" not in n]
        return {_plain(t) for n in names for t in re.findall(r"NCT\d{8}", archive.read(n).decode())}


def pubmedqa(data: Path) -> Iterator[LabelledClaim]:
    """Questions as statements: yes, no and maybe are supported, contradicted and not enough."""
    names = {"yes": "supported", "no": "contradicted", "maybe": "not_enough"}
    parts = _part_by_id("pubmedqa")
    for key, entry in _pubmed(data).items():
        text = _of_sections(zip(entry["LABELS"], entry["CONTEXTS"], strict=False))
        yield LabelledClaim(
            statement(entry["QUESTION"]), text, names[entry["final_decision"]], "pubmedqa", key, parts[key]
        )


def conclusions(data: Path) -> Iterator[LabelledClaim]:
    """The authors' own conclusions, which their abstracts support: training part of PubMedQA only."""
    parts = _part_by_id("pubmedqa")
    for key, entry in _pubmed(data).items():
        if parts[key] == "train":
            text = _of_sections(zip(entry["LABELS"], entry["CONTEXTS"], strict=False))
            for sentence in cut(entry["LONG_ANSWER"]):
                yield LabelledClaim(sentence, text, "supported", "pubmedqa", key, "train")


def medhallu(data: Path) -> Iterator[LabelledClaim]:
    """True answers (supported) and hallucinated ones (not supported), in the part of their PubMedQA question."""
    parts = _part_by_id("pubmedqa")
    by_question = {_plain(e["QUESTION"]): (key, e["LABELS"]) for key, e in _pubmed(data).items()}
    for row in _rows(data / "medhallu/prepared_detection_input.csv"):
        key, labels = by_question[_plain(row["question"])]
        text = _of_sections(zip(labels, ast.literal_eval(row["knowledge"])["contexts"], strict=False))
        for column, label in (("ground_truth", "supported"), ("least_similar_answer", "not_supported")):
            yield LabelledClaim(" ".join(row[column].split()), text, label, "medhallu", key, parts[key])


def scifact(data: Path) -> Iterator[LabelledClaim]:
    """Claims and rationale sentences; the set's own development rows are the report part."""
    names = {"entailment": "supported", "not_entailment": "contradicted"}
    report = _rows(data / "scifact_pairs/dev.tsv", "\t")
    report_shingles = set().union(*(shingles(r["sentence1"]) for r in report))
    claims = [_pairs_of_words(r["sentence2"]) for r in report]
    for row in report:
        yield _scifact(row, names, "report")
    for row in _rows(data / "scifact_pairs/train.tsv", "\t"):
        words = _pairs_of_words(row["sentence2"])
        near = any(overlap(words, other) > 0.5 or overlap(other, words) > 0.5 for other in claims)
        if not near and not shingles(row["sentence1"]) & report_shingles:
            yield _scifact(row, names, part_of(f"scifact:{_plain(row['sentence1'])[:60]}", 0.75, 0.25))


def labelled_claims(data: Path) -> Iterator[LabelledClaim]:
    """All four sets."""
    yield from clinifact(data)
    yield from pubmedqa(data)
    yield from medhallu(data)
    yield from scifact(data)


def abstract(text: str) -> Abstract:
    """Cut an abstract whose sections stand on lines of their own, if it has any."""
    pieces = _SECTION.split(text)
    return _of_sections(zip(["", *pieces[1::2]], pieces[::2], strict=True))


def _of_sections(sections: Iterator[tuple[str, str]]) -> Abstract:
    sentences: list[str] = []
    opening: list[int] = []
    closing: list[int] = []
    for name, text in sections:
        of_section = [s for s in cut(text) if len(s.split()) >= 3]
        places = range(len(sentences), len(sentences) + len(of_section))
        methods = name.upper().startswith(("METHOD", "DESIGN", "PATIENTS", "MATERIAL"))
        if (methods or _OPENING.search(name.upper())) and "RESULTS" not in name.upper():
            opening += places
        if _CLOSING.search(name.upper()):
            closing += places
        sentences += of_section
    return Abstract(tuple(sentences), frozenset(opening), frozenset(closing))


def _scifact(row: dict[str, str], names: dict[str, str], part: str) -> LabelledClaim:
    text = Abstract(tuple(cut(row["sentence1"])))
    group = _plain(row["sentence1"])[:60]
    return LabelledClaim(row["sentence2"], text, names[row["entailment"]], "scifact", group, part)


def _pairs_of_words(text: str) -> set[str]:
    words = _plain(text).split()
    return {" ".join(words[i : i + 2]) for i in range(max(1, len(words) - 1))}


def _part_by_id(name: str) -> dict[str, str]:
    return {key: part for part, keys in read_splits()[name].items() for key in keys}


def _pubmed(data: Path) -> dict[str, dict[str, str]]:
    entries: dict[str, dict[str, str]] = json.loads((data / "pubmedqa/ori_pqal.json").read_text())
    return entries


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))


def _rows(path: Path, delimiter: str = ",") -> list[dict[str, str]]:
    with path.open(newline="") as handle:
        return list(csv.DictReader(handle, delimiter=delimiter))
