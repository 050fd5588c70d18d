"""Segmenters: the paper's rules, spans that hold for any text, and nothing lost uncounted."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracejury.traces import ErrorType, GivenStep, Role, Trace, segment, segmenters
from tracejury.traces.splitting import split_sentences


def trace(text: str, steps: tuple[GivenStep, ...] | None = None) -> Trace:
    return Trace(question_id="q", model="m", text=text, steps=steps)


def test_the_segmenters_are_registered() -> None:
    assert [e.name for e in segmenters.entries()] == ["given", "numbered", "reasoning", "sentences", "windows"]


def test_numbered_items() -> None:
    text = (
        "Let me think.\n1. **Fever** and neck stiffness suggest meningitis.\n2) Kernig's sign is present here.\n"
        "   It may be bacterial.\nStep 3: CT is not needed before the puncture.\n4. ok\n\n"
        "Therefore, the correct answer is B."
    )
    cut = segment(trace(text), "numbered")
    assert [s.text for s in cut.steps] == [
        "**Fever** and neck stiffness suggest meningitis.",
        "Kernig's sign is present here.\n   It may be bacterial.",
        "CT is not needed before the puncture.",
    ]
    assert [s.hedges for s in cut.steps] == [1, 1, 0]
    # The opening words and the item of two letters.
    assert (cut.segmenter, cut.dropped, cut.capped, cut.stripped_answer) == ("numbered", 2, 0, True)


def test_paragraphs_where_nothing_is_numbered() -> None:
    text = (
        "Fever and neck stiffness suggest meningitis.\n\nShort one.\n\n"
        "The puncture shows many neutrophils.\nAnd low glucose."
    )
    cut = segment(trace(text), "numbered")
    assert [s.text for s in cut.steps] == [text[:44], text[58:]]
    assert (cut.dropped, cut.stripped_answer) == (1, False)


@pytest.mark.parametrize("name", ["numbered", "sentences", "windows"])
@pytest.mark.parametrize("mark", ["", "1. "])
def test_line_ends_of_windows_cut_as_others_do(name: str, mark: str) -> None:
    text = (
        f"{mark}Fever and neck stiffness suggest meningitis.\n\nThe puncture shows many neutrophils.\nAnd low glucose."
        "\n\nTherefore, the answer is B."
    )
    cut, windows = segment(trace(text), name), segment(trace(text.replace("\n", "\r\n")), name)
    assert [s.text.replace("\r\n", "\n") for s in windows.steps] == [s.text for s in cut.steps]
    assert (windows.dropped, windows.stripped_answer) == (cut.dropped, cut.stripped_answer)


def test_a_dose_at_the_start_of_a_line_is_no_item() -> None:
    text = "The dose that he was given was\n2.5 mg of warfarin, which is low,\n10 mg would have been too much."
    assert [s.text for s in segment(trace(text)).steps] == [text]


def test_limits_are_counted() -> None:
    text = "\n".join(f"{n}. {'x' * 30}" for n in range(1, 15)) + "\n15. " + "y" * 900
    cut = segment(trace(text), "numbered")
    assert (len(cut.steps), cut.capped) == (12, 3)
    cut = segment(trace("1. " + "y" * 900), "numbered")
    assert (len(cut.steps[0].text), cut.cut_steps, cut.cut_chars) == (800, 1, 100)


@pytest.mark.parametrize(
    ("closing", "stripped"),
    [
        ("Therefore, the answer is B.", True),
        ("The correct answer is B. Lumbar puncture.", True),
        ("Therefore, the correct answer is:\n\nB. Lumbar puncture", True),
        ("Therefore, among A through D, the answer is B.", True),
        ("**Answer: B**", True),
        ("Solution: Choice_B", True),
        ("The answer is B because the glucose is low.", False),
        ("The most likely diagnosis is bacterial meningitis.", False),
    ],
)
def test_only_the_bare_answer_is_stripped(closing: str, stripped: bool) -> None:
    text = "The puncture shows many neutrophils and low glucose.\n\n" + closing
    cut = segment(trace(text), "numbered")
    assert cut.stripped_answer is stripped
    assert any(closing.split("\n")[0] in s.text for s in cut.steps) is not stripped


def test_given_steps_keep_their_labels() -> None:
    steps = (
        GivenStep(text="He wheezes.", label="supported"),
        GivenStep(text="It is COPD.", label="error", error_type=ErrorType.FACTUAL),
        GivenStep(text="Not in the text."),
    )
    cut = segment(trace("He wheezes. It is COPD.", steps))
    assert [(s.start, s.end, s.label, s.error_type) for s in cut.steps] == [
        (0, 11, "supported", None),
        (12, 23, "error", ErrorType.FACTUAL),
        (-1, -1, None, None),
    ]
    assert cut.segmenter == "given"


def test_sentences_are_packed() -> None:
    text = "## Heading\n\n" + "Warfarin 2.5 mg was given, e.g. in the evening. " * 40
    cut = segment(trace(text), "sentences")
    assert all(45 <= len(s.text) <= 650 for s in cut.steps)
    assert cut.steps[0].text.startswith("Heading")
    assert all(s.text.endswith("evening.") for s in cut.steps)
    assert "".join(s.text for s in cut.steps).count("Warfarin") == 40


def test_windows_of_ninety_words() -> None:
    cut = segment(trace("word " * 200), "windows")
    assert [len(s.text.split()) for s in cut.steps] == [90, 90, 20]


def test_sentence_ends() -> None:
    text = (
        "The dose is 2.5 mg vs. 5 mg, e.g. at night. Dr. Smith agrees.\n- E. coli is likely\n- S. aureus is not\n"
        "The answer is B. Aspirin."
    )
    assert [text[a:b] for a, b in split_sentences(text)] == [
        "The dose is 2.5 mg vs. 5 mg, e.g. at night.",
        "Dr. Smith agrees.",
        "- E. coli is likely",
        "- S. aureus is not",
        "The answer is B. Aspirin.",
    ]


@pytest.mark.parametrize(
    ("text", "role"),
    [
        ("Wait, that is not right: the potassium is high.", Role.CORRECTION),
        ("Therefore, the correct answer is option B.", Role.FINAL_SYNTHESIS),
        ("Option A is incorrect because the glucose is normal.", Role.OPTION_ELIMINATION),
        ("This rules out pulmonary embolism.", Role.OPTION_ELIMINATION),
        ("The findings suggest bacterial meningitis.", Role.HYPOTHESIS_GENERATION),
        ("Metformin inhibits hepatic gluconeogenesis.", Role.FACTUAL_CLAIM),
        ("Let's look at the options.", Role.OTHER),
    ],
)
def test_roles(text: str, role: Role) -> None:
    (step,) = segment(trace("", (GivenStep(text=text),))).steps
    assert step.role is role


PIECES = st.sampled_from(
    ["1. ", "Step 2: ", "\n", "\n\n", "- ", "**", "The dose is 5 mg. ", "e.g. ", "A. ", "x" * 50, "answer is B", "\t",
     "| a | b |", "\u00e9\u2265", "## "]
)  # fmt: skip
TEXTS = st.lists(PIECES | st.text(max_size=20), max_size=40).map("".join)


@pytest.mark.parametrize("name", ["numbered", "sentences", "windows"])
@settings(max_examples=120)
@given(text=TEXTS)
def test_spans_are_valid_and_nothing_is_lost_uncounted(name: str, text: str) -> None:
    cut = segment(trace(text), name)
    at = 0
    for index, step in enumerate(cut.steps):
        assert step.index == index
        assert at <= step.start < step.end <= len(text)
        assert step.text == text[step.start : step.end] == step.text.strip()
        at = step.end
    assert (cut.cut_chars > 0) == (cut.cut_steps > 0)
    if not (cut.dropped or cut.capped or cut.cut_chars or cut.stripped_answer):
        covered = {i for step in cut.steps for i in range(step.start, step.end)}
        left = "".join(c for i, c in enumerate(text) if i not in covered)
        # All that may be missing without being counted are markers: numbers, "Step", signs and white space.
        assert not any(c.isalpha() for c in left.lower().replace("step", ""))


@settings(max_examples=80)
@given(text=TEXTS)
def test_sentences_cover_the_text(text: str) -> None:
    said = "".join(text[a:b] for a, b in split_sentences(text))
    assert "".join(said.split()) == "".join(text.split())


@pytest.mark.parametrize("unit", ["a", " ", "\n", "1. ", "- \n", "A. ", "*", "The dose is 5 mg. ", "answer is ", "\t|"])
@pytest.mark.timeout(120)  # benchmarks/speed.py measures the time; here a pattern that backtracks would not end
def test_a_hundred_thousand_characters_are_cut(unit: str) -> None:
    long = trace((unit * 100_000)[:100_000])
    for name in ("numbered", "reasoning", "sentences", "windows"):
        assert all(0 <= step.start < step.end <= 100_000 for step in segment(long, name).steps)


def test_a_list_without_full_stops_is_a_list_all_the_same() -> None:
    text = (
        "1. The patient has fever\n2. Sepsis is likely, as lactate is 5\n3. Give fluids at 30 mL/kg\nThe answer is A."
    )
    steps = segment(Trace(question_id="q", model="m", arm="a", text=text, answer="A"), "reasoning").steps
    assert [s.text for s in steps] == [
        "The patient has fever",
        "Sepsis is likely, as lactate is 5",
        "Give fluids at 30 mL/kg",
    ]


def test_a_number_that_a_wrapped_line_begins_with_is_no_item() -> None:
    text = "The infusion has to be given to the child over more than\n5. minutes would be too few for this drug."
    assert len(segment(Trace(question_id="q", model="m", arm="a", text=text), "reasoning").steps) == 1
