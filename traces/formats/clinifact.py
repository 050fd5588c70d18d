"""CliniFact: claims of clinical trials with the abstract that reports them (github.com/ds4dh/CliniFact), CSV."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tracejury.traces.contracts import Reader, ReadItem
from tracejury.traces.formats.medqa import split_of
from tracejury.traces.formats.place import Placed, files_under
from tracejury.traces.formats.rows import Row, csv_rows
from tracejury.traces.records import GivenStep, Problem, Question, Trace

_NEEDS = ("index", "nctId", "claim", "PMID", "article_title", "article_abstract", "label")
_LABELS = {"0": "inconclusive", "1": "supported", "2": "no information"}


class CliniFact(Placed):
    """A claim is a trace of one step; the abstract is its vignette.

    Only `supported` is a label of a step here: a claim that its abstract leaves open is not thereby wrong, so
    `inconclusive` and `no information` stand in `meta.clinifact_label` alone.
    """

    name = "clinifact"
    summary = "CliniFact CSV: claims with the abstract that supports them or not"

    def read(self, path: Path) -> Iterator[ReadItem]:
        """Yield an abstract, then the claim on it."""
        for file in files_under(path, "*.csv"):
            for row in csv_rows(file, header=True, needs=_NEEDS):
                self.at(file, row.line)
                if isinstance(row, Problem):
                    yield row
                else:
                    yield from self._claim(file, row)

    def _claim(self, file: Path, row: Row) -> Iterator[ReadItem]:
        data = row.data
        label = _LABELS.get(data["label"].strip())
        if label is None or not data["claim"].strip() or not data["article_abstract"].strip():
            what = f"label {data['label']!r}" if label is None else "an empty claim or abstract"
            yield self.problem(f"row {data['index']!r} has {what}; it is left out", "labels are 0, 1 and 2")
            return
        question = Question(
            stem=f"{data['article_title']}\n\n{data['article_abstract']}",
            source="clinifact",
            split=split_of(file),
            key=f"PMID {data['PMID']}",
            meta={"pmid": data["PMID"]},
        )
        yield question
        step = GivenStep(
            text=data["claim"], start=0, end=len(data["claim"]), label="supported" if label == "supported" else None
        )
        yield Trace(
            question_id=question.id,
            model="trial registry",
            arm="claim",
            text=data["claim"],
            steps=(step,),
            meta={"key": data["index"], "nct": data["nctId"], "clinifact_label": label},
        )


def clinifact() -> Reader:
    """Make the `clinifact` reader."""
    return CliniFact()
