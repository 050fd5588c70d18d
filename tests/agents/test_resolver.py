"""The resolver: derivations first, new evidence or nothing, bounded rounds, failures that stay failures."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from fixed_checkers import SharedWords, calibrated
from servers.model_server import ModelServer
from small_run import Overlap

from tracejury.agents import (
    Case,
    Derivation,
    Dispute,
    Draft,
    Grade,
    JudgePanel,
    Label,
    Opinion,
    Outcome,
    Panel,
    Quote,
    Reason,
    Resolution,
    SearchRequest,
    Seat,
    cut_by_rule,
    resolve_round,
    settle,
)
from tracejury.models import CallFailed, CallStore, ChatReply, ChatRequest, FailureReason, Gateway
from tracejury.retrieval import Hit, Passage
from tracejury.traces import ErrorType

Opine = Callable[..., Opinion]
OLD = "Acute gout is treated with colchicine"
NEW = "Colchicine is avoided in severe renal failure"
DISPUTE = Dispute(reason=Reason.NO_MAJORITY, majority_outcome=Outcome.ABSTAINED)


class Scripted:
    """Answers with the next of its replies, and keeps what it was asked."""

    def __init__(self, *replies: dict[str, Any] | CallFailed) -> None:
        self.replies = list(replies)
        self.asked: list[ChatRequest] = []

    async def chat(self, request: ChatRequest) -> ChatReply:
        self.asked.append(request)
        answer = self.replies.pop(0)
        if isinstance(answer, CallFailed):
            raise answer
        assert request.schema is not None
        return ChatReply("", request.schema.model_validate(reply(**answer)), ())

    def calls_tools(self, endpoint: object) -> bool:
        return False

    def count_tokens(self, endpoint: object, text: str) -> int:
        return len(text)


def reply(**fields: Any) -> dict[str, Any]:
    return {
        "queries": [],
        "findings": [],
        "rationale": "",
        "label": "unclear",
        "error_type": "none",
        "confidence": 50,
    } | fields


def finding(evidence: str, quote: str, relation: str = "supports", claim: str = "C1") -> dict[str, str]:
    return {"claim": claim, "evidence": evidence, "quote": quote, "relation": relation}


def judge_panel(chats: object = None, rounds: int = 2, **update: Any) -> JudgePanel:
    endpoint = {"name": "e", "model": "m", "base_url": "http://127.0.0.1:1/v1"}
    panel = Panel.model_validate(
        {
            "name": "p",
            "endpoints": {"e": endpoint | update} if chats else {},
            "judges": [{"name": "a", "judge": "data"}],
            "resolver": {"endpoint": "e", "rounds": rounds} if chats else {},
            "relevance": {"floor": 0.1},
        }
    )
    return JudgePanel(panel, chats, Overlap(), checker=calibrated(SharedWords(), 0.3))  # type: ignore[arg-type]


@pytest.fixture
def opinions(opine: Opine, passage: Passage) -> list[Opinion]:
    quote = (Quote(evidence_id=passage.id, quote=OLD),)
    return [
        opine(Draft(label=Label.SUPPORTED, quotes=quote, findings=("it is first-line",)), name="a"),
        opine(Draft(label=Label.ERROR, error_type=ErrorType.FACTUAL, quotes=quote), name="b"),
        opine(Draft(label=Label.UNCLEAR), name="c"),
    ]


def resolved(case: Case, opinions: list[Opinion], on: JudgePanel) -> Resolution:
    resolution = asyncio.run(resolve_round(case, opinions, on))
    assert isinstance(resolution, Resolution)
    return resolution


def dosed(case: Case, opine: Opine, seat: Seat = Seat.VOTE) -> tuple[Case, Opinion]:
    step = "15 mg/kg for 70 kg is 850 mg."
    dose = case.model_copy(update={"step": step, "claims": cut_by_rule(step, "", ())})
    derivation = Derivation(
        kind="dose",
        expression="(15 mg/kg) * (70 kg)",
        claimed="850 mg",
        computed="1050 mg",
        holds=False,
        inputs=(Quote(evidence_id="step:1", quote="15 mg/kg for 70 kg is 850 mg"),),
    )
    opinion = opine(
        Draft(label=Label.ERROR, error_type=ErrorType.ARITHMETIC, derivations=(derivation,)), on=dose, name="d"
    )
    return dose, opinion.model_copy(update={"seat": seat})


def test_a_derivation_that_recomputes_settles_without_a_model(
    case: Case, opine: Opine, opinions: list[Opinion]
) -> None:
    dose, sure = dosed(case, opine)
    resolution = resolved(dose, [*opinions, sure], judge_panel())
    assert (resolution.label, resolution.error_type, resolution.grounded) == (Label.ERROR, ErrorType.ARITHMETIC, True)
    assert settle(DISPUTE, opinions, case.claims, resolution).outcome is Outcome.ERROR


def test_a_listed_judge_s_derivation_settles_nothing(case: Case, opine: Opine, opinions: list[Opinion]) -> None:
    dose, sure = dosed(case, opine, Seat.LISTED)
    resolution = resolved(dose, [*opinions, sure], judge_panel())
    assert resolution.label is Label.UNCLEAR
    assert "d" not in resolution.order


def test_without_a_model_and_a_derivation_it_abstains(case: Case, opinions: list[Opinion]) -> None:
    resolution = resolved(case, opinions, judge_panel())
    verdict = settle(DISPUTE, opinions, case.claims, resolution)
    assert (verdict.outcome, verdict.reason) == (Outcome.ABSTAINED, Reason.NO_MAJORITY)


def test_a_quote_that_an_opinion_brought_settles_nothing(case: Case, opinions: list[Opinion]) -> None:
    for words in (
        OLD,
        "gout is treated with colchicine",
        "Acute gout is treated with colchicine. Colchicine is avoided",
    ):
        model = Scripted({"findings": [finding("P1", words)], "label": "supported"})
        resolution = resolved(case, opinions, judge_panel(model))
        assert not resolution.grounded, words
        assert settle(DISPUTE, opinions, case.claims, resolution).outcome is Outcome.ABSTAINED


def test_new_counting_evidence_settles(case: Case, opinions: list[Opinion]) -> None:
    against = "The joint aspirate shows no crystals at all"
    model = Scripted({"findings": [finding("[step:0]", against, "contradicts", "C2")], "label": "error"})
    resolution = resolved(case, opinions, judge_panel(model))
    verdict = settle(DISPUTE, opinions, case.claims, resolution)
    assert (verdict.outcome, verdict.error_type, verdict.grade) == (Outcome.ERROR, ErrorType.FACTUAL, Grade.FULL)
    assert [c.quote for c in verdict.citations] == [against]


def test_a_new_quote_that_says_something_else_settles_nothing(case: Case, opinions: list[Opinion]) -> None:
    model = Scripted({"findings": [finding("P1", NEW, "contradicts")], "label": "error", "error_type": "factual"})
    resolution = resolved(case, opinions, judge_panel(model))
    assert resolution.citations[0].verified
    assert settle(DISPUTE, opinions, case.claims, resolution).outcome is Outcome.ABSTAINED


def test_rhetoric_settles_nothing(case: Case, opinions: list[Opinion]) -> None:
    model = Scripted({"rationale": "It is obviously right.", "label": "supported", "confidence": 100})
    assert (
        settle(DISPUTE, opinions, case.claims, resolved(case, opinions, judge_panel(model))).outcome
        is Outcome.ABSTAINED
    )


def test_it_sees_opinions_without_names_in_a_seeded_order(case: Case, opinions: list[Opinion]) -> None:
    def prompt_and_order(these: list[Opinion]) -> tuple[str, tuple[str, ...]]:
        model = Scripted({})
        order = resolved(case, these, judge_panel(model)).order
        return "".join(p if isinstance(p, str) else p.text for p in model.asked[0].messages[1].parts), order

    text, order = prompt_and_order(opinions)
    assert (text, order) == prompt_and_order(opinions[::-1])
    assert sorted(order) == ["a", "b", "c"]
    assert not any(f"judge {n}" in text or f'"{n}"' in text for n in "abc")
    assert text.index("it is first-line") > text.index("STEP")


def test_rounds_are_bounded_and_what_is_found_is_citable(case: Case, opinions: list[Opinion]) -> None:
    further = Passage(
        source="s", title="t", text="Crystals in the joint aspirate prove gout.", citation="c", license="MIT"
    )
    asks = {"queries": ["crystals gout", "crystals gout"], "label": "unclear"}
    model = Scripted(
        asks,
        {"queries": ["Crystals gout", "aspirate"]},
        {
            "queries": ["more"],
            "label": "supported",
            "findings": [finding("P2", "Crystals in the joint aspirate prove gout", claim="C2")],
        },
    )
    on, history, rounds = judge_panel(model), None, 0
    while isinstance(resolution := asyncio.run(resolve_round(case, opinions, on, history)), SearchRequest):
        rounds += 1
        history = resolution.history.with_hits([Hit(passage=further, score=1, query=resolution.queries[0])])
    assert rounds == 2
    assert resolution.queries == ("crystals gout", "aspirate")
    assert [h.passage.id for h in resolution.hits] == [further.id]
    assert resolution.grounded
    assert resolution.citations[0].evidence_id == further.id


@pytest.mark.parametrize("reason", [FailureReason.UNAVAILABLE, FailureReason.CONTEXT])
def test_a_failed_resolver_is_a_failure(case: Case, opinions: list[Opinion], reason: FailureReason) -> None:
    resolution = resolved(case, opinions, judge_panel(Scripted(CallFailed(reason, "no"))))
    assert (resolution.label, resolution.failed) == (None, reason)
    assert settle(DISPUTE, opinions, case.claims, resolution).outcome is Outcome.FAILED


@pytest.mark.parametrize("mode", ["prose", "label", "cut", "empty"])
def test_malformed_replies_become_failures_and_keep_their_calls(
    case: Case, opinions: list[Opinion], model_server: ModelServer, mode: str
) -> None:
    model_server.set(mode=mode)

    async def ask() -> Resolution | SearchRequest:
        async with Gateway(CallStore("sqlite:///:memory:"), secret=b"s" * 32) as gateway:
            on = judge_panel(gateway, base_url=model_server.url, max_attempts=1, deadline_s=10)
            return await resolve_round(case, opinions, on)

    resolution = asyncio.run(ask())
    assert isinstance(resolution, Resolution)
    assert resolution.label is None
    assert resolution.failed is not None
    assert resolution.calls
