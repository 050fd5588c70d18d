"""The judge without a model: what it finds wrong, what it finds right, and above all what it leaves alone."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable
from importlib.resources import files

import pytest
import yaml

from tracejury.agents import Case, ContextStep, Draft, Label, Opinion, judges
from tracejury.agents.data_judge.quantities import quantities
from tracejury.agents.data_judge.scores import filled, scores
from tracejury.agents.units import compute
from tracejury.traces import ErrorType

STEM = (
    "A 54-year-old man comes to the office because of a 3-day history of right knee pain. He weighs 70 kg (154 lb). "
    "He has smoked 2 packs of cigarettes daily for 30 years. His temperature is 38.5°C (101.3°F), blood pressure is "
    "150/90 mm Hg, and pulse is 110/min. Serum sodium is 140 mEq/L, chloride 100 mEq/L, and bicarbonate 14 mEq/L; "
    "potassium is 5.9 mEq/L, and creatinine is 1.2 mg/dL. There is no joint effusion, and he denies drinking."
)
EARLIER = (
    ContextStep(index=0, text="His loading dose is 15 x 70 = 1,050 mg."),
    ContextStep(index=1, text="The CURB-65 score is 1: urea (1)."),
)
JUDGE = judges.make("data")


def case(step: str, stem: str = STEM, **update: object) -> Case:
    return Case(step_id="s", trace_id="t", stem=stem, step_index=4, step=step, context=EARLIER).model_copy(
        update=update
    )


def judge(step: str, stem: str = STEM, **update: object) -> Draft:
    return asyncio.run(JUDGE.draft(case(step, stem, **update), None))


@pytest.mark.parametrize(
    ("step", "kind"),
    [
        ("The patient is a 64-year-old man with an inflamed knee.", ErrorType.CONTRADICTS_VIGNETTE),
        ("This woman has an inflamed knee.", ErrorType.CONTRADICTS_VIGNETTE),
        ("His temperature of 39.6°C points to an infection.", ErrorType.CONTRADICTS_VIGNETTE),
        ("With a blood pressure of 190/90 mm Hg he needs treatment.", ErrorType.CONTRADICTS_VIGNETTE),
        ("His potassium of 3.2 mEq/L calls for replacement.", ErrorType.CONTRADICTS_VIGNETTE),
        ("His potassium is a little low at 2.9 mEq/L.", ErrorType.CONTRADICTS_VIGNETTE),
        ("His joint effusion makes an arthritis certain.", ErrorType.CONTRADICTS_VIGNETTE),
        ("With the CURB-65 score of 3 obtained above he is admitted.", ErrorType.CONTRADICTS_STEP),
        ("The loading dose of 900 mg worked out before is too low.", ErrorType.CONTRADICTS_STEP),
        ("The dose is 6 g plus 2 g/h over 12 hours, which amounts to 18 g.", ErrorType.ARITHMETIC),
        ("The left knee is swollen, which fits.", ErrorType.CONTRADICTS_VIGNETTE),
        ("A 3-week history of right knee pain makes it chronic.", ErrorType.CONTRADICTS_VIGNETTE),
        ("The anion gap is 140 - (100 + 14) = 16.", ErrorType.ARITHMETIC),
        ("He has an anion gap of 18.", ErrorType.ARITHMETIC),
        ("At 15 mg/kg for 70 kg the dose is 850 mg.", ErrorType.ARITHMETIC),
        ("At 15 mg/kg the dose for him is 1,500 mg.", ErrorType.ARITHMETIC),
        ("He weighs 154 lb (80 kg).", ErrorType.ARITHMETIC),
        ("A potassium of 5.9 mEq/L is below 5.5 mEq/L.", ErrorType.ARITHMETIC),
        ("Age (1 point), hypertension (1 point) and stroke (2 points) give a total of 5.", ErrorType.ARITHMETIC),
        ("He has a 40 pack-year history.", ErrorType.ARITHMETIC),
        ("120 mL / 4 hours = 25 mL/hour", ErrorType.ARITHMETIC),
        ("The positive predictive value is 80 / (80 + 40) = 75%.", ErrorType.ARITHMETIC),
    ],
)
def test_errors_are_found_and_ground_themselves(step: str, kind: ErrorType, opine: Callable[..., Opinion]) -> None:
    draft = judge(step)
    assert (draft.label, draft.error_type) == (Label.ERROR, kind), draft.findings
    opinion = opine(draft, on=case(step), floor=0.0)
    assert opinion.grounded, [c.why_not for c in opinion.citations]


@pytest.mark.parametrize(
    "step",
    [
        "Gout is the likeliest diagnosis.",
        "The anion gap is 140 - (100 + 14) = 26.",
        "He has an anion gap of 26.",
        "An anion gap of 32 counts potassium in.",
        "A normal anion gap of 12 would speak against it.",
        "At 15 mg/kg for 70 kg the dose is 1,050 mg.",
        "At 15 mg/kg the dose would be 1,050 mg, capped at 1 g.",
        "Vancomycin 15 mg/kg every 12 hours, then 500 mg daily.",
        "He has a 60 pack-year history.",
        "A 64-year-old man would more typically have this.",
        "In a 20-year-old woman one would think of gonococcal arthritis.",
        "If his temperature were 40°C, sepsis would be likely.",
        "A temperature above 40°C suggests heat stroke.",
        "Potassium above 6.5 mEq/L needs calcium gluconate.",
        "Give potassium chloride 40 mEq.",
        "His joint effusion is absent, which speaks against arthritis.",
        "If he had a joint effusion, it would be aspirated.",
        "With the CURB-65 score of 1 obtained above he can go home.",
        "A CURB-65 score of 3 would mean admission.",
        "The dose is 6 g plus 2 g/h over 12 hours, which amounts to 30 g.",
        "2 g/h for 12 hours is given.",
        "The target blood pressure is below 130/80 mm Hg.",
        "The left knee is not involved, in contrast to the right knee.",
        "Symptoms of more than 6 weeks would be chronic.",
        "Women develop gout about 10 years later than men.",
        "The rule is 1 + 1.",
        "The date was 12/10/2020 = a Saturday.",
        "5 / 125 * 100 = 4%",
        "He takes 500 mg every 8 hours (10 days).",
        "Her mother is a 78-year-old woman with gout.",
    ],
)
def test_what_is_right_or_general_is_left_alone(step: str) -> None:
    draft = judge(step)
    assert draft.label is Label.UNCLEAR, draft.findings


def test_a_step_that_only_restates_the_vignette_is_supported() -> None:
    assert judge("A 54-year-old man has a 3-day history of right knee pain.").label is Label.SUPPORTED
    assert judge("A 54-year-old man has a 3-day history of right knee pain, so he has gout.").label is Label.UNCLEAR


def test_an_option_s_wording_is_not_a_claim_about_the_patient() -> None:
    assert judge("Left knee aspiration is option B.", options={"B": "Left knee aspiration"}).label is Label.UNCLEAR


def test_without_a_vignette_arithmetic_is_all_that_is_checked() -> None:
    assert judge("His temperature is 39.6°C.", stem="").label is Label.UNCLEAR
    assert judge("2 tablets x 3 = 5 tablets", stem="").label is Label.ERROR


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("88 beats/min", "1/minute", 88),
        ("12,500/mm3", "1/mm**3", 12500),
        ("5 mcg per kg per min", "mcg/kg/minute", 5),
        ("38.5 °C", "degC", 38.5),
        ("120 mm Hg", "mmHg", 120),
        ("31 kg/m²", "kg/m**2", 31),
        ("70-kg", "kg", 70),
    ],
)
def test_units_are_read_as_clinicians_write_them(text: str, unit: str, value: float) -> None:
    (quantity,) = quantities(text)
    assert quantity.text == text
    assert quantity.value.to(unit).magnitude == pytest.approx(value)


@pytest.mark.parametrize("flood", ["1" * 20_000, "1 -" + " " * 20_000 + "x", "(1 + " * 4_000, "1+1=" * 5_000])
@pytest.mark.timeout(120)  # benchmarks/speed.py measures the time; without the limit on sentences it is minutes
def test_a_step_made_to_stall_the_patterns_does_not(flood: str) -> None:
    assert judge(f"{flood}. His temperature of 39.6°C is high.").label is not Label.SUPPORTED


def test_every_score_agrees_with_the_calculator_library() -> None:
    listed = yaml.safe_load((files("tracejury.agents") / "data_judge" / "scores.yaml").read_text("utf-8"))
    names = "sodium potassium chloride bicarbonate weight height calcium albumin glucose urea_nitrogen"
    figures = "128 4.1 92 11 81 1.74 7.9 2.2 612 44"
    values = dict(zip(names.split(), figures.split(), strict=True)) | {"systolic": "131", "diastolic": "77"}
    checked = 0
    for score in scores():
        entry = listed[score.name]
        if "calculator" not in entry:
            continue
        module, _, function = entry["calculator"].rpartition(".")
        calculators = importlib.import_module(f"open_medicine.mcp.calculators.{module}")
        compute_it = getattr(calculators, function)
        params = next(p for n, p in compute_it.__annotations__.items() if n != "return")
        params = getattr(calculators, params) if isinstance(params, str) else params
        parameters = {k: float(values[v]) * (100 if v == "height" else 1) for k, v in entry["parameters"].items()}
        theirs = compute_it(params(**parameters))
        ours = compute(filled(score, values)[0]).magnitude
        assert ours == pytest.approx(theirs.value, abs=0.06), score.name
        assert theirs.evidence.source_doi in entry["source"], score.name
        checked += 1
    assert checked >= 5
