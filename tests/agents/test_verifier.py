"""The verifier's committed weights, on sentences of no data set."""

from __future__ import annotations

import asyncio

import pytest

from tracejury.agents import Case, ContextStep, Label, Verifier, entailment
from tracejury.retrieval import Passage, relevance
from tracejury.traces import ErrorType

STEM = (
    "A 67-year-old man comes to the clinic because of chest pain for 3 days. He has no history of diabetes mellitus."
    " His blood pressure is 152/94 mm Hg. Which of the following is the best next step?"
)
REFERENCE = Passage(
    source="handbook",
    title="Lisinopril",
    text="Lisinopril inhibits angiotensin-converting enzyme. The usual dose in hypertension is 10 mg once daily."
    " Dry cough is a common adverse effect. It is contraindicated in pregnancy.",
    citation="Handbook 2024",
    license="for tests",
)


def judged(step: str, *context: str) -> tuple[Label, ErrorType | None, tuple[tuple[str, str], ...]]:
    case = Case(
        step_id="s",
        trace_id="t",
        stem=STEM,
        step_index=len(context),
        step=step,
        passages=(REFERENCE,),
        context=tuple(ContextStep(index=i, text=text) for i, text in enumerate(context)),
    )
    draft = asyncio.run(Verifier().draft(case, None))
    return draft.label, draft.error_type, tuple((q.evidence_id, q.quote) for q in draft.quotes)


@pytest.mark.parametrize(
    "step",
    [
        "Step 2: His blood pressure is 102/94 mm Hg.",
        "A 47-year-old man comes to the clinic because of chest pain for 3 days.",
    ],
)
def test_a_step_against_the_vignette_is_an_error_and_quotes_it(step: str) -> None:
    label, kind, quotes = judged(step)
    assert (label, kind) == (Label.ERROR, ErrorType.CONTRADICTS_VIGNETTE)
    assert all(name == "vignette" and quote in STEM for name, quote in quotes)


def test_a_wrong_dose_is_an_error_and_the_right_one_is_supported() -> None:
    assert judged("The usual dose of lisinopril in hypertension is 100 mg once daily.")[:2] == (
        Label.ERROR,
        ErrorType.FACTUAL,
    )
    label, _, quotes = judged("The usual dose in hypertension is 10 mg once daily.")
    assert label is Label.SUPPORTED
    assert all(quote in REFERENCE.text for _, quote in quotes)


def test_silence_is_not_support() -> None:
    assert judged("Pulmonary embolism is diagnosed by CT angiography of the chest.")[0] is Label.UNCLEAR


def test_one_unsupported_sentence_keeps_the_step_from_being_supported() -> None:
    assert judged("Dry cough is a common adverse effect. Angioedema occurs in one patient of five hundred.")[0] is (
        Label.UNCLEAR
    )


def test_an_earlier_step_supports_nothing() -> None:
    claim = "Ventricular septal rupture presents with a new harsh murmur."
    assert judged(claim, claim)[0] is Label.UNCLEAR


def test_nothing_to_check_is_no_claim() -> None:
    assert judged("Step 3: Is it so?")[0] is Label.NO_CLAIM


def test_probabilities_do_not_depend_on_what_is_scored_beside() -> None:
    model = entailment()
    pair = ("Dry cough is a common adverse effect.", REFERENCE.text)
    alone = model.score([pair])[0]
    beside = model.score([("A.", "B is much longer than A and tells of other things. " * 9), pair])[1]
    assert sum(alone) == pytest.approx(1, abs=1e-5)
    assert tuple(beside) == pytest.approx(tuple(alone), abs=0.05)


def test_as_a_scorer_a_true_sentence_on_something_else_scores_below_the_sentence_that_decides() -> None:
    claim = "Dry cough is an adverse effect of lisinopril."
    decides, does_not = "Dry cough is a common adverse effect of lisinopril.", "His blood pressure is 152/94 mm Hg."
    high, low = relevance("verifier").score([(claim, decides), (claim, does_not)])
    assert high > 0.5 > low
