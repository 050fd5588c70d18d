"""The policy by enumeration and by property; docs/policy.md in step with it."""

from __future__ import annotations

from itertools import combinations_with_replacement, permutations, product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracejury.agents import (
    Derivation,
    Dispute,
    Grade,
    Opinion,
    Outcome,
    Policy,
    Reason,
    Route,
    Seat,
    Verdict,
    contradicted_claims,
    decide,
    pool_evidence,
    settle,
    settled_early,
)
from tracejury.agents.truth_table import CLAIMS, RESOLUTIONS, STATES, opinion, resolution, with_table
from tracejury.traces import ErrorType

DOC = Path(__file__).parents[2] / "docs" / "policy.md"
TRIPLES = list(product(STATES, repeat=3))
state = st.sampled_from(STATES)


def jury(states: tuple[str, ...] | list[str]) -> list[Opinion]:
    return [opinion(s, f"j{i}") for i, s in enumerate(states)]


def decision(states: tuple[str, ...] | list[str], policy: Policy = Policy.GROUNDED) -> Verdict | Dispute:
    return decide(jury(states), CLAIMS, policy=policy)


def final(states: tuple[str, ...] | list[str], resolver: str, policy: Policy = Policy.GROUNDED) -> Verdict:
    first = decision(states, policy)
    if isinstance(first, Verdict):
        return first
    return settle(first, jury(states), CLAIMS, resolution(resolver), policy=policy)


def reason(first: Verdict | Dispute) -> Reason:
    assert isinstance(first, Dispute)
    return first.reason


def test_the_document_shows_what_the_policy_does() -> None:
    text = DOC.read_text("utf-8")
    assert text == with_table(text), "run: python -m tracejury.agents.truth_table docs/policy.md"


@pytest.mark.parametrize("resolver", RESOLUTIONS)
def test_every_triple_keeps_the_promises_of_the_design(resolver: str) -> None:
    for states in TRIPLES:
        verdict = final(states, resolver)
        labels = [s.rstrip("+~") for s in states]
        if verdict.outcome in (Outcome.SUPPORTED, Outcome.ERROR):
            # A verdict rests on checked evidence for all that the step claims, or against something that it claims.
            assert verdict.grade is Grade.FULL
            if verdict.route is Route.RESOLVER:
                assert resolver.rstrip("+~") == verdict.outcome
                assert resolver.endswith(("+", "~"))
            else:
                assert labels.count(verdict.outcome) >= 2
        else:
            assert verdict.grade is None
        if "error+" in states:
            assert verdict.outcome is not Outcome.SUPPORTED, "a checked contradiction is never outvoted"
            assert verdict.reason is not Reason.NO_CLAIM
        if states == ("failed",) * 3:
            assert verdict.outcome is Outcome.FAILED
        if verdict.reason is Reason.NO_CLAIM:
            assert labels.count("no_claim") >= 2
            assert not verdict.claim
        if verdict.reason is Reason.MISSING_OPINIONS:
            assert "failed" in states
            assert verdict.outcome is Outcome.FAILED
        if verdict.outcome is Outcome.ABSTAINED and verdict.claim:
            assert verdict.evidence_gap is not None


def test_the_majority_s_outcome_is_kept_whatever_the_evidence_says() -> None:
    for states in TRIPLES:
        labels = [s.rstrip("+~") for s in states]
        majorities = {final(states, resolver).majority_outcome for resolver in RESOLUTIONS}
        majorities |= {final(states, "unclear", Policy.CONSENSUS).majority_outcome}
        assert len(majorities) == 1, states
        for label in ("supported", "error"):
            assert (majorities == {Outcome(label)}) is (labels.count(label) >= 2), states


def test_under_consensus_a_majority_decides_and_nothing_challenges_it() -> None:
    for states in TRIPLES:
        verdict = final(states, "unclear", Policy.CONSENSUS)
        assert verdict.outcome is verdict.majority_outcome, states
        if verdict.outcome in (Outcome.SUPPORTED, Outcome.ERROR):
            assert verdict.reason is Reason.PLAIN_MAJORITY
            assert verdict.grade is not None


def test_grounded_verdicts_are_a_part_of_the_majority_s() -> None:
    # Without a resolver that brings evidence, the demand for evidence takes verdicts away and never makes one.
    for states in TRIPLES:
        verdict = final(states, "unclear")
        if verdict.outcome in (Outcome.SUPPORTED, Outcome.ERROR):
            assert verdict.outcome is verdict.majority_outcome


def test_a_failure_is_never_counted_as_a_judgement_that_it_could_have_changed() -> None:
    # With the missing opinion filled in, some way leads to a verdict: then the step must not have been an abstention.
    for pair in combinations_with_replacement([s for s in STATES if s != "failed"], 2):
        verdict = final((*pair, "failed"), "unclear")
        if verdict.outcome is not Outcome.ABSTAINED:
            continue
        filled = [final((*pair, s), "unclear").outcome for s in STATES if s != "failed"]
        assert not {Outcome.SUPPORTED, Outcome.ERROR} & set(filled), pair


@given(states=st.lists(state, min_size=1, max_size=7), resolver=st.sampled_from(RESOLUTIONS), data=st.data())
def test_order_does_not_matter(states: list[str], resolver: str, data: st.DataObject) -> None:
    opinions = jury(states)
    shuffled = data.draw(st.permutations(opinions))
    assert decide(opinions, CLAIMS) == decide(shuffled, CLAIMS)


@given(states=st.lists(state, min_size=1, max_size=5), data=st.data())
def test_an_opinion_given_twice_counts_once(states: list[str], data: st.DataObject) -> None:
    opinions = jury(states)
    assert decide([*opinions, data.draw(st.sampled_from(opinions))], CLAIMS) == decide(opinions, CLAIMS)


@given(states=st.lists(state, min_size=1, max_size=6))
def test_a_missing_opinion_is_not_a_smaller_panel(states: list[str]) -> None:
    first = decision([*states, *["failed"] * len(states)])
    assert not (isinstance(first, Verdict) and first.outcome in (Outcome.SUPPORTED, Outcome.ERROR))


@pytest.mark.parametrize("supporters", range(2, 9))
@pytest.mark.parametrize("seat", [Seat.VOTE, Seat.CHALLENGE])
def test_a_lone_grounded_error_is_never_outvoted(supporters: int, seat: Seat) -> None:
    lone = opinion("error+", "lone").model_copy(update={"seat": seat})
    assert reason(decide([*jury(["supported+"] * supporters), lone], CLAIMS)) is Reason.CHALLENGED


def test_a_listed_judge_neither_votes_nor_challenges() -> None:
    listed = opinion("error+", "listed").model_copy(update={"seat": Seat.LISTED})
    assert decide([*jury(["supported+", "supported"]), listed], CLAIMS) == decision(["supported+", "supported"])


@pytest.mark.parametrize(
    "states", [("supported+", "error"), ("supported", "unclear"), ("error", "unclear"), ("no_claim", "unclear")]
)
def test_a_tie_goes_to_the_resolver(states: tuple[str, ...]) -> None:
    assert reason(decision(states)) is Reason.NO_MAJORITY


def test_error_type_comes_from_grounded_opinions_and_ties_go_to_the_more_severe() -> None:
    def typed(s: str, name: str, kind: ErrorType) -> Opinion:
        return opinion(s, name).model_copy(update={"error_type": kind})

    three = [
        typed("error", "a", ErrorType.FACTUAL),
        typed("error", "b", ErrorType.FACTUAL),
        typed("error+", "c", ErrorType.ARITHMETIC),
    ]
    verdict = decide(three, CLAIMS)
    assert isinstance(verdict, Verdict)
    assert verdict.error_type is ErrorType.ARITHMETIC
    two = [typed("error+", "a", ErrorType.ARITHMETIC), typed("error+", "b", ErrorType.UNSAFE_MANAGEMENT)]
    verdict = decide(two, CLAIMS)
    assert isinstance(verdict, Verdict)
    assert verdict.error_type is ErrorType.UNSAFE_MANAGEMENT


@pytest.mark.parametrize("policy", list(Policy))
@pytest.mark.parametrize("resolver", RESOLUTIONS)
def test_early_stop_equals_asking_everybody(resolver: str, policy: Policy) -> None:
    stopped = 0
    for states in TRIPLES:
        opinions = jury(states)
        full = final(states, resolver, policy)
        for order in permutations(opinions):
            for answered in (1, 2):
                part, rest = list(order[:answered]), order[answered:]
                if not settled_early(part, CLAIMS, [o.seat for o in rest], policy=policy):
                    continue
                stopped += 1
                early = decide(part, CLAIMS, unasked=len(rest), policy=policy)
                assert isinstance(early, Verdict)
                assert (early.outcome, early.reason, early.claim) == (full.outcome, full.reason, full.claim)
                assert early.majority_outcome is full.majority_outcome
                if policy is Policy.GROUNDED:
                    assert early.grade is full.grade
    assert stopped


def test_support_for_a_part_of_the_claims_is_no_verdict() -> None:
    assert reason(decision(["supported~", "supported", "unclear"])) is Reason.PARTLY_GROUNDED
    assert reason(decision(["supported", "supported", "unclear"])) is Reason.NOT_GROUNDED
    verdict = decision(["supported~", "supported"], Policy.CONSENSUS)
    assert isinstance(verdict, Verdict)
    assert (verdict.outcome, verdict.grade) == (Outcome.SUPPORTED, Grade.PART)


def test_a_restatement_makes_no_verdict_unless_the_step_is_nothing_else() -> None:
    first, second = CLAIMS.claims
    restated = first.model_copy(update={"restates": "vignette"})
    with_claim = CLAIMS.model_copy(update={"claims": (restated, second)})
    assert reason(decide(jury(["supported~", "supported~"]), with_claim)) is Reason.NOT_GROUNDED
    alone = CLAIMS.model_copy(update={"claims": (restated,)})
    verdict = decide(jury(["supported~", "supported~"]), alone)
    assert isinstance(verdict, Verdict)
    assert verdict.grade is Grade.FULL
    # A question or a heading with words of its own beside it was checked by nobody.
    beside = alone.model_copy(update={"beside": ("penicillin", "cures", "dengue")})
    assert reason(decide(jury(["supported~", "supported~"]), beside)) is Reason.NOT_GROUNDED


def test_words_of_the_step_that_are_in_no_claim_cap_the_grade() -> None:
    covered = CLAIMS.model_copy(update={"coverage": 0.89})
    assert reason(decide(jury(["supported+", "supported+"]), covered)) is Reason.PARTLY_GROUNDED


def test_a_superseded_passage_counts_only_where_nothing_newer_speaks_to_the_claim() -> None:
    def dated(o: Opinion, superseded: bool) -> Opinion:
        citations = tuple(c.model_copy(update={"superseded": superseded}) for c in o.citations)
        return o.model_copy(update={"citations": citations})

    old_error = dated(opinion("error+", "a"), True)
    assert contradicted_claims(pool_evidence(CLAIMS, [old_error])) == ("C2",)
    newer = dated(opinion("supported+", "b"), False)
    assert contradicted_claims(pool_evidence(CLAIMS, [old_error, newer])) == ()


def test_what_was_recomputed_counts_for_its_claim() -> None:
    derivation = Derivation(kind="dose", expression="2*3", claimed="7", computed="6", holds=False, claim="C1")
    judged = opinion("error", "a").model_copy(update={"derivations": (derivation,)})
    verdict = decide([judged, opinion("error", "b")], CLAIMS)
    assert isinstance(verdict, Verdict)
    assert verdict.grade is Grade.FULL


def test_citations_of_a_verdict_are_the_winning_side_s_and_each_once() -> None:
    verdict = decision(["error+", "error+", "supported+"])
    assert isinstance(verdict, Verdict)
    assert [(c.evidence_id, c.claim, c.counts) for c in verdict.citations] == [("vignette", "C2", True)]
