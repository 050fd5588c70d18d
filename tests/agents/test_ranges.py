"""Reference ranges: cited from the vignette or from a passage, or nothing is said."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tracejury.agents import Case, Label, Opinion, judges
from tracejury.retrieval import Document, Passage, sources
from tracejury.traces import ErrorType

STEM = (
    "A 54-year-old woman is tired. Potassium is 2.9 mEq/L, creatinine is 1.2 mg/dL, sodium is 139 mEq/L, and lipase is "
    "95 U/L (normal, 10 to 60)."
)
JUDGE = judges.make("data")


def passages() -> tuple[Passage, ...]:
    documents = [d for d in sources.make("reference-ranges").documents() if isinstance(d, Document)]
    shared_fields = set(Document.model_fields) & set(Passage.model_fields)
    return tuple(Passage(**d.model_dump(include=shared_fields)) for d in documents)


def case(step: str, stem: str = STEM, **update: object) -> Case:
    case = Case(step_id="s", trace_id="t", stem=stem, step_index=1, step=step, passages=passages())
    return case.model_copy(update=update)


@pytest.mark.parametrize(
    ("step", "kind", "source"),
    [
        ("A potassium of 2.9 mEq/L is normal.", ErrorType.FACTUAL, "OpenStax"),
        ("Her elevated potassium of 2.9 mEq/L needs treatment.", ErrorType.FACTUAL, "OpenStax"),
        ("The sodium of 139 mEq/L is markedly low.", ErrorType.FACTUAL, "OpenStax"),
        ("Her hemoglobin is normal at 8.1 g/dL.", ErrorType.FACTUAL, "OpenStax"),
        ("A lipase of 95 U/L is within normal limits.", ErrorType.CONTRADICTS_VIGNETTE, ""),
    ],
)
def test_what_a_cited_range_rules_out_is_an_error_with_its_citation(
    step: str, kind: ErrorType, source: str, opine: Callable[..., Opinion]
) -> None:
    finding = JUDGE.judge(case(step))  # type: ignore[attr-defined]
    assert (finding.label, finding.error_type) == (Label.ERROR, kind), finding
    opinion = opine(finding, on=case(step), floor=0.0)
    assert len(opinion.derivations) == 1
    assert all(c.verified for c in opinion.citations), opinion.citations
    assert opinion.grounded
    assert any(source in c.citation for c in opinion.citations)


@pytest.mark.parametrize(
    "step",
    [
        "A potassium of 2.9 mEq/L is low.",
        "A potassium of 3.4 mEq/L is normal.",  # another laboratory may say so
        "A creatinine of 1.2 mg/dL is elevated.",
        "An albumin of 4 g/dL is elevated for her size.",
        "A sodium of 139 mEq/L is not low.",
        "A lipase of 95 U/L is high.",
        "If potassium of 2.9 mEq/L is normal, we may go on.",
        "An albumin of 2 g/dL is low.",
        "A troponin of 4 ng/mL is normal.",
    ],
)
def test_what_laboratories_may_differ_on_is_left_alone(step: str) -> None:
    finding = JUDGE.judge(case(step))  # type: ignore[attr-defined]
    assert finding.label is not Label.ERROR, finding.findings


def test_no_range_is_claimed_that_is_not_cited() -> None:
    step = "A potassium of 2.9 mEq/L is normal."
    assert JUDGE.judge(case(step, passages=())).label is Label.UNCLEAR  # type: ignore[attr-defined]
    child = STEM.replace("54-year", "5-year")
    assert JUDGE.judge(case(step, child)).label is Label.UNCLEAR  # type: ignore[attr-defined]
    lipase = "A lipase of 95 U/L is within normal limits."
    assert JUDGE.judge(case(lipase, child, passages=())).label is Label.ERROR  # type: ignore[attr-defined]


def test_every_range_stands_in_the_book_that_it_names(shared_data: Path) -> None:
    with gzip.open(shared_data / "corpus/openstax_nursing/openstax_nursing_passages.jsonl.gz", "rt") as lines:
        text = {b: "" for b in ("pharmacology", "nutrition")}
        for line in lines:
            passage = json.loads(line)
            if passage["book"] in text:
                text[passage["book"]] += passage["text"]
    listed = yaml.safe_load(Path("retrieval/sources/reference_ranges.yaml").read_text("utf-8"))["ranges"]
    assert len(listed) == len(passages()) == 22
    for entry in listed:
        assert entry["stated"] in text[entry["book"]], entry["name"]
        ranges = [entry.get(group, "").replace(",", "").replace("/mm3", "") for group in ("women", "men", "adults")]
        ours = [float(n) for n in re.findall(r"[\d.]+", " ".join(ranges))]
        theirs = [float(n) for n in re.findall(r"\d+(?:\.\d+)?", entry["stated"].split("|")[-1].replace("109", ""))]
        # Cells in 10^9/L are thousands a cubic millimetre.
        scale = 1000 if "109" in entry["stated"] else 1
        assert ours == [n * scale for n in theirs], entry["name"]
