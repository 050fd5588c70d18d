"""The judge `recorded`: what a row is matched with, what it refuses, what it makes of each format."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tracejury.agents import Case, Label, RecordedJudge, StepKey
from tracejury.models import CallFailed, FailureReason
from tracejury.retrieval import Passage

PASSAGE = Passage(source="s", title="t", text="Urate forms crystals.", citation="c", license="l", key="k", end=21)
CASE = Case(
    step_id="s_1", trace_id="t_1", stem="His toe is red.", step_index=1, step="It is gout.", passages=(PASSAGE,)
)
KEY = StepKey("s_1", ("q7", "q_hash"), "distilled", 2, 1, "It is  GOUT indeed.")


def write(folder: Path, *rows: dict[str, Any], name: str = "o.jsonl") -> str:
    (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(folder / name)


@pytest.mark.parametrize(
    ("names", "matches"),
    [
        ({"step_id": "s_1"}, True),
        ({"step": "It is gout."}, True),  # as the judges see it
        ({"step": "It is GOUT indeed."}, True),  # as the trace has it
        ({"question": "q7", "arm": "distilled", "sample": 2, "step": 1}, True),
        ({"question": "q_hash", "arm": "distilled", "sample": "2", "step_index": "1"}, True),
        ({"question": "q7", "step_text": "It is gout."}, True),
        ({"question": "q7", "arm": "base", "step_text": "It is gout."}, False),
        ({"question": "q8", "step_text": "It is gout."}, False),
        ({"question": "q7", "step": 1}, False),  # without an arm it is the arm `base`
        ({"question": "q7", "arm": "distilled", "step": 1}, False),  # without a sample it is sample 0
    ],
)
def test_a_row_is_matched_by_public_keys_and_by_nothing_less(
    names: dict[str, Any], matches: bool, tmp_path: Path
) -> None:
    judge = RecordedJudge(write(tmp_path, {**names, "label": "incorrect", "confidence": 0.8, "rationale": "r"}))
    if matches:
        draft = judge.replay(CASE, KEY)
        assert (draft.label, draft.confidence, draft.rationale) == (Label.ERROR, 0.8, "r")
    else:
        with pytest.raises(CallFailed) as failed:
            judge.replay(CASE, KEY)
        assert failed.value.reason is FailureReason.NOT_RECORDED


def test_quotes_are_replayed_and_a_row_without_a_label_is_a_failure(tmp_path: Path) -> None:
    quote = {"evidence_id": "vignette", "quote": "toe is red"}
    path = write(
        tmp_path,
        {"step": "It is gout.", "label": "supported", "quotes": [quote], "judge": "a"},
        {"step": "It is gout.", "label": None, "judge": "b"},
    )
    assert asyncio.run(RecordedJudge(path, judge="a").draft(CASE, None)).quotes[0].quote == "toe is red"
    with pytest.raises(CallFailed, match=r"o.jsonl:2 says that no opinion"):
        RecordedJudge(path, judge="b").replay(CASE, KEY)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"step": "x", "label": "maybe so"}], r"o.jsonl:1: label 'maybe so' is not known"),
        ([{"step": "x"}], r"o.jsonl:1: no label"),
        ([{"label": "error"}], r"o.jsonl:1: names no step"),
        ([{"step": "x", "label": "error", "confidence": 80}], r"o.jsonl:1: confidence 80 is not from 0 to 1"),
        ([{"step": "x", "label": "error"}, {"step": "x", "label": "supported"}], r"o.jsonl:2: another opinion"),
        ([{"step": "x", "label": "error", "judge": j} for j in "ab"], r"holds 2 judges; name one as `judge`: a, b"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_line(rows: list[dict[str, Any]], message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=message):
        RecordedJudge(write(tmp_path, *rows))


def test_a_folder_takes_later_files_up_and_an_answer_replaces_a_failed_attempt(tmp_path: Path) -> None:
    write(tmp_path, {"step": "It is gout.", "label": None}, name="1.jsonl")
    with pytest.raises(CallFailed):
        RecordedJudge(str(tmp_path)).replay(CASE, KEY)
    write(tmp_path, {"step": "It is gout.", "label": "supported"}, name="2.jsonl")
    assert RecordedJudge(str(tmp_path)).replay(CASE, KEY).label is Label.SUPPORTED


def test_csv_and_words_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "o.csv"
    path.write_text('Question;Arm;Sample;Step;Label\nq7;distilled;2;1;C\n"other";distilled;2;1;E\n')
    judge = RecordedJudge(str(path), labels={"C": "error", "E": "supported"})
    assert judge.replay(CASE, KEY).label is Label.ERROR


@pytest.mark.parametrize("custom_id", ["s_1", "q7|distilled|2|1"])
def test_batch_output_is_a_judge_s_reply_whose_handles_the_case_resolves(custom_id: str, tmp_path: Path) -> None:
    reply = {
        "findings": [{"claim": "C1", "evidence": "P1", "quote": "Urate forms crystals", "relation": "supports"}],
        "rationale": "as cited", "label": "Supported", "error_type": "none", "confidence": "90%",
    }  # fmt: skip
    body = {"choices": [{"message": {"role": "assistant", "content": f"```json\n{json.dumps(reply)}\n```"}}]}
    lines = [
        {"custom_id": custom_id, "response": {"status_code": 200, "body": body}},
        {"custom_id": "s_2", "response": {"status_code": 500, "body": {"error": "overloaded"}}},
    ]
    judge = RecordedJudge(write(tmp_path, *lines), format="openai-batch")
    draft = judge.replay(CASE, KEY)
    assert (draft.label, draft.confidence, draft.quotes[0].evidence_id) == (Label.SUPPORTED, 0.9, PASSAGE.id)
    with pytest.raises(CallFailed, match="not usable"):
        judge.replay(CASE.model_copy(update={"step_id": "s_2"}), None)


def test_an_inspect_log_brings_the_scorers_as_judges(tmp_path: Path) -> None:
    sample = {
        "id": "q7", "epoch": 1, "input": "His toe is red.", "target": "gout", "metadata": {},
        "messages": [{"role": "user", "content": "His toe is red."}, {"role": "assistant", "content": "It is gout."}],
        "output": {"model": "m", "choices": []}, "scores": {"strict": {"value": "I"}, "lax": {"value": "C"}},
    }  # fmt: skip
    (tmp_path / "log.json").write_text(json.dumps({"eval": {"task": "t", "model": "m"}, "samples": [sample]}))
    key = KEY._replace(arm="base", sample=0, step_index=0)
    judge = RecordedJudge(str(tmp_path / "log.json"), judge="strict")
    assert judge.replay(CASE.model_copy(update={"step_index": 0}), key).label is Label.ERROR
