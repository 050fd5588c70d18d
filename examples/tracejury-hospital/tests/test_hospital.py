import asyncio

from tracejury_hospital.limits import ProtocolLimits

from tracejury.agents import Case, Label
from tracejury.retrieval import check_quote, chunk, sources


def passages():
    return tuple(p for d in sources.make("st-elsewhere").documents() for p in chunk(d))


def judged(step: str):
    case = Case(step_id="s", trace_id="t", stem="", step_index=0, step=step, passages=passages())
    return asyncio.run(ProtocolLimits().draft(case, None))


def test_the_source_cites_the_edition():
    assert {p.citation for p in passages()} == {
        "St Elsewhere, Intravenous potassium on the wards, 3rd edition 2026",
        "St Elsewhere, Paracetamol for adults, 2nd edition 2025",
    }


def test_the_judge_quotes_the_limit_that_a_step_breaks():
    draft = judged("Intravenous potassium may run at 40 mmol/h.")
    assert draft.label is Label.ERROR
    text = next(p.text for p in passages() if p.id == draft.quotes[0].evidence_id)
    assert check_quote(draft.quotes[0].quote, text).verified


def test_the_judge_supports_abstains_and_keeps_to_its_subject():
    assert judged("Potassium at 10 mmol/h is allowed.").label is Label.SUPPORTED
    assert judged("Paracetamol 5 g in 24 hours is safe.").label is Label.ERROR
    assert judged("The patient has a cough.").label is Label.UNCLEAR
    assert judged("Sodium at 40 mmol/h is fine.").label is Label.UNCLEAR
