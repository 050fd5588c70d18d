"""What holds of the claims of any step."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tracejury.agents import ClaimSet, ContextStep, cut_by_rule

STEM = "A 7-year-old girl has a fever of 39.4 C and a painful knee. She denies trauma. What is the best next step?"
STATEMENTS = (
    "Metformin is contraindicated below an eGFR of 30 mL/min.",
    "Aspirin inhibits COX-1 and increases bleeding, but paracetamol does not.",
    "She denies trauma.",
    "If the knee is hot, the joint is aspirated; otherwise it is not.",
    "The answer is B.",
    "Since aspirin is safe in dengue, what should we give?",
    "## Aspirin is safe in dengue",
    "- **Sodium:** it was 128 mEq/L (the limit is 135 mEq/L).",
    '{"quote": "She has a fever of 39.4 C.", "label": "supported"}',
)
SILENT = ("Let us look at the options.", "## Pathophysiology", "Which one is it?", "Step 2: Evaluate options", "---")
MARKUP = st.sampled_from(
    ["{", "}", '"', '":', "**", "# ", "\n- ", "(", ")", "; ", ", and ", " because ", "?", "<b>", "|", "1. "]
)
WORDS = st.sampled_from(
    ["aspirin", "is", "not", "safe", "may", "if", "39.4 C", "which", "causes", "let us", "e.g.", "it", "so"]
)
noise = st.lists(st.one_of(MARKUP, WORDS, st.text(max_size=6)), max_size=40).map(" ".join)
joints = st.sampled_from([" ", "\n", "\n\n"])


@st.composite
def steps(draw: st.DrawFn) -> tuple[str, list[str]]:
    """Draw a step of statements and of lines that state nothing, with the statements."""
    lines = draw(st.lists(st.sampled_from(STATEMENTS + SILENT), max_size=9))
    return "\n".join(lines), [line for line in lines if line in STATEMENTS]


def check(step: str, claim_set: ClaimSet) -> None:
    assert 0 <= claim_set.coverage <= 1
    assert (claim_set.coverage == 1) is (not claim_set.uncovered)
    assert [c.handle for c in claim_set.claims] == [f"C{i}" for i in range(1, len(claim_set.claims) + 1)]
    assert len(claim_set.claims) <= 12
    for claim in claim_set.claims:
        assert 0 <= claim.start < claim.end <= len(step)
        assert claim.rewritten is (claim.text != step[claim.start : claim.end])
    assert [c.start for c in claim_set.claims] == sorted(c.start for c in claim_set.claims)


@given(noise)
@settings(max_examples=300, deadline=None)
def test_any_text_is_cut_into_claims_of_its_own_characters(step: str) -> None:
    claim_set = cut_by_rule(step, STEM, [ContextStep(index=0, text="The knee is painful.")])
    check(step, claim_set)
    assert cut_by_rule(step, STEM, [ContextStep(index=0, text="The knee is painful.")]) == claim_set


@given(steps())
@settings(max_examples=200, deadline=None)
def test_every_statement_is_in_some_claim_whatever_stands_around_it(step_and_statements: tuple[str, list[str]]) -> None:
    step, statements = step_and_statements
    claim_set = cut_by_rule(step, STEM, ())
    check(step, claim_set)
    assert claim_set.coverage == 1
    alone = [c for statement in statements for c in cut_by_rule(statement, STEM, ()).claims]
    if len(alone) <= 12:
        # A question or a lead-in may join its neighbour, nothing else may change.
        texts = [c.text for c in claim_set.claims]
        assert all(any(c.text in text for text in texts) for c in alone)


@given(st.sampled_from(STATEMENTS), st.sampled_from(STATEMENTS))
@settings(deadline=None)
def test_the_claims_of_a_claim_are_itself(first: str, second: str) -> None:
    step = f"{first}\n{second}"
    for claim in cut_by_rule(step, STEM, ()).claims:
        assert [c.text for c in cut_by_rule(claim.text, STEM, ()).claims] == [claim.text]
