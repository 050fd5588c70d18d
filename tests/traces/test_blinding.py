"""Style-blinding and hedging: what goes, and what must stay."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracejury.traces import blind, count_hedges


@pytest.mark.parametrize(
    ("text", "blinded"),
    [
        ("## Step 2: **Fever** is *likely*", "Fever is likely"),
        ("1. He wheezes\n2) She coughs", "He wheezes She coughs"),
        ("- one\n* two\n\u2022 three", "one two three"),
        ("> quoted", "quoted"),
        ("| drug | dose |\n|---|---|\n| warfarin | 5 mg |", "drug | dose warfarin | 5 mg"),
        ("See [the label](http://x.org/y) and `INR`", "See the label and INR"),
        ("```\nk = 0.3\n```", "k = 0.3"),
        ("<think>So it is.</think> B", "So it is. B"),
        ("As GPT-4, I think", "As the author, I think"),
        ("As an AI language model I cannot", "As the author I cannot"),
        ("Qwen3-8B and Llama-3.1-8B agree", "the author and the author agree"),
        # What is said stays: numbers, units, powers, signs, and words that only look like names or marks.
        ("Platelets 10\u2079/L < 150 * 10\u2079/L", "Platelets 10\u2079/L < 150 * 10\u2079/L"),
        ("PaO2/FiO2 < 200, p < 0.05, 5 * 3 * 2", "PaO2/FiO2 < 200, p < 0.05, 5 * 3 * 2"),
        ("snake_case_name and HLA-B*57:01 and A*02:01", "snake_case_name and HLA-B*57:01 and A*02:01"),
        ("2.5 mg of warfarin", "2.5 mg of warfarin"),
        ("Claude Bernard described it", "Claude Bernard described it"),
    ],
)
def test_blinding(text: str, blinded: str) -> None:
    assert blind(text) == blinded


def test_the_traces_own_names_go_too() -> None:
    assert (
        blind("I am FooLM-7b, taught by BarTeacher.", ["FooLM-7B", "BarTeacher"])
        == "I am the author, taught by the author."
    )


@settings(max_examples=100)
@given(
    st.lists(st.sampled_from(["120/80 mm Hg", "37.2", "aspirin", "does", "not", "cause", "<", "5 mg/kg"]), max_size=12)
)
def test_plain_words_and_numbers_stay(words: list[str]) -> None:
    assert blind(" ".join(words)) == " ".join(words)


@pytest.mark.parametrize(
    ("text", "hedges"),
    [
        ("It may possibly suggest, and is consistent with, asthma.", 4),
        ("Unlikely, likely, LIKELY.", 3),
        ("It appears that this is typically so, generally.", 3),
        ("The mayor indicated nothing, mighty as he was.", 1),
        ("Aspirin inhibits cyclooxygenase.", 0),
    ],
)
def test_hedges(text: str, hedges: int) -> None:
    assert count_hedges(text) == hedges
