"""Formats without data of theirs here: the files below are written by us in the form that their authors publish."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tracejury.traces import Problem, Question, Severity, Trace, read
from tracejury.traces.formats.inspect_log import zipfile


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def lines(name: str, *records: object) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(r if isinstance(r, str) else json.dumps(r) for r in records) + "\n")
        return path

    return lines


def split(reader: str, path: Path, **params: object) -> tuple[list[Question], list[Trace], list[str]]:
    found = list(read(reader, path, **params))
    return (
        [x for x in found if isinstance(x, Question)],
        [x for x in found if isinstance(x, Trace)],
        [x.reason for x in found if isinstance(x, Problem) and x.severity is not Severity.NOTE],
    )


def test_medbullets(write: Callable[..., Path]) -> None:
    path = write(
        "medbullets_op5_test.csv",
        "question,opa,opb,opc,opd,ope,answer_idx,answer,explanation,link",
        '"A man, 40, coughs.\nWhich?",TB,Flu,COPD,Asthma,,B,Flu,It is winter.,http://x/1',
    )
    (question,), _, problems = split("medbullets", path)
    assert question.options == {"A": "TB", "B": "Flu", "C": "COPD", "D": "Asthma"}
    assert (question.gold, question.split, question.explanation) == ("B", "test", "It is winter.")
    assert problems == []


def test_arc_in_both_forms(write: Callable[..., Path]) -> None:
    choices = [{"text": "a star", "label": "A"}, {"text": "a rock", "label": "B"}]
    path = write(
        "ARC-Challenge-Test.jsonl",
        {"id": "1", "question": {"stem": "What is the sun?", "choices": choices}, "answerKey": "A"},
        {
            "id": "2",
            "question": "And the moon?",
            "choices": {"text": ["a star", "a rock"], "label": ["1", "2"]},
            "answerKey": "2",
        },
    )
    questions, _, problems = split("arc", path)
    assert [(q.gold, q.options[q.gold or ""], q.split) for q in questions] == [
        ("A", "a star", "test"),
        ("2", "a rock", "test"),
    ]
    assert problems == []


def test_gsm8k(write: Callable[..., Path]) -> None:
    path = write("train.jsonl", {"question": "How many?", "answer": "600 + 600 = <<600+600=1200>>1200\n#### 1,200"})
    (question,), _, _ = split("gsm8k", path)
    assert (question.gold, question.options, question.split) == ("1200", {}, "train")


@pytest.mark.parametrize(("cops", "golds"), [((1, 4), "AD"), ((0, 3), "AD"), ((2, 3), "BC")])
def test_medmcqa_counts_cop_from_where_the_file_does(
    write: Callable[..., Path], cops: tuple[int, int], golds: str
) -> None:
    row = {"opa": "w", "opb": "x", "opc": "y", "opd": "z", "subject_name": "Anatomy"}
    path = write("dev.jsonl", *({**row, "question": f"{i}?", "cop": cop, "id": str(i)} for i, cop in enumerate(cops)))
    questions, _, problems = split("medmcqa", path)
    assert "".join(q.gold or "-" for q in questions) == golds
    assert problems == (
        [] if cops != (2, 3) else ["cop is never 0 and never 4 in this file; it is taken to count from 1"]
    )
    assert split("medmcqa", path, first=0)[0][0].gold == ("B" if cops[0] == 1 else "A" if cops[0] == 0 else "C")


def test_chat_takes_reasoning_from_wherever_it_is(write: Callable[..., Path]) -> None:
    def line(reply: dict[str, object], **more: object) -> dict[str, object]:
        asked = {"role": "user", "content": "He coughs. Which?\n\nA) TB\nB) Flu\n\nAnswer with a letter."}
        system = {"role": "system", "content": "You are a doctor."}
        return {"messages": [system, asked, {"role": "assistant", **reply}], "model": "r1", **more}

    path = write(
        "chat.jsonl",
        line({"content": "The answer is B.", "reasoning_content": "1. It is winter."}, target="B", sample=0),
        line({"content": "<think>1. It is winter.</think>\nAnswer: A"}, target="B", sample=1),
        line({"content": "1. It is winter.</think>Answer: B"}, target="B", sample=2),
        line(
            {"content": [{"type": "reasoning", "reasoning": "1. Winter."}, {"type": "text", "text": "B"}]},
            target="B",
            sample=3,
        ),
        line({"content": "1. It is winter.\nThe answer is B."}, target="B", sample=4),
    )
    (question,), traces, problems = split("chat", path, fields={"gold": "target", "arm": ":distilled"})
    assert (question.stem, question.options, question.gold) == ("He coughs. Which?", {"A": "TB", "B": "Flu"}, "B")
    assert [t.text.split("\n")[0] for t in traces] == ["1. It is winter."] * 3 + ["1. Winter.", "1. It is winter."]
    assert [t.answer for t in traces] == ["B", "A", "B", "B", "B"]
    assert traces[0].meta["final"] == "The answer is B."
    assert {t.arm for t in traces} == {"distilled"}
    assert problems == []


def test_chat_reads_completions_and_batch_outputs(write: Callable[..., Path]) -> None:
    choices = [
        {"index": i, "message": {"role": "assistant", "content": f"Answer: {k}"}, "finish_reason": "stop"}
        for i, k in enumerate("AB")
    ]
    body = {"model": "gpt", "choices": choices[:1], "usage": {"prompt_tokens": 3, "completion_tokens": 4}}
    path = write(
        "out.jsonl",
        {"choices": choices, "messages": [{"role": "user", "content": "Which?\nA. x\nB. y"}], "model": "m"},
        {"custom_id": "c1", "prompt": "Which, then?", "options": ["x", "y"], "response": {"body": body}},
    )
    questions, traces, problems = split("chat", path, fields={"stem": "prompt"})
    assert problems == []
    assert [(t.model, t.sample, t.answer) for t in traces] == [("m", 0, "A"), ("m", 1, "B"), ("gpt", 0, "A")]
    assert (traces[2].prompt_tokens, traces[2].completion_tokens, traces[2].finish_reason) == (3, 4, "stop")
    assert (questions[1].stem, traces[2].meta["key"]) == ("Which, then?", "c1")


def test_a_field_that_does_not_exist_is_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="--map knows no field 'golden'; it knows id, stem"):
        read("chat", tmp_path, fields={"golden": "x"})


def test_lm_eval_samples(write: Callable[..., Path]) -> None:
    record = {
        "doc_id": 7,
        "doc": {"question": "Which?", "options": {"A": "x", "B": "y"}},
        "target": " (B)",
        "arguments": {"gen_args_0": {"arg_0": "Q: Which?", "arg_1": {"until": []}}},
        "resps": [["1. It is y.\nThe answer is B.", "The answer is A."]],
        "filter": "strict",
    }
    path = write("org__model/samples_medqa_2026-11-01T00-00-00.jsonl", record)
    (question,), traces, problems = split("lm-eval", path.parent)
    assert (question.gold, question.source, question.key) == ("B", "medqa", "7")
    assert [(t.model, t.sample, t.answer) for t in traces] == [("org/model", 0, "B"), ("org/model", 1, "A")]
    assert problems == []


def test_lm_eval_tells_once_that_a_task_generates_no_text(write: Callable[..., Path]) -> None:
    record = {
        "doc_id": 1,
        "doc": {"question": "Which?"},
        "target": 0,
        "resps": [[["-1.5", "False"]], [["-0.2", "True"]]],
    }
    path = write("samples_mmlu_2026.jsonl", record, record)
    questions, traces, problems = split("lm-eval", path)
    assert (questions, traces) == ([], [])
    assert problems == ["resps holds log-likelihoods: this task generates no text, so the file has no traces"]


SAMPLE = {
    "id": "q1",
    "epoch": 2,
    "input": "He coughs. Which?",
    "choices": ["TB", "Flu"],
    "target": "B",
    "messages": [
        {"role": "user", "content": "Answer the question. He coughs. Which?"},
        {
            "role": "assistant",
            "content": [{"type": "reasoning", "reasoning": "attach"}, {"type": "text", "text": "ANSWER: B"}],
        },
    ],
    "output": {"model": "m", "choices": [{"stop_reason": "stop"}], "usage": {"input_tokens": 9, "output_tokens": 3}},
    "scores": {"choice": {"value": "C"}},
    "metadata": {"hint_used": True},
}


@pytest.mark.parametrize("compression", ["ZIP_ZSTANDARD", "ZIP_DEFLATED", "json"])
def test_inspect_logs(tmp_path: Path, compression: str) -> None:
    header = {"eval": {"task": "medqa", "model": "openai/m"}}
    if compression == "json":
        path = tmp_path / "log.json"
        path.write_text(json.dumps({"version": 2, **header, "samples": [SAMPLE]}))
    else:
        path = tmp_path / "log.eval"
        with zipfile.ZipFile(path, "w", getattr(zipfile, compression)) as archive:
            archive.writestr("header.json", json.dumps(header))
            archive.writestr("samples/q1_epoch_2.json", json.dumps(SAMPLE))
    (question,), (trace,), problems = split("inspect", path)
    assert (question.stem, question.gold, question.source) == ("He coughs. Which?", "B", "medqa")
    assert (trace.text, trace.answer, trace.sample, trace.model, trace.arm) == ("attach", "B", 1, "m", "base")
    assert (trace.prompt_tokens, trace.completion_tokens, trace.finish_reason) == (9, 3, "stop")
    assert trace.meta == {"key": "q1", "scores": {"choice": "C"}, "hint_used": True, "final": "ANSWER: B"}
    assert problems == []


def test_mirages_own_benchmark_file(write: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "benchmark.json").write_text(
        json.dumps({"medqa": {"0001": {"question": "Which?", "options": {"A": "x", "B": "y"}, "answer": "B"}}})
    )
    path = write(
        "replies/medqa.jsonl", {"qid": "test_0001", "dataset": "medqa", "mode": "cot", "model": "m", "raw": ["B", ""]}
    )
    (question,), traces, problems = split("mirage", path)
    assert (question.gold, [t.answer for t in traces], [t.meta["reply"] for t in traces]) == (
        "B",
        ["B", None],
        ["broken", "empty"],
    )
    assert len(problems) == 1


def test_a_log_that_inspect_ai_wrote() -> None:
    """inspect_ai 0.3.285 on a question of ours with its mock model, two epochs, reasoning apart from the answer."""
    (question,), traces, problems = split("inspect", Path(__file__).with_name("inspect_ai.eval"))
    assert (question.stem, question.options, question.gold) == ("He coughs. Which?", {"A": "TB", "B": "Flu"}, "B")
    assert [(t.sample, t.answer, t.meta["scores"]) for t in traces] == [
        (0, "B", {"choice": "C"}),
        (1, "A", {"choice": "I"}),
    ]
    assert {t.text for t in traces} == {"1. It is winter, and he coughs.\n2. So it is the flu."}
    assert {(t.model, t.prompt_tokens, t.completion_tokens) for t in traces} == {("mockllm/model", 9, 3)}
    assert all(t.meta["hint_used"] is True for t in traces)
    assert problems == []
