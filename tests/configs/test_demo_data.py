"""The demo's data against the real reader, segmenter and answer extraction, and against the real data sets."""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml

from tracejury.traces import Batch, ErrorType, Segmentation, answer_correct, extract_answer, segment

DEMO = Path(str(files("tracejury.configs"))) / "demo"
Key = tuple[str, str]


def lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (DEMO / name).read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def batch() -> Iterator[Batch]:
    with Batch.open(DEMO) as opened:
        yield opened


@pytest.fixture(scope="module")
def cuts(batch: Batch) -> dict[Key, Segmentation]:
    planted = {}
    for trace in batch.traces():
        question = batch.question(trace.question_id)
        assert question is not None
        planted[question.key, trace.arm] = segment(trace)
    return planted


@pytest.fixture(scope="module")
def labels() -> dict[Key, list[dict[str, Any]]]:
    planted = defaultdict(list)
    for row in lines("labels.jsonl"):
        planted[row["question"], row["arm"]].append(row)
    return planted


def test_the_folder_is_read_without_a_problem(batch: Batch) -> None:
    assert batch.problems == ()


def test_every_question_has_both_arms_of_one_model(batch: Batch) -> None:
    keys = [row["id"] for row in lines("questions.jsonl")]
    assert len(keys) == len(set(keys)) >= 30
    traces = lines("traces.jsonl")
    assert Counter((t["question"], t["arm"]) for t in traces) == {
        (k, a): 1 for k in keys for a in ("base", "distilled")
    }
    assert {t["model"] for t in traces} == {"demo-8b"}
    assert not any("steps" in t for t in traces), "the segmenter must cut them"


def test_nothing_is_cut_dropped_or_capped(cuts: dict[Key, Segmentation]) -> None:
    for where, cut in cuts.items():
        assert (cut.segmenter, cut.cut_steps, cut.dropped, cut.capped) == ("reasoning", 0, 0, 0), where
        assert cut.stripped_answer, where
        assert 4 <= len(cut.steps) <= 8, where


def test_every_label_stands_at_the_step_that_it_quotes(
    cuts: dict[Key, Segmentation], labels: dict[Key, list[dict[str, Any]]]
) -> None:
    assert cuts.keys() == labels.keys()
    for where, rows in labels.items():
        steps = cuts[where].steps
        assert [row["step"] for row in rows] == [step.index for step in steps], where
        for row, step in zip(rows, steps, strict=True):
            assert step.text.startswith(row["quote"]), (where, step.index)


def test_every_label_is_complete_and_every_error_type_is_planted(labels: dict[Key, list[dict[str, Any]]]) -> None:
    planted: Counter[ErrorType] = Counter()
    for row in (row for rows in labels.values() for row in rows):
        assert row["label"] in ("supported", "error", None), row
        assert (row["label"] is None) == row.get("no_claim", False), row
        assert (row["label"] == "error") == (row["error_type"] is not None), row
        if row["label"] == "error":
            assert row["why"], row
            planted[ErrorType(row["error_type"])] += 1
    assert set(planted) == set(ErrorType)
    assert min(planted.values()) >= 3, planted


def test_recorded_answers_are_those_extracted_from_the_text(batch: Batch) -> None:
    for trace in batch.traces():
        question = batch.question(trace.question_id)
        assert question is not None
        assert question.gold in question.options
        assert extract_answer(trace.text, question.options) == trace.answer, question.key


def test_better_answers_worse_steps(batch: Batch, labels: dict[Key, list[dict[str, Any]]]) -> None:
    """The finding that the demo shows: the distilled arm answers more questions right and has more wrong steps."""
    right: Counter[str] = Counter()
    hedges: Counter[str] = Counter()
    for trace in batch.traces():
        question = batch.question(trace.question_id)
        assert question is not None
        right[trace.arm] += bool(answer_correct(trace.answer, question.gold))
        hedges[trace.arm] += sum(step.hedges for step in segment(trace).steps)
    counts = Counter((arm, row["label"]) for (_, arm), rows in labels.items() for row in rows)
    rate = {a: counts[a, "error"] / (counts[a, "error"] + counts[a, "supported"]) for a in ("base", "distilled")}
    assert dict(right) == {"base": 16, "distilled": 26}
    assert {arm: counts[arm, "error"] for arm in rate} == {"base": 41, "distilled": 74}
    assert rate["distilled"] > rate["base"] + 0.1
    assert hedges["base"] > 5 * hedges["distilled"]


def test_the_subset_names_real_steps_and_mixes_errors_with_correct_ones(
    cuts: dict[Key, Segmentation], labels: dict[Key, list[dict[str, Any]]]
) -> None:
    subset = yaml.safe_load((DEMO / "subset.yaml").read_text(encoding="utf-8"))["steps"]
    assert len({(s["question"], s["arm"], s["step"]) for s in subset}) == len(subset) <= 6
    types, supported = set(), 0
    for entry in subset:
        where = entry["question"], entry["arm"]
        assert cuts[where].steps[entry["step"]].text.startswith(entry["quote"]), entry
        label = labels[where][entry["step"]]
        supported += label["label"] == "supported"
        if label["label"] == "error":
            types.add(label["error_type"])
    assert len(types) >= 2
    assert supported >= 1


QUESTION_SETS = ("mr_ben", "medec", "reasoning_guidance", "mirage", "vlievin_medical_reasoning", "g4ue")


def grams(text: str, n: int = 8) -> set[tuple[str, ...]]:
    words = re.findall(r"[a-z0-9]+", text.lower().replace("\\n", " "))
    return set(zip(*(words[i:] for i in range(n)), strict=False))


def test_no_stem_comes_from_a_data_set(shared_data: Path) -> None:
    """A stem taken over, even in half, would share most of its 8-grams; the stock phrases of the genre are a few."""
    stems = {row["id"]: grams(row["stem"]) for row in lines("questions.jsonl")}
    demo_grams = set().union(*stems.values())
    overlap: set[tuple[str, ...]] = set()
    paths = (path for name in QUESTION_SETS for path in (shared_data / name).rglob("*"))
    sources = [path for path in paths if path.suffix in {".json", ".jsonl", ".csv", ".html"}]
    assert sources
    for path in sources:
        with path.open(encoding="utf-8", errors="replace") as file:
            while piece := file.read(1 << 20):
                overlap |= demo_grams & grams(piece + file.readline())
    shares = {key: len(stem & overlap) / len(stem) for key, stem in stems.items()}
    assert max(shares.values()) < 0.15, shares
