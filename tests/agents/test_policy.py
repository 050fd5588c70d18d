"""The policy by enumeration and by property; docs/policy.md in step with it."""

from __future__ import annotations

from itertools import combinations_with_replacement, permutations, product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracejury.agents import (
    Dispute,
    Opinion,
    Outcome,
    Reason,
    Route,
    Seat,
    Verdict,
    decide,
    settle,
    settled_early,
)
from tracejury.agents.truth_table import RESOLUTIONS, STATES, opinion, resolution, written_into
from tracejury.traces import ErrorType

DOC = Path(__file__).parents[2] / "docs" / "policy.md"
TRIPLES = list(product(STATES, repeat=3))
state = st.sampled_from(STATES)


def jury(states: tuple[str, ...] | list[str]) -> list[Opinion]:
    return [opinion(s, f"j{i}") for i, s in enumerate(states)]


def final(states: tuple[str, ...] | list[str], resolver: str) -> Verdict:
    made = decide(jury(states))
    return made if isinstance(made, Verdict) else settle(made, jury(states), resolution(resolver))


def test_the_document_shows_what_the_policy_does() -> None:
    text = DOC.read_text("utf-8")
    assert text == written_into(text), "run: python -m tracejury.agents.truth_table docs/policy.md"


@pytest.mark.parametrize("resolver", RESOLUTIONS)
def test_every_triple_keeps_the_promises_of_the_design(resolver: str) -> None:
    for states in TRIPLES:
        verdict = final(states, resolver)
        labels = [s.rstrip("+") for s in states]
        if verdict.outcome in (Outcome.SUPPORTED, Outcome.ERROR):
            # A verdict rests on evidence: a grounded majority of the configured panel, or the resolver's.
            if verdict.route is Route.RESOLVER:
                assert resolver == f"{verdict.outcome}+"
            else:
                assert labels.count(verdict.outcome) >= 2
                assert f"{verdict.outcome}+" in states
        if "error+" in states:
            assert verdict.outcome is not Outcome.SUPPORTED or verdict.route is Route.RESOLVER
            assert verdict.reason is not Reason.NO_CLAIM
        if states == ("failed",) * 3:
            assert verdict.outcome is Outcome.FAILED
        if verdict.reason is Reason.NO_CLAIM:
            assert labels.count("no_claim") >= 2
            assert not verdict.claim
        if verdict.reason is Reason.MISSING_OPINIONS:
            assert "failed" in states
            assert verdict.outcome is Outcome.FAILED


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
    assert decide(opinions) == decide(shuffled)


@given(states=st.lists(state, min_size=1, max_size=5), data=st.data())
def test_an_opinion_given_twice_counts_once(states: list[str], data: st.DataObject) -> None:
    opinions = jury(states)
    assert decide([*opinions, data.draw(st.sampled_from(opinions))]) == decide(opinions)


@given(states=st.lists(state, min_size=1, max_size=6))
def test_a_missing_opinion_is_not_a_smaller_panel(states: list[str]) -> None:
    made = decide(jury([*states, *["failed"] * len(states)]))
    assert not (isinstance(made, Verdict) and made.outcome in (Outcome.SUPPORTED, Outcome.ERROR))


@pytest.mark.parametrize("supporters", range(2, 9))
@pytest.mark.parametrize("seat", [Seat.VOTE, Seat.CHALLENGE])
def test_a_lone_grounded_error_is_never_outvoted(supporters: int, seat: Seat) -> None:
    lone = opinion("error+", "lone").model_copy(update={"seat": seat})
    assert decide([*jury(["supported+"] * supporters), lone]) == Dispute(reason=Reason.CHALLENGED)


def test_a_listed_judge_neither_votes_nor_challenges() -> None:
    listed = opinion("error+", "listed").model_copy(update={"seat": Seat.LISTED})
    assert decide([*jury(["supported+", "supported"]), listed]) == decide(jury(["supported+", "supported"]))


@pytest.mark.parametrize(
    "states", [("supported+", "error"), ("supported", "unclear"), ("error", "unclear"), ("no_claim", "unclear")]
)
def test_a_tie_goes_to_the_resolver(states: tuple[str, ...]) -> None:
    assert decide(jury(states)) == Dispute(reason=Reason.NO_MAJORITY)


def test_error_type_comes_from_grounded_opinions_and_ties_go_to_the_more_severe() -> None:
    def typed(s: str, name: str, kind: ErrorType) -> Opinion:
        return opinion(s, name).model_copy(update={"error_type": kind})

    made = decide(
        [
            typed("error", "a", ErrorType.FACTUAL),
            typed("error", "b", ErrorType.FACTUAL),
            typed("error+", "c", ErrorType.ARITHMETIC),
        ]
    )
    assert isinstance(made, Verdict)
    assert made.error_type is ErrorType.ARITHMETIC
    made = decide([typed("error+", "a", ErrorType.ARITHMETIC), typed("error+", "b", ErrorType.UNSAFE_MANAGEMENT)])
    assert isinstance(made, Verdict)
    assert made.error_type is ErrorType.UNSAFE_MANAGEMENT


@pytest.mark.parametrize("resolver", RESOLUTIONS)
def test_early_stop_equals_the_full_hearing(resolver: str) -> None:
    stopped = 0
    for states in TRIPLES:
        opinions = jury(states)
        for order in permutations(opinions):
            for heard in (1, 2):
                part, rest = list(order[:heard]), order[heard:]
                if not settled_early(part, [o.seat for o in rest]):
                    continue
                stopped += 1
                early = decide(part, unheard=len(rest))
                full = final(states, resolver)
                assert isinstance(early, Verdict)
                assert (early.outcome, early.reason, early.claim) == (full.outcome, full.reason, full.claim)
                assert early.route is Route.EARLY_STOP
    assert stopped


def test_a_plain_majority_decides_only_where_the_panel_asks_for_no_grounds() -> None:
    opinions = jury(["supported"])
    assert decide(opinions) == Dispute(reason=Reason.NOT_GROUNDED)
    made = decide(opinions, require_grounding=False)
    assert isinstance(made, Verdict)
    assert (made.outcome, made.reason) == (Outcome.SUPPORTED, Reason.PLAIN_MAJORITY)
    assert decide(jury(["failed"]), require_grounding=False).outcome is Outcome.FAILED  # type: ignore[union-attr]


def test_citations_of_a_verdict_are_the_winning_side_s_and_each_once() -> None:
    made = decide(jury(["error+", "error+", "supported+"]))
    assert isinstance(made, Verdict)
    assert [(c.evidence_id, c.grounds) for c in made.citations] == [("vignette", True)]
