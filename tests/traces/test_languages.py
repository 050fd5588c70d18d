"""Answers and steps in eleven languages, and kinds of English phrasing that were missed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tracejury.traces import Trace, extract_answer, segment, split_sentences

CASES = Path(__file__).parent / "cases"
OPTIONS = {"A": "Asthma", "B": "Pneumonia", "C": "Gout", "D": "Lupus"}


@pytest.mark.parametrize("case", json.loads((CASES / "answers.json").read_text("utf-8")), ids=lambda case: case["text"])
def test_the_answer_is_the_one_that_the_reply_settles_on(case: dict[str, str]) -> None:
    assert extract_answer(case["text"], OPTIONS) == case["answer"]


@pytest.mark.parametrize(
    "group",
    json.loads((CASES / "answers_by_language.json").read_text("utf-8")),
    ids=lambda group: f"{group['language']}-{len(group['replies'])}",
)
def test_replies_of_a_language_settle_on_an_option_or_on_none(group: dict[str, Any]) -> None:
    misread = [
        (text, found, answer)
        for text, answer in group["replies"]
        if (found := extract_answer(text, group["options"])) != answer
    ]
    assert misread == []


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("答案是\u200bB\u200b。", "B"),
        ("\u2067الإجابة الصحيحة هي \u2066C\u2069\u2069", "C"),
        ("The ans\u00adwer is \u24b9.", "D"),
        ("Answer: \U0001d401", "B"),
        ("Правильный ответ: Г.", "D"),
        ("الجواب الصحيح هو ب", "B"),
        # A Cyrillic Ve is the third letter of its alphabet and looks like the second of ours.
        ("Правильный ответ: В.", None),
    ],
    ids=["zero width", "right to left", "circled", "mathematical", "Cyrillic", "Arabic", "ambiguous"],
)
def test_letters_in_other_scripts_and_between_marks_that_nobody_sees(text: str, letter: str | None) -> None:
    assert extract_answer(text, OPTIONS) == letter


@pytest.mark.parametrize(
    "text",
    [
        "The answer is D because no. I mean B.",
        "I cannot decide whether the answer is A or B.",
        "It is unclear if the answer is C.",
        "不能确定是A还是B。",
        "答案不是A",
        "정답은 A가 아니다",
        "La réponse est d'abord incertaine",
    ],
)
def test_a_letter_that_is_taken_back_denied_or_no_letter_is_no_answer(text: str) -> None:
    assert extract_answer(text, OPTIONS) is None


@pytest.mark.parametrize(
    "case", json.loads((CASES / "segments.json").read_text("utf-8")), ids=lambda case: case["case"]
)
def test_items_are_steps(case: dict[str, str]) -> None:
    steps = segment(Trace(question_id="q", model="m", text=case["text"]), "reasoning").steps
    assert len(steps) == case["steps"], [step.text for step in steps]


def test_a_character_of_chinese_counts_as_three() -> None:
    text = "患者发热三天,伴有咳嗽和脓痰,提示肺部感染。" * 20
    steps = segment(Trace(question_id="q", model="m", text=text), "reasoning").steps
    assert len(steps) == 2
    assert len(split_sentences(text)) == 20
