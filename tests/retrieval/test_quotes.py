import random
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracejury.retrieval import check_quote

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))
from quote_changes import ALTERED, FORGIVEN, TRUE

TEXT = (
    "In adults with septic shock, start norepinephrine at 0.05 mcg/kg/min and keep the mean arterial pressure above "
    "65 mmHg. Warfarin is not recommended in pregnancy, and the INR should stay between 2-3.\n"
    "- Give **vancomycin 15-20 mg/kg** every 8 hours, or 1,000 mg twice daily if the creatinine is <1.5 mg/dL.\n"
    "Beta-blockers reduce mortality after myocar-\ndial infarction; haemorrhage is the “main” risk. "
    "Do not give metformin when the patient's eGFR is under 30 mL/min because lactic acidosis may follow."
)


@pytest.mark.parametrize(
    "quote",
    [
        "start norepinephrine at 0.05 mcg/kg/min",
        "START  Norepinephrine at\n0.05 mcg/kg/min",
        "Give vancomycin 15-20 mg/kg every 8 hours",
        "Give vancomycin 15\u201320 mg/kg every 8 hours",
        "or 1000 mg twice daily",
        "reduce mortality after myocardial infarction",
        'haemorrhage is the "main" risk',
        "Warfarin is not recommended in pregnancy",
        "if the creatinine is <1.5 mg/dL",
        "Keep mean arterial pressure above 65 mmHg. Warfarin is not recommended in pregnancy",
        "Beta blockers reduce mortality after myocardial infarction; hemorrhage is the main risk",
    ],
)
def test_words_that_stand_there_verify(quote: str) -> None:
    check = check_quote(quote, TEXT)
    assert check.verified, check.why_not
    assert check.start is not None
    assert check.end is not None
    found = TEXT[check.start : check.end]
    assert found.split()[0].strip("*").lower()[:3] in (
        "sta",
        "giv",
        "or",
        "red",
        "hae",
        "war",
        "if",
        "kee",
        "bet",
        "the",
    )


@pytest.mark.parametrize(
    ("quote", "why"),
    [
        ("start norepinephrine at 0.5 mcg/kg/min", "0.05"),
        ("start norepinephrine at 0.05 mcg/kg/h and keep the mean arterial pressure above 65 mmHg", "min"),
        ("5 mcg/kg/min and keep", "0.05"),
        ("start epinephrine at 0.05 mcg/kg/min and keep the mean arterial pressure above 65 mmHg", "norepinephrine"),
        ("keep the mean arterial pressure below 65 mmHg in adults with septic shock", ""),
        ("Warfarin is recommended in pregnancy", ""),
        ("recommended in pregnancy", "not"),
        ("give metformin when the patient's eGFR is under 30", "not"),
        ("vancomycin 15", "middle"),
        ("20 mg/kg every 8 hours", "middle"),
        ("vancomycin 15-20 mg", "middle"),
        ("if the creatinine is 1.5 mg/dL", ""),
        ("1.5 mg/dL", "middle"),
        ("the INR should stay between 2-4", ""),
        ("Warfarin ... in pregnancy", "leaves words out"),
        ("Warfarin", "too short"),
        ("", "too short"),
        ("of the", "too short"),
        ("Norepinephrine should be started at 0.05 mcg/kg/min in septic shock", ""),
    ],
)
def test_words_that_do_not_stand_there_do_not_verify(quote: str, why: str) -> None:
    check = check_quote(quote, TEXT)
    assert not check.verified
    assert why in (check.why_not or "")


def test_a_comparison_may_be_written_out() -> None:
    assert check_quote("if the INR is >= 4.5", "Stop it if the INR is ≥ 4.5 at once.").verified
    assert check_quote("if the INR is ≥4.5", "Stop it if the INR is >= 4.5 at once.").verified
    assert not check_quote("if the INR is > 4.5", "Stop it if the INR is >= 4.5 at once.").verified
    assert not check_quote("INR is = 4.5", "Stop it if the INR is >= 4.5 at once.").verified


@pytest.mark.parametrize(
    ("quote", "text"),
    [
        ("reduce mortality", "In this trial, aspirin failed to reduce mortality."),
        ("benefit in adults was shown", "A lack of benefit in adults was shown."),
    ],
)
def test_a_failure_or_a_lack_is_a_negation(quote: str, text: str) -> None:
    check = check_quote(quote, text)
    assert not check.verified
    assert "leaves out the word" in (check.why_not or "")
    assert check_quote("heart failure is common", "Acute heart failure is common.").verified


def test_a_superscript_is_no_digit() -> None:
    assert check_quote("above 10² cells", "counts above 10² cells").verified
    assert not check_quote("above 102 cells", "counts above 10² cells").verified
    assert not check_quote("of 11/2 tablets", "a dose of 1½ tablets").verified


@pytest.mark.parametrize("kind", sorted(ALTERED))
def test_altered_quotes_are_refused(kind: str) -> None:
    rng = random.Random(4)
    sentences = [s.strip() for s in TEXT.replace("\n", " ").split(". ")]
    tried = [(q, s) for s in sentences for _ in range(5) if (q := ALTERED[kind](s, rng)) and q != s]
    if kind in ("decimal point", "comparison", "number", "drug", "unit", "negation put in", "negation taken out"):
        assert tried, "the text was written to hold one of each"
    assert not [q for q, s in tried if check_quote(q, s).verified]


@pytest.mark.parametrize("kind", sorted({**TRUE, **FORGIVEN}))
def test_copied_quotes_are_accepted(kind: str) -> None:
    rng = random.Random(5)
    sentence = "The treatment of ischemic edema, randomized in adults, showed significant improvement on the whole."
    quote = {**TRUE, **FORGIVEN}[kind](sentence, rng)
    assert quote is not None or kind == "typography"
    assert quote is None or check_quote(quote, f"Before this. {sentence} After this.").verified


@pytest.mark.parametrize(
    ("one", "other"),
    [("afferent", "efferent"), ("hypertension", "hypotension"), ("nitrate", "nitrite"), ("ileum", "ilium"),
     ("symptomatic", "asymptomatic"), ("prednisone", "prednisolone"), ("hydroxyzine", "hydralazine"),
     ("hyperglycemia", "hypoglycemia"), ("methylprednisolone", "prednisolone"), ("intrathecal", "intratracheal")],
)  # fmt: skip
def test_words_that_look_alike_are_not_the_same(one: str, other: str) -> None:
    frame = "in this patient the finding of {} was the reason for the change of treatment"
    assert not check_quote(frame.format(one), frame.format(other)).verified
    assert not check_quote(frame.format(other), frame.format(one)).verified


@given(st.text(max_size=200), st.text(max_size=400))
@settings(max_examples=200)
def test_offsets_lie_inside_the_evidence(quote: str, text: str) -> None:
    check = check_quote(quote, text)
    if check.verified:
        assert 0 <= (check.start or 0) < (check.end or 0) <= len(text)
    else:
        assert check.why_not


def test_a_long_text_is_checked_quickly() -> None:
    long = TEXT * 40
    assert check_quote("lactic acidosis may follow", long).verified
    assert not check_quote("lactic acidosis might perhaps follow in some of these older patients", long).verified


def test_a_circled_number_is_its_digits() -> None:
    assert check_quote("given for ㊱ hours", "It was given for 36 hours.").verified
