"""Every reader on the real data that there is: counts, labels, answers that agree with the sets' own marks."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tracejury.traces import Problem, Question, ReadTally, Trace, answer_correct, read, segment


def gather(reader: str, path: Path) -> tuple[dict[str, Question], list[Trace], list[Problem]]:
    found = list(read(reader, path))
    questions = {x.id: x for x in found if isinstance(x, Question)}
    traces = [x for x in found if isinstance(x, Trace)]
    for trace in traces:
        assert trace.question_id in questions
    return questions, traces, [x for x in found if isinstance(x, Problem)]


def test_mr_ben(shared_data: Path) -> None:
    questions, traces, problems = gather("mr-ben", shared_data / "mr_ben" / "medicine_dev_subset.json")
    # Two solutions of one UUID have other options, so they are two questions.
    assert (len(questions), len({q.key for q in questions.values()}), len(traces)) == (74, 73, 218)
    labels = Counter(step.label for trace in traces for step in segment(trace).steps)
    # One solution has its first error at step 5 of 4: it is told, and has no labels.
    assert labels == {"supported": 794, "error": 150, None: 649}
    assert [p.line for p in problems] == [5623]
    for trace in traces:
        marked = [s.label for s in trace.steps or ()]
        if "error" in marked:
            assert set(marked[: marked.index("error")]) <= {"supported"}
            assert set(marked[marked.index("error") + 1 :]) <= {None}
        assert all(trace.text[s.start : s.end] == s.text for s in trace.steps or ())
    # Whatever people judged correct reached the right answer, two-letter keys included.
    right = {t.id for t in traces if answer_correct(t.answer, questions[t.question_id].gold)}
    assert {t.id for t in traces if t.meta["solution_correct"]} <= right
    assert {q.gold for q in questions.values()} == {"A", "B", "C", "D", "CD", "BD"}


def test_mr_ben_math(shared_data: Path) -> None:
    questions, traces, problems = gather("mr-ben", shared_data / "mr_ben" / "math_boundary_subset.json")
    assert (len(questions), len(traces), problems) == (18, 54, [])


@pytest.mark.parametrize(
    ("name", "accuracy"),
    [
        ("medqa.cot.gpt-35-turbo-16k", 65.0),
        ("medqa.rag_32.gpt-35-turbo-16k", 66.6),
        ("medqa.cot.gpt-4-32k", 84.0),
        ("medqa.rag_32.gpt-4-32k", 82.8),
    ],
)
def test_mirage_accuracies_are_the_published_ones(shared_data: Path, name: str, accuracy: float) -> None:
    questions, traces, _ = gather("mirage", shared_data / "mirage" / "traces" / f"{name}.jsonl")
    assert len(questions) == len(traces) == 1273
    # MIRAGE's script counts what it cannot read as A, and takes the first of several letters.
    right = sum((t.answer or "A")[0] == questions[t.question_id].gold for t in traces)
    assert 100 * right / 1273 == pytest.approx(accuracy, abs=0.1)
    strict = sum(answer_correct(t.answer, questions[t.question_id].gold) is True for t in traces)
    unparsable = sum(t.answer is None for t in traces)
    assert 0 <= right - strict <= unparsable + 5
    assert unparsable < 40


def test_mirage_loses_no_reply(shared_data: Path) -> None:
    _, traces, problems = gather("mirage", shared_data / "mirage" / "traces" / "medqa.cot.gpt-35-turbo-16k.jsonl")
    states = Counter(t.meta["reply"] for t in traces)
    assert states == {"json": 1262, "broken": 5, "empty": 6}
    assert sum(not t.text for t in traces) == len(problems) == 6
    assert all("step_by_step_thinking" not in t.text and len(t.text) > 100 for t in traces if t.text)


def test_medqa_mmlu_and_pubmedqa(shared_data: Path) -> None:
    questions, _, problems = gather("medqa", shared_data / "mirage" / "medqa_us_4opt_test.jsonl")
    assert (len(questions), problems) == (1273, [])
    assert all(q.gold in q.options and len(q.options) == 4 and q.split == "test" for q in questions.values())

    questions, _, problems = gather("mmlu", shared_data / "mirage" / "mmlu")
    # Of 1,089 questions 78 stand in two subjects.
    assert len(questions) == 1089 - 78
    assert [p.reason.split(" have")[0] for p in problems] == ["78 question(s)"]

    questions, _, problems = gather("pubmedqa", shared_data / "pubmedqa" / "ori_pqal.json")
    assert (len(questions), problems) == (1000, [])
    assert Counter(q.options[q.gold or ""] for q in questions.values()) == {"yes": 552, "no": 338, "maybe": 110}
    assert not any(q.explanation and q.explanation in q.stem for q in questions.values())


def test_reasoning_guidance_has_five_arms(shared_data: Path) -> None:
    questions, traces, problems = gather("reasoning-guidance", shared_data / "reasoning_guidance")
    assert (len(questions), problems) == (200, [])
    assert Counter(t.arm for t in traces) == dict.fromkeys(("base", "distilled", "med42", "qwen", "biomistral"), 200)
    assert {t.model for t in traces if t.arm in ("base", "distilled")} == {"Llama-3.1-8B-Instruct"}
    unparsable = Counter(t.arm for t in traces if t.answer is None)
    assert unparsable["base"] <= 5
    assert unparsable["distilled"] <= 18


def test_medec_shows_the_other_sentences(shared_data: Path) -> None:
    questions, traces, problems = gather(
        "medec", shared_data / "medec" / "MEDEC-MS-ValidationSet-with-GroundTruth-and-ErrorType.csv"
    )
    assert (len(questions), len(traces), problems) == (574, 574, [])
    assert not any(q.stem for q in questions.values())
    assert {t.context for t in traces} == {"others"}
    assert Counter(sum(s.label == "error" for s in t.steps or ()) for t in traces) == {1: 319, 0: 255}
    placed = [s.start is not None for t in traces for s in t.steps or ()]
    assert sum(placed) / len(placed) > 0.999
    tally = ReadTally()
    for item in [*questions.values(), *traces]:
        tally.add(item)
    # Nobody asked these notes a question: they lack no answer.
    assert tally.summary().unparsable == 0


def test_clinifact(shared_data: Path) -> None:
    questions, traces, problems = gather("clinifact", shared_data / "clinifact" / "validation_set.csv")
    assert (len(questions), len(traces), problems) == (300, 316, [])
    told = Counter(t.meta["clinifact_label"] for t in traces)
    assert told == {"supported": 83, "inconclusive": 67, "no information": 166}
    assert sum(s.label == "supported" for t in traces for s in segment(t).steps) == 83


def test_vlievin(shared_data: Path) -> None:
    questions, traces, problems = gather("vlievin", shared_data / "vlievin_medical_reasoning" / "usmle-valid.html")
    assert (len(questions), len(traces)) == (100, 3000)
    assert ["no option of the question is in bold" in p.reason for p in problems] == [True]
    golden = [(t, questions[t.question_id].gold) for t in traces if questions[t.question_id].gold]
    agree = sum(answer_correct(t.answer, gold) is t.meta["marked_correct"] for t, gold in golden)
    assert agree / len(golden) > 0.995
