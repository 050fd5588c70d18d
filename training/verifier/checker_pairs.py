"""Write the pairs that the checker is trained on and measured by, as sentences and rows that point at them.

    python -m tracejury.training.verifier.pairs ../shared/data PAIRS.json.xz [SHARE]

The file holds `texts` and `rows` (claim, evidence, label, kind, source, part, stage), both texts by index. Stages:
`general` (general entailment), `main` (labelled and made pairs), `unlabelled` (for a teacher's labels).
"""

from __future__ import annotations

import csv
import json
import lzma
import random
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from tracejury.training.verifier.alter import reword
from tracejury.training.verifier.documents import Document, cut, documents
from tracejury.training.verifier.foreign import ForeignSentences
from tracejury.training.verifier.form_pairs import form_pairs
from tracejury.training.verifier.general import general_pairs
from tracejury.training.verifier.labelled import LabelledClaim, abstract, conclusions, labelled_claims
from tracejury.training.verifier.pairs import Pair, corpus_pairs
from tracejury.training.verifier.readings import held_out_claims, readings
from tracejury.training.verifier.real_pairs import (
    closing_claims,
    conclusion_pairs,
    crossed_answers,
    labelled_pairs,
    unlabelled_pairs,
)
from tracejury.training.verifier.splits import read_splits


def all_pairs(data: Path, share: float) -> Iterator[tuple[str, Pair]]:
    """Yield (stage, pair); `share` of the corpora's sentences are used."""
    labelled = list(labelled_claims(data))
    train = [c for c in labelled if c.part == "train"]
    all_documents = [*documents(data), *_abstracts(train)]
    foreign = foreign_sentences(all_documents, "train")
    yield from (("general", p) for p in general_pairs(data))

    authored = [*conclusions(data), *closing_claims(train)]
    yield from (("main", p) for p in labelled_pairs(train, foreign, 1))
    yield from (("main", p) for p in crossed_answers(train, 2))
    yield from (("main", p) for p in conclusion_pairs(authored, foreign, 3))
    yield from (("main", p) for p in medec_pairs(data, 4))
    sentences = {"train": int(24_000 * share), "calibrate": int(800 * share), "report": int(1_200 * share)}
    yield from (("main", p) for p in corpus_pairs(all_documents, 7, sentences))
    yield from (("main", p) for p in form_pairs(all_documents, foreign, "train", int(10_000 * share), 5, trained=True))
    for part in ("calibrate", "report"):
        own = foreign_sentences(all_documents, part)
        if part == "calibrate":
            yield from (("main", p) for p in labelled_pairs([c for c in labelled if c.part == part], own, 1))
        for trained in (True, False):
            yield from (("main", p) for p in form_pairs(all_documents, own, part, int(500 * share), 6, trained=trained))

    for part in ("calibrate", "report"):
        apart = held_out_claims(data, part)
        for reading in readings(apart):
            one = apart[reading.claim]
            yield (
                "reading",
                Pair(one.claim, reading.text, one.label, reading.way, one.source, str(reading.claim), part),
            )

    claims = [*train, *authored, *_sentences_as_claims(all_documents, int(9_000 * share))]
    yield from (("unlabelled", p) for p in unlabelled_pairs(claims, foreign, 8))


def foreign_sentences(documents: Sequence[Document], part: str) -> ForeignSentences:
    """The documents of one part as foreign evidence."""
    usable = [d for d in documents if d.part == part and d.source != "medec" and d.sentences]
    return ForeignSentences([d.sentences for d in usable], [d.group for d in usable])


def medec_pairs(data: Path, seed: int) -> Iterator[Pair]:
    """A note's wrong sentence beside the corrected one, each way: training part only."""
    draw = random.Random(seed)
    train_notes = set(read_splits()["medec"]["train"])
    with next((data / "medec").glob("*.csv")).open(newline="") as handle:
        for row in csv.DictReader(handle):
            if row["Text ID"] in train_notes and row["Error Flag"] == "1":
                wrong, right, note = row["Error Sentence"], row["Corrected Sentence"], cut(row["Text"])
                for claim, evidence, label in (
                    (wrong, right, "contradicted"), (right, wrong, "contradicted"), (wrong, wrong, "supported"),
                    (right, right, "supported"), (wrong, " ".join(note[:3]), "not_supported"),
                ):  # fmt: skip
                    yield Pair(reword(claim, draw, 0.5), evidence, label, "medec", "medec", row["Text ID"], "train")


def _abstracts(train: Sequence[LabelledClaim]) -> Iterator[Document]:
    """Abstracts of the training part; documents() has PubMedQA's and some of CliniFact's already."""
    for text, one in {c.abstract: c for c in train if c.source in ("clinifact", "scifact")}.items():
        yield Document(one.source, one.group, "train", list(text.sentences))


def _sentences_as_claims(documents: Sequence[Document], count: int) -> Iterator[LabelledClaim]:
    draw = random.Random(9)
    usable = [d for d in documents if d.part == "train" and d.source != "medec" and len(d.sentences) >= 4]
    for document in draw.choices(usable, weights=[len(d.sentences) for d in usable], k=count):
        i = draw.randrange(len(document.sentences))
        near = document.sentences[max(0, i - 6) : i + 7]
        if 6 <= len(document.sentences[i].split()) <= 45:
            yield LabelledClaim(
                document.sentences[i], abstract("\n".join(near)), "unlabelled", document.source, document.group, "train"
            )


def write(path: Path, pairs: Iterable[tuple[str, Pair]]) -> Counter[tuple[str, str, str, str]]:
    """Write the pairs, each text once; return how many there are by stage, part, kind and label."""
    texts: dict[str, int] = {}
    rows, counts = [], Counter[tuple[str, str, str, str]]()
    for stage, pair in pairs:
        ends = [texts.setdefault(text, len(texts)) for text in (pair.claim, pair.evidence)]
        rows.append((*ends, pair.label, pair.kind, pair.source, pair.group[:40], pair.part, stage))
        counts[stage, pair.part, pair.kind, pair.label] += 1
    with lzma.open(path, "wt", preset=6) as handle:
        json.dump({"texts": list(texts), "rows": rows}, handle, ensure_ascii=False)
    return counts


def main(arguments: Sequence[str] = sys.argv[1:]) -> None:
    """Write the file and print what is in it."""
    data, out, *share = arguments
    counts = write(Path(out), all_pairs(Path(data), float(share[0]) if share else 1.0))
    for key, n in sorted(counts.items()):
        print(*(f"{name:26}" for name in key), n)


if __name__ == "__main__":
    main()
