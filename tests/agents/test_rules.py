"""Derivations by rule: two quoted spans and a rule that anybody can apply again, and what stands against them."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable

import pytest
from small_run import Overlap

from tracejury.agents import (
    Case,
    JudgePanel,
    Label,
    Opinion,
    Panel,
    Resolution,
    judges,
    recompute,
    resolve_round,
)
from tracejury.agents.data_judge.points import bounds, calculate, scores
from tracejury.agents.derivations import derivations_for
from tracejury.traces import ErrorType

STEM = (
    "A 76-year-old woman with hypertension has had three episodes of palpitations. The right knee is swollen. She has "
    "never had a stroke, a bleed or heart failure, and she does not have diabetes. Her mother had a stroke. "
    "Temperature is 38.1 C, respirations are 32/min and blood pressure is 118/70 mm Hg. Urea nitrogen is 12 mg/dL. "
    "She is alert and oriented. No rash, edema or clubbing is seen. She reports no recent travel. "
    "Which of the following best prevents another thrombosis?"
)
JUDGE = judges.make("data")
WRONG = {
    "sex": "This man needs an anticoagulant.",
    "side": "The left knee should be aspirated.",
    "denied": "Her clubbing points to a chronic disease of the lungs.",
    "count": "She has had only one episode so far.",
    "points": "Her CURB-65 score is 3.",
}


def case(step: str, stem: str = STEM) -> Case:
    return Case(step_id="s", trace_id="t", stem=stem, step_index=2, step=step)


@pytest.mark.parametrize("kind", WRONG)
def test_a_contradiction_is_a_derivation_that_the_resolver_upholds(kind: str, opine: Callable[..., Opinion]) -> None:
    on = case(f"Let us see. {WRONG[kind]}")
    draft = JUDGE.judge(on)  # type: ignore[attr-defined]
    (derivation,) = draft.derivations
    assert (draft.label, derivation.kind, derivation.holds) == (Label.ERROR, kind, False)
    assert recompute(derivation)
    # No quote bears on the step by this scorer, so the derivation alone grounds the opinion.
    opinion = opine(draft, on=on, floor=1.1)
    assert opinion.grounded
    assert not any(c.counts for c in opinion.citations)
    panel = Panel.model_validate({"name": "p", "judges": [{"name": "one", "judge": "data"}], "resolver": {}})
    settled = asyncio.run(resolve_round(on, [opinion], JudgePanel(panel, None, Overlap())))
    assert isinstance(settled, Resolution)
    assert (settled.label, settled.derivations) == (Label.ERROR, opinion.derivations)
    assert settled.error_type is (ErrorType.ARITHMETIC if kind == "points" else ErrorType.CONTRADICTS_VIGNETTE)


@pytest.mark.parametrize("kind", WRONG)
def test_a_derivation_that_its_quotes_do_not_bear_counts_for_nothing(kind: str) -> None:
    on = case(WRONG[kind])
    (finding,) = JUDGE.judge(on).derivations  # type: ignore[attr-defined]
    first_input, *words = finding.inputs
    forged = (
        finding.model_copy(update={"holds": True}),
        finding.model_copy(update={"claimed": "something else"}),
        finding.model_copy(update={"computed": finding.claimed}),
        finding.model_copy(update={"inputs": (first_input,)}),
        finding.model_copy(
            update={"inputs": (first_input.model_copy(update={"quote": "The patient is ill."}), *words)}
        ),
    )
    assert not any(recompute(d) for d in forged)
    # Right by its own quotes, but not words of this case: nobody said so.
    elsewhere = on.model_copy(update={"step": "The patient is ill.", "step_index": 2})
    assert recompute(finding)
    assert derivations_for(elsewhere, (finding,), Label.ERROR) == ()
    assert derivations_for(on, (finding,), Label.SUPPORTED) == ()
    assert derivations_for(on, (finding,), Label.ERROR) == (finding,)


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("sex", "Her brother is a 70-year-old man."),
        ("side", "The left knee is swollen too."),
        ("denied", "Years ago clubbing was seen."),
        ("count", "Two episodes were seen today."),
    ],
)
def test_the_whole_vignette_may_say_what_one_sentence_of_it_does_not(kind: str, more: str) -> None:
    (finding,) = JUDGE.judge(case(WRONG[kind])).derivations  # type: ignore[attr-defined]
    assert derivations_for(case(WRONG[kind], f"{more} {STEM}"), (finding,), Label.ERROR) == ()


@pytest.mark.parametrize(
    "step",
    [
        "Her travel explains it.",  # no *recent* travel
        "Her edema-prone skin is thin.",
        "If her clubbing were real, it would be chronic.",
        "Her rash is absent.",
        "She was given an antibiotic and will get better.",
        "Only one episode per week is expected.",
        "One episode lasted longer.",
        "Her stroke risk is high.",
        "Her diabetes screening is due.",
        "A CURB-65 score of 3 indicates admission.",
        "A CURB-65 score of 3 or more would mean admission.",
        "Her CURB-65 score is 2.",
        "Her CHA2DS2-VASc score is 4.",
        "Her CHA2DS2-VASc score is 5.",  # vascular disease is not stated
        "The Wells score is 4.5.",
    ],
)
def test_what_the_vignette_does_not_rule_out_is_left_alone(step: str) -> None:
    finding = JUDGE.judge(case(step))  # type: ignore[attr-defined]
    assert finding.label is not Label.ERROR, finding.findings


@pytest.mark.parametrize(
    ("step", "bound"),
    [
        ("Her CHA2DS2-VASc score is 3.", "4"),
        ("The patient has a CHA2DS2-VASc score of 6.", "5"),
        ("The CURB-65 score comes to 1.", "2"),
        ("Her qSOFA score is 2.", "1"),
    ],
)
def test_a_score_outside_what_any_such_patient_can_have_is_wrong(step: str, bound: str) -> None:
    (finding,) = JUDGE.judge(case(step)).derivations  # type: ignore[attr-defined]
    assert (finding.computed, finding.holds) == (bound, False)


def test_every_point_score_takes_what_the_calculator_library_takes_and_grows_with_it() -> None:
    for score in scores():
        module = importlib.import_module(f"open_medicine.mcp.calculators.{score.module}")
        (params,) = (p for n, p in getattr(module, score.function).__annotations__.items() if n != "return")
        params = getattr(module, params) if isinstance(params, str) else params
        assert set(score.items) <= set(params.model_fields), score.name
        required = {name for name, field in params.model_fields.items() if field.is_required()}
        assert required <= set(score.items), score.name
    for name in ("cha2ds2_vasc", "curb65", "crb65", "qsofa", "child_pugh", "wells_pe"):
        limits = bounds(name, STEM)
        assert limits is not None
        least = {k: b.least for k, b in limits.items()}
        for item, b in limits.items():
            assert calculate(name, {**least, item: b.most}) >= calculate(name, least), (name, item)


def test_a_score_that_needs_what_is_not_stated_is_not_computed() -> None:
    assert bounds("meld_na", STEM) is None
    stem = (
        "A 60-year-old man has cirrhosis. Creatinine is 1.9 mg/dL, bilirubin 4.2 mg/dL, INR 1.8 and sodium 129 mEq/L."
    )
    assert bounds("meld_na", stem) is not None
    finding = JUDGE.judge(case("His MELD-Na score is 15.", stem))  # type: ignore[attr-defined]
    assert finding.label is Label.ERROR
    assert JUDGE.judge(case(f"His MELD-Na score is {finding.derivations[0].computed}.", stem)).label is Label.UNCLEAR  # type: ignore[attr-defined]
