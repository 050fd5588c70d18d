"""Asking a judge: what is verified, what grounds, and how failures come out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import pytest
from fixed_checkers import FixedChecker, calibrated
from small_run import Fixed, Overlap, checked_opinion

from tracejury.agents import (
    Case,
    Derivation,
    Draft,
    JudgePanel,
    JudgeSpec,
    Label,
    Opinion,
    Panel,
    Quote,
    cut_by_rule,
    recompute,
)
from tracejury.agents.checkers import CheckerAsk, Pair, Probabilities, load_checker
from tracejury.models import CallFailed, CallRecord, FailureReason
from tracejury.retrieval import Passage, Trust

Opine = Callable[..., Opinion]
TRUE = "Acute gout is treated with colchicine"


def quoting(label: Label, evidence: str, words: str) -> Draft:
    return Draft(label=label, quotes=(Quote(evidence_id=evidence, quote=words),))


def test_a_verbatim_quote_that_bears_on_the_step_grounds(opine: Opine, passage: Passage) -> None:
    opinion = opine(quoting(Label.SUPPORTED, passage.id, TRUE))
    assert opinion.grounded
    assert opinion.citations[0].citation == "Gout Guide 2024"
    assert passage.text[opinion.citations[0].start : opinion.citations[0].end] == TRUE


@pytest.mark.parametrize("label", [Label.SUPPORTED, Label.ERROR])
def test_a_source_that_nobody_vouches_for_grounds_nothing(
    opine: Opine, case: Case, passage: Passage, label: Label
) -> None:
    listed = passage.model_copy(update={"trust": Trust.LISTED})
    assert listed.id == passage.id
    opinion = opine(quoting(label, passage.id, TRUE), on=case.model_copy(update={"passages": (listed,)}))
    (citation,) = opinion.citations
    assert (citation.verified, citation.counts, opinion.grounded) == (True, False, False)
    assert "nobody vouches for its source 'guide'" in str(citation.why_not)


@pytest.mark.parametrize(
    ("evidence", "words", "why"),
    [
        ("passage", "Acute gout is treated with aspirin", "evidence"),
        ("passage", "Colchicine is avoided in severe renal failure", "relevance"),
        ("p_unknown", TRUE, "no such evidence"),
        ("step:1", TRUE, "own truth"),
        ("step:0", "The joint aspirate shows no crystals at all", "nothing else"),
    ],
)
def test_what_does_not_ground_support(opine: Opine, passage: Passage, evidence: str, words: str, why: str) -> None:
    opinion = opine(quoting(Label.SUPPORTED, passage.id if evidence == "passage" else evidence, words), floor=0.5)
    assert opinion.label is Label.SUPPORTED
    assert not opinion.grounded
    assert why in str(opinion.citations[0].why_not)


def test_an_earlier_step_grounds_a_contradiction(opine: Opine) -> None:
    words = "The joint aspirate shows no crystals at all"
    assert opine(quoting(Label.ERROR, "step:0", words)).grounded
    assert not opine(quoting(Label.SUPPORTED, "step:0", words)).grounded


def test_an_unclear_label_is_never_grounded(opine: Opine, passage: Passage) -> None:
    opinion = opine(quoting(Label.UNCLEAR, passage.id, TRUE))
    assert opinion.citations[0].verified
    assert not opinion.grounded


def test_without_a_checker_no_quote_grounds(case: Case, passage: Passage) -> None:
    spec = JudgeSpec(name="one", judge="facts")
    judge_panel = JudgePanel(Panel(name="p", judges=(spec,)))
    opinion = asyncio.run(checked_opinion(spec, Fixed(quoting(Label.SUPPORTED, passage.id, TRUE)), case, judge_panel))
    assert not opinion.grounded


def product(computed: str, claimed: str, holds: bool, words: str = "15 mg/kg for 70 kg is 850 mg") -> Derivation:
    return Derivation(
        kind="dose",
        expression="(15 mg/kg) * (70 kg)",
        claimed=claimed,
        computed=computed,
        holds=holds,
        inputs=(Quote(evidence_id="step:1", quote=words),),
    )


def test_a_derivation_counts_only_if_it_recomputes_from_what_stands_there(opine: Opine, case: Case) -> None:
    dose = case.model_copy(update={"step": "15 mg/kg for 70 kg is 850 mg."})

    def grounded(derivation: Derivation, label: Label = Label.ERROR) -> bool:
        return opine(Draft(label=label, derivations=(derivation,)), on=dose).grounded

    assert grounded(product("1050 mg", "850 mg", False))
    assert not grounded(product("850 mg", "850 mg", True)), "does not recompute"
    assert not grounded(product("1050 mg", "950 mg", False)), "the step does not claim that"
    assert not grounded(product("1050 mg", "850 mg", False, words="15 mg/kg for 80 kg")), "inputs are not there"
    assert not grounded(product("1050 mg", "850 mg", False), Label.SUPPORTED), "shows an error, not support"


@pytest.mark.parametrize(
    "expression",
    ["__import__('os').system('true')", "9**9**9", "(" * 150, "1/0", "2 kg + 3 m", "10**400", "nan", "import os", ""],
)
def test_recompute_takes_arithmetic_and_nothing_else(expression: str) -> None:
    derivation = Derivation(kind="arithmetic", expression=expression, claimed="1", computed="1", holds=True)
    assert recompute(derivation) is False


def test_failures_are_failed_opinions_and_keep_what_was_paid(opine: Opine) -> None:
    broken = opine(ZeroDivisionError("judge's own bug"))
    assert (broken.label, broken.failed) == (None, FailureReason.JUDGE_BROKE)
    assert "ZeroDivisionError" in broken.failure
    refused = opine(CallFailed(FailureReason.REFUSED, "401"))
    assert refused.failed is FailureReason.REFUSED


def test_calls_of_a_failed_opinion_are_kept(case: Case) -> None:
    record = CallRecord(
        id="c",
        key="k",
        purpose="judge:one",
        endpoint="e",
        model="m",
        started="2026-01-01T00:00:00Z",
        latency_s=0.1,
        attempts=1,
    )

    class Refusing:
        async def chat(self, request: object) -> object:
            raise CallFailed(FailureReason.UNUSABLE, "not JSON", (record,))

        def count_tokens(self, endpoint: object, text: str) -> int:
            return len(text)

    panel = Panel.model_validate(
        {
            "name": "p",
            "endpoints": {"e": {"name": "e", "model": "m", "base_url": "http://127.0.0.1:1"}},
            "judges": [{"name": "one", "judge": "facts", "endpoint": "e"}],
        }
    )
    judge_panel = JudgePanel.of(panel, Refusing(), Overlap())  # type: ignore[arg-type]
    opinion = asyncio.run(checked_opinion(panel.judges[0], judge_panel.judges["one"], case, judge_panel))
    assert (opinion.failed, opinion.calls) == (FailureReason.UNUSABLE, (record,))
    assert opinion.model == "m"


def test_cancellation_is_not_an_opinion(case: Case) -> None:
    spec = JudgeSpec(name="one", judge="facts")
    judge_panel = JudgePanel(Panel(name="p", judges=(spec,)), None, Overlap())
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(checked_opinion(spec, Fixed(asyncio.CancelledError()), case, judge_panel))  # type: ignore[arg-type]


class TakenIn(FixedChecker):
    """Finds support wherever a belief is named: it reads through frames, as small models do."""

    async def probabilities(self, pairs: Sequence[Pair], ask: CheckerAsk | None) -> list[Probabilities]:
        return [Probabilities(0.9, 0.0, 0.1) if "believe" in p.evidence else Probabilities(0.1, 0, 0.9) for p in pairs]


def test_a_belief_that_a_sentence_takes_back_neither_counts_nor_lifts_another_sentence() -> None:
    text = "It is a common error to believe that colchicine cures dengue. Colchicine is cheap."
    passage = Passage(source="s", title="t", text=text, citation="c", license="l")
    step = "Colchicine cures dengue."
    claims = cut_by_rule(step, "", ())
    case = Case(step_id="s_1", trace_id="t_1", stem="", step_index=0, step=step, claims=claims, passages=(passage,))
    quotes = tuple(Quote(evidence_id=passage.id, quote=f"{sentence}.") for sentence in text.rstrip(".").split(". "))
    spec, judge = JudgeSpec(name="one", judge="fixed"), Fixed(Draft(label=Label.SUPPORTED, quotes=quotes))
    checker = calibrated(TakenIn(Probabilities(0.0, 0.0, 1.0)))
    judge_panel = JudgePanel(Panel(name="p", judges=(spec,)), judges={"one": judge}, checker=checker)
    opinion = asyncio.run(checked_opinion(spec, judge, case, judge_panel))
    assert [c.verified for c in opinion.citations] == [True, True]
    assert not opinion.grounded
    assert "does not assert" in str(opinion.citations[0].why_not)


@pytest.mark.parametrize(
    ("step", "evidence", "place"),
    [
        ("La gota aguda se trata con colchicina y el paciente debe tomar la dosis.", "Acute gout is treated.", "step"),
        ("Acute gout is treated with colchicine.", "La gota aguda se trata con la colchicina en los adultos.", "evid"),
    ],
)
def test_a_checker_of_english_counts_nothing_in_another_language(step: str, evidence: str, place: str) -> None:
    passage = Passage(source="guide", title="t", text=evidence, citation="c", license="l", trust=Trust.FULL)
    case = Case(step_id="s", trace_id="t", stem="", step_index=0, step=step, passages=(passage,))
    case = case.model_copy(update={"claims": cut_by_rule(step, "", ())})
    spec, judge = JudgeSpec(name="j", judge="j"), Fixed(quoting(Label.SUPPORTED, passage.id, evidence))
    panel = Panel.model_validate({"name": "p", "judges": [spec.model_dump()], "checker": {"name": "nli"}})
    judge_panel = JudgePanel(panel, judges={"j": judge}, checker=load_checker(panel.checker))
    (citation,) = asyncio.run(checked_opinion(spec, judge, case, judge_panel)).citations
    assert (citation.verified, citation.counts, citation.p) == (True, False, None)
    assert citation.why_not.startswith(f"the checker reads English, and the {place}")
    assert citation.why_not.endswith("is in Spanish")
