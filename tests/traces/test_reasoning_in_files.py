"""Reasoning that stands apart from the answer: fields, parts, marks; what is withheld is told and never taken."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tracejury.traces import Problem, Trace, read, segment

ASKED = {"role": "user", "content": "A woman has tremor and weight loss. Which test? A. TSH B. Ferritin"}
WORDS = "Tremor and weight loss point to the thyroid, so TSH."
ANSWER = "The answer is A."


def read_reply(tmp_path: Path, **message: Any) -> tuple[Trace, list[str]]:
    file = tmp_path / "chat.jsonl"
    file.write_text(json.dumps({"messages": [ASKED, {"role": "assistant", **message}]}) + "\n", "utf-8")
    items = list(read(None, file))
    (trace,) = [item for item in items if isinstance(item, Trace)]
    return trace, [item.reason for item in items if isinstance(item, Problem)]


@pytest.mark.parametrize(
    "message",
    [
        {"content": ANSWER, "reasoning_content": WORDS},
        {"content": ANSWER, "thinking": WORDS},
        {"content": ANSWER, "reasoning_details": [{"type": "reasoning.summary", "summary": WORDS},
                                                  {"type": "reasoning.encrypted", "data": "BLOB"}]},
        {"content": [{"type": "thinking", "thinking": WORDS, "signature": "BLOB"}, {"type": "text", "text": ANSWER}]},
        {"content": [{"type": "reasoning", "reasoning": "BLOB", "redacted": True, "summary": WORDS},
                     {"type": "text", "text": ANSWER}]},
        *({"content": f"{opening}{WORDS}{closing}{ANSWER}"} for opening, closing in (
            ("<think>", "</think>"), ("", "</think>"), ("[THINK]", "[/THINK]"), ("<seed:think>", "</seed:think>"),
            ("<longcat_think>", "</longcat_think>"), ("<|begin_of_thought|>", "<|end_of_thought|>"),
            ("\u25c1think\u25b7", "\u25c1/think\u25b7"), ("<|START_THINKING|>", "<|END_THINKING|>"),
        )),
    ],
)  # fmt: skip
def test_the_reasoning_is_the_trace_and_its_marks_are_none_of_its_steps(
    tmp_path: Path, message: dict[str, Any]
) -> None:
    trace, _ = read_reply(tmp_path, **message)
    assert [step.text for step in segment(trace).steps] == [WORDS]
    assert (trace.answer, trace.meta["final"]) == ("A", ANSWER)
    assert "BLOB" not in trace.model_dump_json()


@pytest.mark.parametrize(
    "message",
    [
        {"content": ANSWER, "reasoning_details": [{"type": "reasoning.encrypted", "data": "BLOB"}]},
        {"content": [{"type": "redacted_thinking", "data": "BLOB"}, {"type": "text", "text": ANSWER}]},
    ],
)
def test_reasoning_that_is_withheld_is_told(tmp_path: Path, message: dict[str, Any]) -> None:
    trace, reasons = read_reply(tmp_path, **message)
    assert "BLOB" not in trace.model_dump_json()
    assert any("encrypted or redacted the reasoning" in reason for reason in reasons)
