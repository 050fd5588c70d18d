"""What the rule makes of steps: which parts are claims, where they are cut, what stays together."""

from __future__ import annotations

import pytest

from tracejury.agents import ClaimSet, ContextStep, cut_by_rule

STEM = (
    "A 55-year-old man has had crushing substernal chest pain on exertion over the past 6 weeks. He takes one aspirin"
    " daily and has smoked two packs of cigarettes daily for 30 years. He has no fever. His blood pressure is 152/94 mm"
    " Hg and his pulse is 80/min. Which of the following is the best drug?"
)


def cut(step: str, stem: str = STEM, *earlier: str) -> ClaimSet:
    return cut_by_rule(step, stem, [ContextStep(index=i, text=text) for i, text in enumerate(earlier)])


def texts(step: str) -> list[str]:
    return [claim.text for claim in cut(step).claims]


@pytest.mark.parametrize(
    "step",
    [
        "Step 2: Evaluate options",
        "Step 3: Analyzing Choice B: Atrial septal defect",
        "Let us consider the options in turn.",
        "We need to determine which drug is best.",
        "First, I will look at the symptoms.",
        "## Pathophysiology",
        "**Pathophysiology:**",
        "Which drug should be given?",
        "Step 5: Joint analysis of candidate choices",
        "Which one is it? Let us look at the options.\n## Options",
        "---",
        "1.",
        "",
    ],
)
def test_headings_plans_and_questions_are_no_claims_and_lower_no_coverage(step: str) -> None:
    claims = cut(step)
    assert claims == ClaimSet(beside=claims.beside)


@pytest.mark.parametrize(
    ("step", "hidden"),
    [
        ("Since aspirin is safe in dengue, what should we give?", "aspirin is safe in dengue"),
        ("What should we give, since aspirin is safe in dengue?", "aspirin is safe in dengue"),
        ("Aspirin is safe in dengue, so what should we give?", "Aspirin is safe in dengue"),
        ("Isn't aspirin safe in dengue?", "aspirin safe in dengue"),
        ("Is aspirin safe in dengue? Yes.", "aspirin safe in dengue? Yes"),
        ("What is the drug of choice in dengue? Aspirin.", "drug of choice in dengue? Aspirin"),
        ("Aspirin is safe in dengue?", "Aspirin is safe in dengue"),
        ("Why is aspirin safe in dengue?", "aspirin safe in dengue"),
        ("## Aspirin is safe in dengue", "Aspirin is safe in dengue"),
        ("### Aspirin: safe in dengue", "safe in dengue"),
        ("**Safe in dengue:** aspirin", "aspirin"),
        ("Let us consider aspirin, which is safe in dengue.", "aspirin, which is safe in dengue"),
        ("Let us remember that aspirin is safe in dengue.", "aspirin is safe in dengue"),
        ("Consider giving aspirin in dengue.", "giving aspirin in dengue"),
        ("We need to give aspirin.", "give aspirin"),
        ("Let us give aspirin.", "give aspirin"),
        ("Who would deny that aspirin is safe in dengue?", "aspirin is safe in dengue"),
        ("Eliminate choice A because it is teratogenic.", "it is teratogenic"),
        ("Note the hypocalcemia of 6.5 mg/dL.", "hypocalcemia of 6.5 mg/dL"),
        ('{"claim": "Aspirin is safe in dengue"}', "Aspirin is safe in dengue"),
        ('{"Aspirin is safe in dengue": true}', "Aspirin is safe in dengue"),
        ("<b>Aspirin is safe in dengue</b>", "Aspirin is safe in dengue"),
        ("| aspirin | yes |", "aspirin | yes"),
        ("The causes of gout include:\n- alcohol\n- thiazides", "causes of gout include:\n- alcohol\n- thiazides"),
    ],
)
def test_a_statement_in_a_question_a_heading_a_plan_or_markup_does_not_vanish(step: str, hidden: str) -> None:
    assert any(hidden in text for text in texts(step)), texts(step)


@pytest.mark.parametrize("step", ["The answer is B.", "Solution: Choice_B", "**Answer: B**", "Final answer: C"])
def test_a_conclusion_that_names_an_option_is_a_claim(step: str) -> None:
    assert len(texts(step)) == 1


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (
            "An SGLT2 inhibitor slows the loss of kidney function, whereas a sulfonylurea does not.",
            ["An SGLT2 inhibitor slows the loss of kidney function", "a sulfonylurea does not."],
        ),
        (
            "ACE inhibitors are not given in pregnancy, because they cause fetal renal failure.",
            ["ACE inhibitors are not given in pregnancy", "they cause fetal renal failure."],
        ),
        (
            "Adenoviruses tend to provoke a strong response, so they have high immunogenicity.",
            ["Adenoviruses tend to provoke a strong response", "they have high immunogenicity."],
        ),
        ("He denies trauma, which makes a fracture unlikely.", ["He denies trauma", "makes a fracture unlikely."]),
        ("The pulse is high; the pressure is low.", ["The pulse is high", "the pressure is low."]),
        (
            "While choice B is more reliable, choice C is safer.",
            ["choice B is more reliable", "choice C is safer."],
        ),
        ("The rash has faded (it was gone on day 5).", ["The rash has faded", "it was gone on day 5"]),
        ("**Mechanism:** Aspirin inhibits COX-1.", ["Aspirin inhibits COX-1."]),
        ("Step 4: Choice D: Aspirin inhibits COX-1. Therefore, it fits.", ["Aspirin inhibits COX-1.", "it fits."]),
    ],
)
def test_a_sentence_is_cut_where_it_carries_several_statements(step: str, expected: list[str]) -> None:
    assert texts(step) == expected


@pytest.mark.parametrize(
    "sentence",
    [
        "If the platelets are low, aspirin is stopped and paracetamol is given.",
        "Aspirin may inhibit COX-1 and increase bleeding.",
        "It is not true that aspirin is safe and paracetamol is toxic.",
        "Aspirin does not cause fever or lower the pressure.",
        "Neither aspirin nor ibuprofen is given, and both are avoided.",
        "Give 2.5 mg/kg i.v. every 8 h, e.g. over 30 min.",
        "Septic arthritis is more likely than transient synovitis.",
        "The drug that inhibits COX-1 and increases bleeding is aspirin.",
        "He has had pain since he fell.",
        "Dr. Still described the fever.",
        "It is given not because it is cheap.",
    ],
)
def test_what_qualifies_a_statement_stays_with_it(sentence: str) -> None:
    assert texts(sentence) == [sentence]


def test_a_shared_subject_is_written_out_and_the_characters_are_the_predicate() -> None:
    step = "Glycolysis occurs in the cytoplasm and does not require oxygen."
    first, second = cut(step).claims
    assert (first.text, first.rewritten) == ("Glycolysis occurs in the cytoplasm", False)
    assert (second.text, second.rewritten) == ("Glycolysis does not require oxygen.", True)
    assert step[second.start : second.end] == "does not require oxygen."


@pytest.mark.parametrize(
    "claim",
    [
        "He takes one aspirin daily.",
        "The patient is a 55-year-old man with crushing substernal chest pain on exertion.",
        "He has no fever.",
        "His blood pressure is 152/94 mm Hg.",
        "The pulse is 80/min and the blood pressure is 152/94 mm Hg.",
    ],
)
def test_what_stands_in_the_vignette_is_a_restatement(claim: str) -> None:
    assert {c.restates for c in cut(claim).claims} == {"vignette"}


@pytest.mark.parametrize(
    "claim",
    [
        "He has fever.",
        "He does not take aspirin.",
        "His blood pressure is 94/152 mm Hg.",
        "His pulse is 94/min.",
        "He takes two aspirin daily.",
        "He has smoked aspirin for 30 years.",
        "He takes cigarettes daily.",
        "He may have chest pain on exertion.",
        "Aspirin is the best drug.",
        "He has chest pain and fever.",
        "His blood pressure is above 152/94 mm Hg.",
        "A 30-year-old man has chest pain.",
    ],
)
def test_another_figure_polarity_object_or_modality_is_no_restatement(claim: str) -> None:
    assert {c.restates for c in cut(claim).claims} == {None}


def test_every_sentence_of_the_vignette_is_a_restatement_and_its_question_is_none() -> None:
    claims = cut(STEM).claims
    assert len(claims) >= 5
    assert {c.restates for c in claims} == {"vignette"}


def test_an_earlier_step_is_restated_by_its_index() -> None:
    earlier = "Beta-blockers lower the heart rate."
    assert [c.restates for c in cut(earlier, STEM, "Hm.", earlier).claims] == ["step:1"]


def test_claims_are_numbered_and_neighbours_merged_beyond_twelve_so_that_nothing_is_lost() -> None:
    step = " ".join(f"Drug number{chr(97 + i)} inhibits enzyme{chr(97 + i)}." for i in range(20))
    claim_set = cut(step)
    assert [c.handle for c in claim_set.claims] == [f"C{i}" for i in range(1, 13)]
    assert claim_set.coverage == 1
    assert all(f"enzyme{chr(97 + i)}" in " ".join(c.text for c in claim_set.claims) for i in range(20))


def test_a_word_in_no_claim_is_listed() -> None:
    claim_set = cut('Aspirin is safe. {"confidence": 95}')
    assert claim_set.uncovered == ("95",)
    assert 0 < claim_set.coverage < 1


@pytest.mark.timeout(120)  # benchmarks/speed.py measures the time; here a pattern that backtracks would not end
def test_a_text_made_to_stall_the_patterns_is_cut() -> None:
    for text in ("a is b, and " * 800, "x because " * 1500, '{"a": ' * 1500, "(" * 5000, "<b>" * 2000):
        assert all(0 <= claim.start < claim.end <= len(text) for claim in cut(text).claims)
