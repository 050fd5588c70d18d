"""The default segmenter: every word of a trace is in a step, in whatever way it is written."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracejury.traces import Segmentation, TextCoverage, Trace, segment, text_coverage

FEVER = "The fever points to an infection of the lung"
COUGH = "The cough is productive, which fits pneumonia"
ZH_1, ZH_2 = (
    "\u60a3\u8005\u53d1\u70ed\u4e09\u5929,\u4f34\u6709\u54b3\u55fd\u548c\u8113\u75f0\u3002",
    "\u80f8\u7247\u663e\u793a\u53f3\u4e0b\u80ba\u6d78\u6da6\u5f71\u3002",
)


def cut(text: str, name: str = "reasoning") -> list[str]:
    return [step.text for step in segment(Trace(question_id="q", model="m", text=text), name).steps]


@pytest.mark.parametrize(
    "text",
    [
        f"1. {FEVER}.\n2. {COUGH}.",
        f"1.{FEVER}.\n2.{COUGH}.",
        f"1. {FEVER}.\r2. {COUGH}.",
        f"1. {FEVER}.\r\n2. {COUGH}.",
        f"(1) {FEVER}.\n(2) {COUGH}.",
        f"Step 1: {FEVER}.\nStep 2: {COUGH}.",
        f"Step 1 \u2014 {FEVER}.\nStep 2 \u2014 {COUGH}.",
        f"Paso 1: {FEVER}.\nPaso 2: {COUGH}.",
        f"**1. Fever.** {FEVER}.\n**2. Cough.** {COUGH}.",
        f"<step>{FEVER}.</step>\n<step>{COUGH}.</step>",
        f"<think>\n{FEVER}.\n\n{COUGH}.\n</think>",
        f"{FEVER}.\n\n{COUGH}.",
        f"## Findings\n\n{FEVER}.\n\n## Judgement\n\n{COUGH}.",
        f"1\u3001{ZH_1}\n2\u3001{ZH_2}",
        f"1\uff0e{ZH_1}\n2\uff0e{ZH_2}",
        f"\u6b65\u9aa41:{ZH_1}\n\u6b65\u9aa42:{ZH_2}",
    ],
)
def test_two_steps_in_many_ways(text: str) -> None:
    assert len(cut(text)) == 2


@pytest.mark.parametrize("number", ["6", "98", "1"])
def test_a_number_that_a_wrapped_line_begins_with_is_no_item(number: str) -> None:
    wrapped = f"The potassium of this patient was high and rose further to\n{number}. His ECG shows peaked T waves."
    assert cut(f"{wrapped}\n\n{COUGH}.") == [wrapped, f"{COUGH}."]


def test_a_trace_of_sixty_thoughts_keeps_them_all() -> None:
    trace = Trace(question_id="q", model="m", text="\n\n".join(f"Thought {i}. {FEVER}." for i in range(60)))
    default, protocol = segment(trace), segment(trace, "numbered")
    assert (default.segmenter, len(default.steps), default.judged_share) == ("reasoning", 60, 1.0)
    assert (len(protocol.steps), protocol.capped) == (12, 48)
    sentence = text_coverage([protocol]).sentence()
    assert sentence.startswith("21.2 % of the text was judged; 48 pieces of 1 trace(s) were beyond the cap"), sentence


def test_short_pieces_go_with_what_follows() -> None:
    assert cut(f"Hmm.\n\nWait.\n\n{FEVER}.\n\nOK.") == [f"Hmm.\n\nWait.\n\n{FEVER}.\n\nOK."]


def test_long_prose_is_divided_between_sentences() -> None:
    pieces = cut(" ".join(f"{FEVER} on day {i}." for i in range(60)))
    assert len(pieces) > 3
    assert all(p.endswith(".") and len(p) <= 800 for p in pieces)
    assert len(cut("word " * 1000)) > 5


def test_the_closing_sentence_is_no_step() -> None:
    whole = segment(Trace(question_id="q", model="m", text=f"1. {FEVER}.\n\nTherefore, the answer is B."))
    assert ([s.text for s in whole.steps], whole.stripped_answer, whole.judged_share) == ([f"{FEVER}."], True, 1.0)


WORDS = st.sampled_from(
    [
        "Fever.",
        "No,",
        "\n\n",
        "\n",
        "1. ",
        "- ",
        "Step 2: ",
        "## H\n",
        "The lung is",
        "affected.",
        "<think>",
        "</think>",
        " ",
    ]
)


@given(st.lists(WORDS, max_size=80).map(" ".join) | st.text(max_size=400))
@settings(max_examples=150)
def test_nothing_that_says_something_is_left_out(text: str) -> None:
    whole = segment(Trace(question_id="q", model="m", text=text))
    assert whole.judged_share is None or whole.judged_share >= 0.99
    assert (whole.cut_chars, whole.cut_steps, whole.dropped, whole.capped) == (0, 0, 0, 0)
    assert all(s.text == text[s.start : s.end] for s in whole.steps)
    assert all(a.end <= b.start for a, b in zip(whole.steps, whole.steps[1:], strict=False))


COUNTERS = [
    name
    for name, field in Segmentation.model_fields.items()
    if field.annotation in (int, bool) and name not in ("text_chars", "judged_chars")
]


@pytest.mark.parametrize("counter", COUNTERS)
def test_every_counter_of_a_segmentation_has_a_reader(counter: str) -> None:
    """What is counted is said where people look: this sentence ends `adjudicate`, `summary` and `show`."""
    plain = Segmentation(segmenter="s", steps=(), text_chars=100, judged_chars=80)
    # Characters are cut from steps: the one is not counted without the other.
    cut = {"cut_steps": 1, "cut_chars": 1} if counter.startswith("cut") else {}
    before = plain.model_copy(update=cut)
    counted = plain.model_copy(update={**cut, counter: 7})
    assert text_coverage([counted]).sentence() != text_coverage([before]).sentence()


def test_the_judged_share_is_that_of_all_traces_together() -> None:
    parts = [Segmentation(segmenter="s", steps=(), text_chars=n, judged_chars=j) for n, j in ((300, 300), (100, 60))]
    assert text_coverage(parts).judged_share == 0.9
    assert (TextCoverage().judged_share, TextCoverage().sentence()) == (None, "there is no text to judge")
