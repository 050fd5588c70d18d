"""The texts that the verifier's pairs are made from, in sentences, each with its part of the split."""

from __future__ import annotations

import csv
import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tracejury.traces import split_sentences
from tracejury.training.verifier.splits import corpus_part, read_splits


class Document(NamedTuple):
    """One text. `group` is the unit of the split and of the hard negatives: what is about the same topic."""

    source: str
    group: str
    part: str
    sentences: list[str]


def documents(data: Path) -> Iterator[Document]:
    """Stream the corpora's documents, then the abstracts and notes of the labelled sets that may be trained on."""
    for row in _lines(data / "corpus/medquad/medquad_passages.jsonl.gz"):
        yield _document("medquad", row["focus"], corpus_part("medquad", row["focus"]), row.get("answer") or "")
    for row in _lines(data / "corpus/openstax_nursing/openstax_nursing_passages.jsonl.gz"):
        if "Preface" not in row["module_title"]:
            yield _document("openstax", row["module"], corpus_part("openstax", row["module"]), row["text"])
    for row in _lines(data / "corpus/ngc_public_domain/ngc_pd_passages.jsonl.gz"):
        yield _document("ngc", row["guideline"], corpus_part("ngc", row["guideline"]), row["text"])
    for path in sorted((data / "corpus/open_medicine/content").glob("*/*.md")):
        text = re.sub(r"[*#|`]+", " ", path.read_text())
        yield _document("open_medicine", path.parent.name, corpus_part("open_medicine", path.parent.name), text)
    splits = read_splits()
    pubmed = json.loads((data / "pubmedqa/ori_pqal.json").read_text())
    for key in splits["pubmedqa"]["train"]:
        yield _document("pubmedqa", key, "train", "\n".join(pubmed[key]["CONTEXTS"]))
    part_notes = set(splits["clinifact"]["train"])
    for row in _table(data / "clinifact/validation_set.csv"):
        if row["index"] in part_notes:
            yield _document("clinifact", row["PMID"], "train", row["article_abstract"])
    for part in ("train", "calibrate", "report"):
        # Vignette sentences: ages, measurements and negated findings that the references do not have.
        part_notes = set(splits["medec"][part])
        for row in _table(next((data / "medec").glob("*.csv"))):
            if row["Text ID"] in part_notes:
                yield _document("medec", row["Text ID"], part, row["Text"].replace(row["Error Sentence"], ""))


def cut(text: str) -> list[str]:
    """Cut `text` into sentences without bullets and with single spaces."""
    text = re.sub(r"\s+-\s+(?=[A-Z])", "\n- ", text)
    return [re.sub(r"^[-*•◦▪#>\s]+", "", " ".join(text[start:end].split())) for start, end in split_sentences(text)]


def _document(source: str, group: str, part: str, text: str) -> Document:
    return Document(source, group, part, [s for s in cut(text) if 3 <= len(s.split()) <= 60])


def _lines(path: Path) -> Iterator[dict[str, str]]:
    with gzip.open(path, "rt") as handle:
        yield from map(json.loads, handle)


def _table(path: Path) -> Iterator[dict[str, str]]:
    with path.open(newline="") as handle:
        yield from csv.DictReader(handle)
