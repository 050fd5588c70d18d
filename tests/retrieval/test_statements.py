"""Quotes read in their sentence: what each leaves out decides whether it may count (quoted_sentences.jsonl)."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracejury.retrieval import Statement, check_quote, denied_by, denies, other_figure, read_statement

CASES = [
    json.loads(line) for line in (Path(__file__).parent / "quoted_sentences.jsonl").read_text("utf-8").splitlines()
]


def read(evidence: str, quote: str) -> Statement | None:
    """Return how a quote is read, or None where its words do not stand there or are turned."""
    check = check_quote(quote, evidence)
    if check.start is None or check.end is None:
        assert check.why_not
        return None
    return read_statement(evidence, check.start, check.end)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["quote"][:48])
def test_a_quote_counts_where_it_states_what_its_sentence_states(case: dict[str, str]) -> None:
    statement = read(case["evidence"], case["quote"])
    states = statement is not None and statement.why_not is None
    assert states == case["states"], statement


def test_a_quote_is_widened_to_its_sentence() -> None:
    evidence = "Heparin is safe in pregnancy. Warfarin crosses the placenta in every trimester. Both are cheap."
    statement = read(evidence, "crosses the placenta")
    assert statement is not None
    assert statement.text == "Warfarin crosses the placenta in every trimester."
    assert evidence[statement.start : statement.end] == statement.text


def test_a_quote_over_two_sentences_is_widened_to_both() -> None:
    evidence = "Insulin lowers potassium within minutes. Calcium protects the heart. Dialysis is last."
    statement = read(evidence, "lowers potassium within minutes. Calcium protects the heart")
    assert statement is not None
    assert statement.text == "Insulin lowers potassium within minutes. Calcium protects the heart."


def test_a_list_item_is_read_with_its_lead_in() -> None:
    evidence = "Signs of severe dehydration include:\n- sunken eyes and lethargy\n- a weak pulse"
    statement = read(evidence, "sunken eyes and lethargy")
    assert statement is not None
    assert statement.text == "Signs of severe dehydration include: - sunken eyes and lethargy"
    assert evidence[statement.start : statement.end] == "- sunken eyes and lethargy"


def test_a_table_row_is_read_with_its_headers() -> None:
    evidence = "| Drug | Dose |\n|---|---|\n| Naloxone | 0.4 mg |\n| Flumazenil | 0.2 mg |"
    statement = read(evidence, "Naloxone | 0.4 mg")
    assert statement is not None
    assert statement.text == "Drug: Naloxone; Dose: 0.4 mg"


def test_another_place_of_the_same_words_is_tried() -> None:
    evidence = "Aspirin is not given to children. After a stroke, aspirin is given to adults."
    check = check_quote("aspirin is given to adults", evidence)
    assert check.verified
    twice = "It is a myth that zinc cures colds. Our trial shows that zinc cures colds."
    check = check_quote("zinc cures colds", twice)
    assert check.start is not None
    assert check.start > 40


@pytest.mark.parametrize(
    ("evidence", "quote", "why"),
    [
        ("## Treatment of gout\nGive colchicine.", "Treatment of gout", "heading"),
        ("Does zinc cure colds?", "Does zinc cure colds?", "question"),
        ("Drugs for gout include:\n- colchicine", "Drugs for gout include", "lead-in"),
        ("Give zinc if the patient is deficient.", "Give zinc", "'if'"),
        ("| Sign | Seen |\n|---|---|\n| Fever | yes |", "Sign | Seen", "heading"),
    ],
)
def test_what_is_no_statement_says_why(evidence: str, quote: str, why: str) -> None:
    statement = read(evidence, quote)
    assert statement is not None
    assert why in (statement.why_not or "")


@pytest.mark.parametrize(
    ("statement", "claim", "expected"),
    [
        ("She denies fever, chills, and night sweats.", "The patient has no fever.", True),
        ("Her pulse is 100 beats per minute.", "The patient has no fever.", False),
        ("He is afebrile.", "There is no fever.", True),
        ("He has a fever.", "There is no fever.", False),
        ("He has a fever but no cough.", "There is no fever.", False),
        ("He has a fever.", "The patient has a fever.", None),
        ("Aspirin is contraindicated in children.", "Aspirin is not recommended in children.", None),
        ("No crackles or wheezes are heard.", "The lungs are free of wheezes.", True),
        ("Chest pain was absent.", "She does not have chest pain.", True),
        ("Neck stiffness: no", "There is no neck stiffness.", True),
        ("There is no fever but she has a cough.", "There is no fever and no cough.", False),
        ("Serology: HBsAg; Result: negative", "Hepatitis B surface antigen is negative.", True),
    ],
)
def test_a_denied_finding_needs_a_denial(statement: str, claim: str, expected: bool | None) -> None:
    assert denies(statement, claim) is expected


@pytest.mark.parametrize(
    ("statement", "claim", "word"),
    [
        (
            "Metformin does not reduce mortality in heart failure.",
            "Metformin reduces mortality in heart failure.",
            "not",
        ),
        ("He denies chest pain.", "The patient has chest pain.", "denies"),
        ("He has no fever but a cough.", "He has a cough.", None),
        ("Warfarin does not dissolve clots, it prevents them.", "Warfarin prevents clots.", None),
    ],
)
def test_a_sentence_that_denies_the_claim_is_recognised(statement: str, claim: str, word: str | None) -> None:
    assert denied_by(statement, claim) == word


@pytest.mark.parametrize(
    ("statement", "claim", "figure"),
    [
        ("Give less than 5 mg of haloperidol.", "Give 5 mg of haloperidol.", "5 mg"),
        ("Give up to 5 mg.", "Give at most 5 mg.", None),
        ("Give 5 mg/kg of gentamicin.", "Give 5 mg of gentamicin.", "5 mg"),
        ("Give 2 to 5 mg.", "Give 5 mg.", "5 mg"),
        ("A 45-year-old man has gout.", "The man is 45 years old.", None),
    ],
)
def test_a_figure_with_another_bound_or_unit_is_another_figure(statement: str, claim: str, figure: str | None) -> None:
    assert other_figure(statement, claim) == figure


@given(st.text(max_size=300), st.integers(0, 300), st.integers(1, 60))
@settings(max_examples=200)
def test_any_place_of_any_text_can_be_read(text: str, start: int, length: int) -> None:
    start = min(start, len(text))
    end = min(start + length, len(text))
    statement = read_statement(text, start, end)
    assert 0 <= statement.start <= statement.end <= len(text)
