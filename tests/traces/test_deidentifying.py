"""Identifiers go, figures stay, and a step can still be held against its vignette."""

from __future__ import annotations

import itertools
import json
import time
import timeit
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from local_panel import write_traces

from tracejury.traces import Batch, GivenStep, Question, Trace, deidentify, identifiers

NOTE = (
    "Mr. John A. Smith (MRN: 00123456, DOB 3/14/1961) was seen on March 3rd, 2021 by Dr. Lee. SSN 123-45-6789. "
    "Reach Smith at (555) 123-4567 or j.smith@example.org, 12 Oak Street, Boston, MA 02115; see https://x.example/p?id=7."
)
CLEAN = (
    "Mr. [NAME_1] (MRN: [ID_1], DOB [DATE_1]) was seen on [DATE_2] by Dr. [NAME_2]. SSN [SSN_1]. "
    "Reach [NAME_1] at [PHONE_1] or [EMAIL_1], [ADDRESS_1]; see [URL_1]."
)
FIGURES = (
    "A 54-year-old man, 70 kg, BP 120/80 mm Hg, pulse 98/min, 38.5°C (101.3°F), pain 3/10, strength 5/5, GCS 14/15.",
    "A 3/6 systolic murmur; HbA1c 7.2%, Na 138 mEq/L, WBC 12,500/mm3, pH 7.35-7.45, INR 2.0-3.0, CD4 200-350.",
    "Give 10/12.5/20 mg daily for 10-14 days, 5-10 mL every 4-6 hours; it may 5 mg be enough. May 10 mg be given?",
    "At 28 weeks' gestation (G3P2), 2-3 times a week, T4-T5, Hodgkin's lymphoma, stage IIB, 1:160, 1.5 x 10^9/L.",
    "In the 2016 trial, 1,234 of 5,678 patients (21.7%, 95% CI 20.6-22.8, p < 0.001) had 0.5-1.0 mg/dL.",
)


def pair(stem: str, text: str, **fields: object) -> tuple[Question, Trace]:
    question = Question(stem=stem, options={"A": "x"}, explanation="Dr. Lee says so.", key="q1")
    return question, Trace(question_id=question.id, model="m", text=text, **fields)  # type: ignore[arg-type]


def test_identifiers_become_typed_placeholders() -> None:
    question, trace = deidentify(*pair(NOTE, "1. Smith was born on 3/14/1961.\n2. So Dr. Lee saw John A. Smith."))
    assert question.stem == CLEAN
    # The same value has the same name in the trace.
    assert trace.text == "1. [NAME_1] was born on [DATE_1].\n2. So Dr. [NAME_2] saw [NAME_1]."
    assert question.explanation == "Dr. [NAME_2] says so."
    assert trace.question_id == question.id
    assert trace.meta["deidentified_from"]


def test_a_second_pass_changes_nothing() -> None:
    once = deidentify(*pair(NOTE, "1. Smith was seen on March 3rd, 2021.", steps=(GivenStep(text="Smith was seen."),)))
    assert deidentify(*once) == once
    assert once[1].steps is not None
    assert once[1].steps[0].text == "[NAME_1] was seen."


@pytest.mark.parametrize("text", FIGURES)
def test_clinical_figures_stay(text: str) -> None:
    assert identifiers(text) == []
    question, trace = pair(text, text)
    assert deidentify(question, trace)[1] == trace


@settings(max_examples=60)
@given(st.text(max_size=300), st.text(max_size=300))
def test_any_text_is_taken_and_a_second_pass_is_still(stem: str, text: str) -> None:
    once = deidentify(*pair(stem or "x", text))
    twice = deidentify(*once)
    assert (twice[0].stem, twice[1].text) == (once[0].stem, once[1].text)
    spans = identifiers(text)
    assert all(a.end <= b.start for a, b in itertools.pairwise(spans))


def test_a_batch_without_identifiers_holds_none(tmp_path: Path) -> None:
    path = write_traces(tmp_path, [["Mr. Miller's cough began on 3/14/2024, said Miller."]])
    with Batch.open(path) as batch, batch.deidentified() as clean:
        (trace,), (question,) = clean.traces(), clean.questions()
        assert "Miller" not in trace.text
        assert "2024" not in trace.text
        assert clean.question(trace.question_id) == question
        assert clean.deidentified() is clean


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Seen by DR. ABERNATHY today", "ABERNATHY"),
        ("Mme Lefèvre consulte", "Lefèvre"),
        ("Mr. van der Berg presents", "van der Berg"),
        ("Olga Petrova, MD, dictated this", "Olga Petrova"),
        ("Next of kin: Edith Abernathy", "Edith Abernathy"),
        ("her husband Barnaby says that she fell", "Barnaby"),
        ("Patient_Name=Olga_Petrova", "Olga_Petrova"),
        ("a scan on 3/14, then home", "3/14"),
        ("seen 7-Sep-2023", "7-Sep-2023"),
        ("am 3. Oktober 2023", "3. Oktober 2023"),
        ("le 14 juillet 2023", "14 juillet 2023"),
        ("May 3-5, 2023", "May 3-5, 2023"),
        ("2023年9月7日", "2023年9月7日"),
        ("a 97-year-old woman", "97"),
        ("call 020 7946 0123", "020 7946 0123"),
        ("ext. 5512", "5512"),
        ("Hospital No. B551208", "B551208"),
        ("MRN\u200b 551208", "551208"),
        ("091\u201155\u20111208", "091\u201155\u20111208"),
        ("o.petrova [at] clinic [dot] example", "o.petrova [at] clinic [dot] example"),
        ("from 2001:db8::1:7334", "2001:db8::1:7334"),
        ("lives at 12 elm road", "12 elm road"),
        ("Lindenstraße 12, 12345 Stadt", "Lindenstraße 12"),
        ("6 Chancery Lane", "6 Chancery Lane"),
        ("Pt's wife Ludmila says that he fell.", "Ludmila"),
        ('The jar is labelled "Ferreira, Tomas" and holds a polyp.', "Ferreira, Tomas"),
        ("Baby Girl Ostrowska was born at term.", "Ostrowska"),
        ("Le patient, M. Delacroix-Petit, est suivi.", "Delacroix-Petit"),
        ("DOB: 11-23-1948", "11-23-1948"),
        ("DOB 11\u201123\u20111948", "11\u201123\u20111948"),
        ("Acct: 7730021984", "7730021984"),
        ("ICD, single chamber, S/N QRT448120X", "QRT448120X"),
        ("Participant ID: KLM-0093-17", "KLM-0093-17"),
        ("Home address: 14 Cooper's Walk", "14 Cooper's Walk"),
        ("He was transferred from St. Aldhelm's Hospital.", "St. Aldhelm's Hospital"),
        ("She is a retired bus driver from East Marlow, Vermont.", "East Marlow"),
        ("Mail to P.O. Box 118, Dunmore.", "P.O. Box 118"),
        ("M R N : 4 4 0 2 7 1 9", "4 4 0 2 7 1 9"),
        ('{"last_name": "Okonjo", "mrn": "3390117"}', "3390117"),
        ('{"last_name": "Okonjo", "mrn": "3390117"}', "Okonjo"),
    ],
)
def test_identifiers_in_other_forms_are_found(text: str, value: str) -> None:
    spans = identifiers(text)
    start = text.index(value)
    inside = {place for span in spans for place in range(span.start, span.end)}
    assert {start + i for i, character in enumerate(value) if character.isalnum()} <= inside


def test_identifiers_behind_labels_roles_and_in_other_languages_are_found() -> None:
    cases = json.loads((Path(__file__).parent / "cases" / "identifiers_labelled.json").read_text("utf-8"))
    left_over = []
    for text, value in cases:
        inside = {place for span in identifiers(text) for place in range(span.start, span.end)}
        if not {text.index(value) + i for i, character in enumerate(value) if character.isalnum()} <= inside:
            left_over.append((text, value))
    assert left_over == []


@pytest.mark.parametrize(
    "text",
    [
        "Her temperature was 101F and her father had Type II diabetes.",
        "Mother: Coronary artery disease. Re: chest pain. Provider: General Surgery",
        "患者：女，45岁，发热三天。",
        "Vitamin D. was low; Group A is larger, and his son is healthy.",
        "The QRS width is 110 ms. Activated charcoal is given.",
        "He asked his professor. This shows a habit.",
        "Strength is 4/5, reflexes 2/4 and the murmur 3/6.",
        "Give 5-10 mg every 4-6 hours; a 64-year-old man, 98% saturation, 92 kg.",
        "The son, who is healthy, has no Down syndrome.",
    ],
)
def test_clinical_text_is_left_as_it_is(text: str) -> None:
    assert identifiers(text) == []


@pytest.mark.parametrize("unit", ["a.", "1-", "a@", "Dr. Abc Xyz. ", "12 rue ", "Abc "])
def test_the_time_grows_with_the_length(unit: str) -> None:
    def seconds(characters: int) -> float:
        text = unit * (characters // len(unit))
        # `timeit` keeps the garbage collector out, which takes long in the process of a whole suite.
        return min(timeit.repeat(lambda: identifiers(text), timer=time.process_time, repeat=2, number=1))

    assert seconds(40_000) < 20 * max(seconds(8_000), 0.002)
