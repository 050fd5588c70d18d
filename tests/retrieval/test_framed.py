"""A sentence that holds a claim's words without asserting them supports nothing, however it is quoted."""

from __future__ import annotations

import pytest

from tracejury.retrieval import check_quote, framed_by, read_statement

CLAIM = "Isotretinoin is safe in the first trimester of pregnancy."


@pytest.mark.parametrize(
    "statement",
    [
        f"It is a common error to believe that {CLAIM}",
        f"It is a mistake to teach that {CLAIM}",
        f"Retracted statement: {CLAIM}",
        f"Debunked: {CLAIM}",
        f"Exam question: {CLAIM}",
        f"Critics claim that {CLAIM}",
        f"Students often write: {CLAIM}",
        f"Answers that lose marks: {CLAIM}",
        f"With the opposite findings one would say that {CLAIM}",
        "It is a common error to believe that potassium has to be lowered with insulin.",
        "If isotretinoin is safe in the first trimester of pregnancy, no test is needed.",
    ],
)
def test_what_a_frame_holds_is_not_asserted(statement: str) -> None:
    assert framed_by(statement, CLAIM)


@pytest.mark.parametrize(
    ("statement", "claim"),
    [
        (CLAIM, CLAIM),
        (f"Fact: {CLAIM}", CLAIM),
        ("If the patient has a fever, give paracetamol.", "If the patient has a fever, paracetamol is given."),
        (
            "If a patient with giant cell arteritis loses vision, start prednisone at once.",
            "Prednisone is started at once in giant cell arteritis with loss of vision.",
        ),
        ("It is an error to believe that zinc cures colds; rest is what helps.", "Rest is what helps."),
    ],
)
def test_what_is_asserted_and_what_the_claim_frames_itself_may_support(statement: str, claim: str) -> None:
    assert framed_by(statement, claim) is None


@pytest.mark.parametrize(
    "evidence",
    [
        f"Which of these is right? (A) {CLAIM} (B) She feels well.",
        f"Which of these is right? (A) She feels well. (B) {CLAIM}",
        f"The following is false. {CLAIM}",
        f"The next statement has been refuted: {CLAIM}",
    ],
)
def test_options_of_a_question_and_what_is_announced_as_false_state_nothing(evidence: str) -> None:
    check = check_quote(CLAIM, evidence)
    read = check.verified and read_statement(evidence, check.start or 0, check.end or 0).why_not is None
    assert not read
