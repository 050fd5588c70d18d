"""Ledgers with deterministic deliberations over the demo's traces: every outcome, route, seat and failure occurs.

Nothing here shows that judging works; it gives pages something to show.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path

from sqlalchemy import Connection

from tracejury.agents import (
    Case,
    Citation,
    Deliberation,
    Derivation,
    JudgeSpec,
    Label,
    Opinion,
    Outcome,
    Panel,
    Quote,
    Reason,
    Relation,
    Resolution,
    ResolverSpec,
    RetrievalSpec,
    Retrieved,
    Route,
    Seat,
    Verdict,
    cut_by_rule,
    decide,
    settle,
)
from tracejury.agents.policy import Dispute
from tracejury.agents.records import ContextStep
from tracejury.ledger import Ledger, Run, RunManifest
from tracejury.models import CALL_TABLES, CallRecord, Endpoint, FailureReason
from tracejury.retrieval import Hit, Passage, Withheld
from tracejury.storage import insert_new
from tracejury.traces import Batch, ErrorType, Question, Segmentation, Trace, segment

JUDGES = {"data": None, "facts": "atlas-70b", "inference": "borea-32b", "safety": "cedar-24b"}

REFERENCES = (
    (
        "AHA/ASA 2019",
        "Guidelines for the Early Management of Acute Ischemic Stroke. Stroke 2019;50:e344",
        "10.1161/STR.0000000000000211",
        "Before intravenous alteplase the blood pressure is lowered below 185/110 mm Hg. Aspirin waits 24 hours.",
    ),
    (
        "ATS/IDSA 2019",
        "Diagnosis and Treatment of Adults with Community-acquired Pneumonia. AJRCCM 2019;200:e45",
        "10.1164/rccm.201908-1581ST",
        "Nonsevere pneumonia in hospital is treated with a beta-lactam and a macrolide. Or with a fluoroquinolone.",
    ),
    (
        "ADA 2024",
        "Hyperglycemic Crises in Adults With Diabetes. Diabetes Care 2024;47:1257",
        "10.2337/dci24-0032",
        "Potassium is measured before insulin is started. If it is below 3.5 mmol/L it is replaced first.",
    ),
    (
        "KDIGO 2024",
        "Guideline for the Evaluation and Management of CKD. Kidney Int 2024;105:S117",
        "10.1016/j.kint.2023.10.018",
        "Metformin is reduced below an eGFR of 45 and stopped below an eGFR of 30. Other drugs go by eGFR as well.",
    ),
)
"""Real references, words of ours: nothing here is quoted from them."""


def draw(*parts: object) -> int:
    """Return a number that depends on `parts` alone."""
    return int.from_bytes(hashlib.sha256(repr(parts).encode()).digest()[:6], "big")


@cache
def passages() -> tuple[Passage, ...]:
    return tuple(
        Passage(
            source="guidelines",
            title=title,
            text=text,
            citation=f"{title}. {citation}. doi:{doi}",
            url=f"https://doi.org/{doi}",
            date=title[-4:],
            license="for tests",
            superseded_by="a later edition (for tests)" if "AHA" in title else None,
            key=title,
            end=len(text),
        )
        for title, citation, doi, text in REFERENCES
    )


def panel() -> Panel:
    return Panel(
        name="made",
        description="Deterministic opinions, for tests of the viewer.",
        endpoints={m: Endpoint(name=m, model=m, base_url="http://127.0.0.1:9/v1") for m in JUDGES.values() if m},
        judges=tuple(
            JudgeSpec(name=n, judge=n, endpoint=m, seat=Seat.CHALLENGE if n == "data" else Seat.VOTE)
            for n, m in JUDGES.items()
        ),
        resolver=ResolverSpec(endpoint="atlas-70b"),
        retrieval=RetrievalSpec(sources=("guidelines",)),
    )


def demo_pairs() -> list[tuple[Question, Trace]]:
    """Return the first thirty traces of the demo, which are enough to fill a ledger with every outcome."""
    folder = Path(str(files("tracejury.configs") / "demo"))
    batch = Batch.open([folder])
    pairs = [(batch.question(t.question_id), t) for t in batch.traces()]
    return [(q, t) for q, t in pairs if q is not None][:30]


def make_run(
    ledger: Ledger,
    pairs: list[tuple[Question, Trace]],
    name: str = "made",
    finish: bool = True,
    change: Callable[[Deliberation], Deliberation] = lambda made: made,
) -> Run:
    """Write a run with a deliberation for every step of `pairs`."""
    made = ledger.open_run(panel(), RunManifest(panel="panel_made", segmenter="auto", inputs=("demo/",)), name)
    with ledger.engine.connect().execution_options(write=True) as connection, connection.begin():
        for question, trace in pairs:
            cut = segment(trace)
            ledger.put_trace(connection, made.run.id, trace, question, cut)
            for deliberation in deliberations(question, trace, cut):
                ledger.put_deliberation(connection, made.run.id, change(deliberation))
                _pay(connection, made.run.id, deliberation)
            ledger.close_trace(connection, made.run.id, trace.id)
    if finish:
        ledger.finish(made.run.id, len(pairs))
    return ledger.run(name)


def _pay(connection: Connection, run_id: str, deliberation: Deliberation) -> None:
    """Record the calls of a deliberation and that the run paid for them, as the gateway does."""
    tables = CALL_TABLES.tables
    for call in (c for c in deliberation.calls if not c.from_cache):
        columns = {column.name for column in tables["model_call"].c if column.name != "usable"}
        values = {name: value for name, value in call.model_dump(mode="json").items() if name in columns}
        connection.execute(insert_new(connection.dialect.name, tables["model_call"]).values(values))
        tokens = call.prompt_tokens + call.completion_tokens
        paid = {"run_id": run_id, "call_id": call.id, "tokens": tokens, "cost_usd": call.cost_usd}
        connection.execute(insert_new(connection.dialect.name, tables["model_paid"]).values(paid))


def deliberations(question: Question, trace: Trace, cut: Segmentation) -> Iterator[Deliberation]:
    for step in cut.steps:
        chance = draw(trace.id, step.index)
        hits = [Hit(passage=p, score=0.9 - 0.1 * i, query=step.text[:80]) for i, p in enumerate(_near(chance))]
        case = Case(
            step_id=step.id,
            trace_id=trace.id,
            stem=question.stem,
            options=question.options,
            context=tuple(ContextStep(index=s.index, text=s.text) for s in cut.steps[: step.index]),
            step_index=step.index,
            step=step.text,
            claims=cut_by_rule(step.text, question.stem, ()),
            passages=tuple(h.passage for h in hits),
            omitted=("step:0",) if chance % 17 == 0 and step.index > 3 else (),
        )
        opinions = tuple(_opinion(judge, case, chance, trace.arm) for judge in JUDGES)
        path, resolution = ["segment", "retrieve", "claims", "judge", "check", "decide"], None
        decision = decide(opinions, case.claims)
        if isinstance(decision, Dispute):
            path += ["resolve", "search", "resolve", "decide"]
            resolution = _resolution(case, chance)
            verdict = settle(decision, opinions, case.claims, resolution)
        else:
            verdict = decision
        if chance % 61 == 0:
            verdict = Verdict(outcome=Outcome.FAILED, route=Route.NONE, reason=Reason.CONTEXT)
        yield Deliberation(
            step=step,
            case=case,
            retrieved=tuple(
                Retrieved(passage_id=h.passage.id, query=h.query, score=h.score, ranks={"dense": 1, "bm25": 3})
                for h in hits
            ),
            withheld=(Withheld(passage_id="p_0", reason="says the question", similarity=0.97),)
            if chance % 5 == 0
            else (),
            opinions=opinions,
            resolution=resolution,
            verdict=verdict,
            path=tuple(path),
        )


def _near(chance: int) -> list[Passage]:
    known = passages()
    return [known[(chance + i) % len(known)] for i in range(3)]


def _opinion(judge: str, case: Case, chance: int, arm: str) -> Opinion:
    model = JUDGES[judge]
    mood = draw(chance, judge) % 100
    call = () if model is None else (_call(judge, model, case, mood),)
    seat = Seat.CHALLENGE if judge == "data" else Seat.VOTE
    if model and mood == 0:
        return Opinion(
            judge=judge, kind=judge, model=model, seat=seat, failed=FailureReason.UNUSABLE,
            failure="the reply was no JSON, nor was its repair", calls=call,
        )  # fmt: skip
    wrong = chance % 100 < (38 if arm == "distilled" else 22)
    swayed = mood < 14
    label = Label.ERROR if wrong != swayed else Label.SUPPORTED
    if chance % 23 == 0:
        label = Label.NO_CLAIM
    elif mood > 88 or judge == "data":
        label = Label.ERROR if judge == "data" and wrong and mood < 30 else Label.UNCLEAR
    vignette = next((s for s in case.stem.split(". ") if len(s) > 20), case.stem)[:110]
    passage = case.passages[mood % len(case.passages)]
    sentence = passage.text.split(". ")[0]
    cited = []
    if label in (Label.ERROR, Label.SUPPORTED) and judge != "data":
        cited.append(_citation(passage.id, passage.source, passage.citation, sentence, passage.text, mood, label))
        cited.append(_citation("vignette", "vignette", "the vignette", vignette, case.stem, 50, label))
        if mood % 3 == 0:
            cited.append(
                Citation(
                    evidence_id=passage.id, source=passage.source, citation=passage.citation, verified=False,
                    quote="must never be used in patients of this age", why_not="not in the evidence",
                )
            )  # fmt: skip
    derivation = Derivation(
        kind="dose", expression="0.9 * 72", claimed="72.8 mg", computed="64.8", holds=False,
        inputs=(Quote(evidence_id="vignette", quote="72 kg"),), claim="C1",
    )  # fmt: skip
    kinds = list(ErrorType)
    return Opinion(
        judge=judge,
        kind=judge,
        model=model,
        seat=seat,
        label=label,
        error_type=kinds[chance % len(kinds)] if label is Label.ERROR else None,
        findings=("The step states a treatment and its threshold.", "The cited guideline gives the threshold."),
        citations=tuple(cited),
        derivations=(derivation,) if judge == "data" and label is Label.ERROR else (),
        rationale={
            Label.ERROR: "The step goes beyond what guideline and vignette allow; the cited words say otherwise.",
            Label.SUPPORTED: "What the step says follows from the vignette and agrees with the cited guideline.",
            Label.UNCLEAR: "Neither the vignette nor the references speak to this.",
            Label.NO_CLAIM: "The step announces what comes next and states nothing that could be checked.",
        }[label],
        confidence=round(0.55 + mood / 250, 2),
        calls=call,
    )


def _citation(name: str, source: str, citation: str, quote: str, text: str, mood: int, label: Label) -> Citation:
    at = text.find(quote)
    relevant = mood >= 8
    relation = Relation.CONTRADICTS if label is Label.ERROR else Relation.SUPPORTS
    return Citation(
        evidence_id=name, source=source, citation=citation, quote=quote, verified=True, start=at, end=at + len(quote),
        sentence=quote, claim="C1", relation=relation, relevance=0.3 + mood / 150, p=0.6 + mood / 300,
        counts=relevant, why_not=None if relevant else "the checker finds P(supports) = 0.62, below 0.80",
    )  # fmt: skip


def _resolution(case: Case, chance: int) -> Resolution:
    passage = passages()[(chance + 3) % len(passages())]
    settled = chance % 3 > 0
    quote = passage.text.split(". ")[-1].rstrip(".")
    label = Label.ERROR if chance % 2 else Label.SUPPORTED
    new = (_citation(passage.id, passage.source, passage.citation, quote, passage.text, 70, label),)
    return Resolution(
        label=label if settled else Label.UNCLEAR,
        error_type=ErrorType.FACTUAL if settled and chance % 2 else None,
        citations=new if settled else (),
        rationale="The further passage settles what the judges disputed." if settled else "Nothing new was found.",
        queries=("blood pressure threshold before alteplase", "alteplase dose by weight"),
        hits=(Hit(passage=passage, score=0.71, query="blood pressure threshold before alteplase"),),
        rounds=1,
        order=("inference", "data", "safety", "facts"),
        calls=(_call("resolver", "atlas-70b", case, chance % 90),),
    )


def _call(who: str, model: str, case: Case, mood: int) -> CallRecord:
    return CallRecord(
        id=f"call_{draw(who, case.step_id):012x}", key="k", purpose=f"judge:{who}", endpoint=model, model=model,
        started="2026-11-23T02:00:00.000+00:00", latency_s=0.4 + mood / 60, attempts=1 + (mood > 90),
        from_cache=mood % 4 == 0, raw='{"findings": ["..."], "label": "supported"}', finish_reason="stop",
        prompt_tokens=1180 + mood, cached_tokens=900, completion_tokens=120 + mood, cost_usd=0.0006 + mood / 1e5,
    )  # fmt: skip
