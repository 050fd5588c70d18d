"""The language of a text: is it English, and what is it called otherwise."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tracejury.traces import ENGLISH, language_of, other_language

DEMO = Path(__file__).resolve().parents[2] / "configs" / "demo"


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("Chinese", "患者体温38.5°C，血压90/60 mmHg。"),
        ("Chinese", "该患者最可能的诊断是 acute myocardial infarction"),
        ("Japanese", "患者は発熱と頭痛を訴えて来院した。"),
        ("Korean", "환자는 발열과 두통을 호소하였다."),
        ("Hindi", "रोगी को तेज बुखार है। रक्तचाप 90/60 है"),
        ("Arabic", "يعاني المريض من ارتفاع في درجة الحرارة. ضغط الدم 90/60"),
        ("Persian", "بیمار با تب و لرز به اورژانس مراجعه کرده است."),
        ("Urdu", "مریض کو تیز بخار ہے اور اس کا بلڈ پریشر کم ہے۔"),
        ("Russian", "У пациента высокая температура и низкое давление."),
        ("Spanish", "La paciente tiene fiebre alta."),
        ("Portuguese", "O paciente apresenta febre alta e não tem hipertensão."),
        ("Italian", "Il paziente presenta febbre alta e ipotensione."),
        ("French", "La réponse est donc la B"),
        ("German", "Daher ist B die richtige Antwort."),
        ("Dutch", "De patiënt heeft hoge koorts en een lage bloeddruk."),
        ("Swahili", "Mgonjwa ana homa kali na shinikizo la damu ni la chini."),
        ("Vietnamese", "Bệnh nhân bị sốt cao và huyết áp thấp."),
        ("Thai", "ผู้ป่วยมีไข้สูงและความดันโลหิตต่ำ"),
        ("Bengali", "রোগীর জ্বর এবং রক্তচাপ কম।"),
        ("Amharic", "ታካሚው ከፍተኛ ትኩሳት አለው እና የደም ግፊት"),
        (
            "another language",
            "potilaalla kuume matala verenpaine tarvitsee nesteytys antibiootti hoito viipymättä sairaala osasto "
            "lääkäri tutkii uudelleen huomenna aamulla verikoe otetaan kortisoli mitataan keuhkokuva sitten lausunto "
            "annetaan omaisille kerrotaan tilanne ennuste hyvä seuranta jatkuu avohoito",
        ),
        (ENGLISH, "The patient has a fever."),
        (ENGLISH, "α-synuclein and β-blockers are used; TNF-α is not."),
        (ENGLISH, "The word 心肌梗死 means myocardial infarction."),
        (ENGLISH, "Pt c/o SOB, no CP. Hx HTN, DM. BP 150/90, HR 88."),
        (None, "K+ 3.1 mEq/L"),
        (None, "esomeprazole 40 mg b.d., amoxicillin 500 mg q.d.s."),
        (None, "35248e4d32a4e9f9baf0799c763c1edcfc3fdc3c"),
        (None, "IL-1α, TNF-β"),
        (None, ""),
    ],
)
def test_it_is_named(language: str | None, text: str) -> None:
    assert language_of(text) == language


def test_english_batches_have_no_other_language() -> None:
    lines = [*(DEMO / "traces.jsonl").open(encoding="utf-8"), *(DEMO / "questions.jsonl").open(encoding="utf-8")]
    records = [json.loads(line) for line in lines]
    texts = [part for r in records for part in (r.get("text") or r["stem"]).split("\n\n")]
    assert len(texts) > 250
    assert not {language_of(text) for text in texts} - {ENGLISH, None}


def test_a_short_step_is_in_the_language_of_those_around_it_or_of_its_question() -> None:
    assert other_language("K+ 3,1 mEq/L") is None
    assert other_language("K+ 3,1 mEq/L", "La paciente tiene fiebre alta.") == "Spanish"
    assert other_language("The potassium is low.", question="La paciente tiene fiebre alta.") == "Spanish"
    assert other_language("The potassium is low.", "La paciente tiene fiebre.", "The woman has a fever.") is None
