"""Sample records for tests of plug-ins."""

from __future__ import annotations

from tracejury.agents import Case, Claim, ClaimSet, ContextStep
from tracejury.retrieval import Passage
from tracejury.traces import Question, Trace

STEM = "A 54-year-old woman takes warfarin. Her INR is 7.2, and she does not bleed. What comes next?"
STEPS = (
    "An INR of 7.2 is above the therapeutic range of 2 to 3.",
    "She does not bleed, so warfarin is stopped.",
    "Without bleeding, vitamin K is not needed below an INR of 10.",
)


def sample_question() -> Question:
    """Return a question with three options and a gold answer."""
    options = {"A": "Stop warfarin", "B": "Give fresh frozen plasma", "C": "Give vitamin K intravenously"}
    return Question(stem=STEM, options=options, gold="A", source="sample", key="sample-1")


def sample_trace(text: str | None = None) -> Trace:
    """Return a trace of three numbered steps for the sample question, or one with a text of your own."""
    numbered = "\n".join(f"{i}. {step}" for i, step in enumerate(STEPS, 1))
    return Trace(question_id=sample_question().id, model="sample", text=numbered if text is None else text, answer="A")


def sample_case(step: str = STEPS[2]) -> Case:
    """Return the case of the sample trace's last step, or of a step of your own, with one passage."""
    question = sample_question()
    passage = Passage(
        key="inr",
        source="sample",
        title="Excessive anticoagulation",
        text="With an INR of 4.5 to 10 and no bleeding, omit the next doses of warfarin. Vitamin K is not routine.",
        citation="Sample handbook, 2026",
        license="CC0-1.0",
        date="2026",
    )
    return Case(
        step_id="s_sample",
        trace_id="t_sample",
        stem=question.stem,
        options=question.options,
        context=tuple(ContextStep(index=i, text=text) for i, text in enumerate(STEPS[:2])),
        step_index=2,
        step=step,
        claims=ClaimSet(claims=(Claim(handle="C1", text=step, start=0, end=len(step)),), coverage=1.0, made_by="rule"),
        passages=(passage,),
    )


def hostile_steps() -> tuple[str, ...]:
    """Return texts of steps that plug-ins meet sooner or later: empty, long, in other scripts, full of markup."""
    return (
        "",
        " \n\t",
        "a" * 20_000,
        "word " * 5_000,
        "患者发热三天,应当使用抗生素。",
        "الخطوة 1: المريض يعاني من الحمى.",
        "{not a template} %s $x \\boxed{C} <script>alert(1)</script> [/bold]",
        "Zero\u200bwidth, right-to-left \u202e mark, a bell \u0007 and half a pair \ud83d.",
        "Give 5 mg/kg; (((((" + "(" * 500,
    )
