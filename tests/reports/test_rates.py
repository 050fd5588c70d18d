"""Outcome rates, their bounds and their intervals, against hand counts and against scipy's own bootstrap."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from tracejury.agents import Grade, Outcome, Reason
from tracejury.reports import bootstrap, gather, step_rates, summarise
from tracejury.traces import ErrorType


def outcomes(step_row, *kinds, **more):
    return [
        step_row(step_id=f"s{i}", step_index=i, question_id=f"q{i}", trace_id=f"t{i}", outcome=kind, **more)
        for i, kind in enumerate(kinds)
    ]


def everything(columns):
    return np.ones(len(columns.steps["kind"]), dtype=bool)


def test_counts_and_bounds_are_the_hand_counted_ones(step_row):
    kinds = [Outcome.SUPPORTED] * 5 + [Outcome.ERROR] * 3 + [Outcome.ABSTAINED] * 2 + [Outcome.FAILED] * 2
    rows = outcomes(step_row, *kinds)
    rows += [
        step_row(question_id="q99", trace_id="t99", outcome=Outcome.ABSTAINED, claim=False, reason=Reason.NO_CLAIM)
    ]
    columns = gather(rows)
    (rates,) = step_rates(columns, [("all", everything(columns))])
    assert (rates.supported, rates.error, rates.abstained, rates.failed, rates.no_claim) == (5, 3, 2, 2, 1)
    assert rates.error_rate.value == pytest.approx(3 / 8)
    assert rates.abstention_rate.value == pytest.approx(2 / 10)
    assert rates.failure_rate.value == pytest.approx(2 / 12)
    assert rates.coverage.value == pytest.approx(8 / 12)
    assert rates.no_claim_rate.value == pytest.approx(1 / 13)
    assert rates.bounds == pytest.approx((3 / 10, 5 / 10))
    assert rates.bounds_with_failures == pytest.approx((3 / 12, 7 / 12))


def test_errors_by_type_say_how_many_of_them_evidence_shows(step_row):
    graded = [(ErrorType.FACTUAL, Grade.FULL), (ErrorType.FACTUAL, Grade.NONE), (ErrorType.ARITHMETIC, Grade.FULL)]
    rows = [
        outcomes(step_row, Outcome.ERROR, majority_outcome=Outcome.ERROR, error_type=kind, evidence=grade)[
            0
        ].model_copy(update={"step_id": f"s{i}", "question_id": f"q{i}", "trace_id": f"t{i}"})
        for i, (kind, grade) in enumerate(graded)
    ]
    types = {t.error_type: t for t in summarise(gather(rows)).arms[0].error_types}
    assert {name: (t.errors, t.grounded) for name, t in types.items()} == {"factual": (2, 1), "arithmetic": (1, 1)}
    assert types["factual"].grounded_share.value == pytest.approx(1 / 2)
    (ungraded,) = summarise(gather(outcomes(step_row, Outcome.ERROR))).arms[0].error_types
    assert (ungraded.grounded, ungraded.grounded_share) == (None, None)


def test_mistral_bounds_are_those_of_the_paper(step_row):
    """Mistral in docs/PROTOCOL.md: with 14.9 % abstained, the error over all steps lies between 41.8 and 56.7 %."""
    kinds = [Outcome.ERROR] * 418 + [Outcome.SUPPORTED] * 433 + [Outcome.ABSTAINED] * 149
    columns = gather(outcomes(step_row, *kinds))
    (rates,) = step_rates(columns, [("student", everything(columns))])
    assert 100 * rates.error_rate.value == pytest.approx(49.1, abs=0.05)
    assert [100 * b for b in rates.bounds] == pytest.approx([41.8, 56.7], abs=0.05)


def test_paper_convention_moves_failures_to_abstentions(step_row):
    columns = gather(outcomes(step_row, Outcome.SUPPORTED, Outcome.ERROR, Outcome.FAILED, Outcome.ABSTAINED))
    plain, papers = (
        summarise(columns, failures_abstain=failures_abstain).arms[0].steps for failures_abstain in (False, True)
    )
    assert (plain.abstained, plain.failed) == (1, 1)
    assert (papers.abstained, papers.failed) == (2, 0)
    assert plain.error_rate.value == papers.error_rate.value


def test_expanded_percentile_limits_are_those_of_a_wider_percentile_interval():
    """Hesterberg's levels by scipy's own t, and scipy's percentile bootstrap at these levels."""
    rng = np.random.default_rng(4)
    n = 20
    sums = np.stack([rng.gamma(1.0, 2.0, n), np.full(n, 1.0)], axis=1)
    ours = bootstrap(sums, lambda t: t[..., :1] / t[..., 1:], draws=20_000).estimate(0)
    tail = stats.norm.cdf(np.sqrt(n / (n - 1)) * stats.t.ppf(0.025, n - 1))
    theirs = stats.bootstrap(
        (sums[:, 0],), np.mean, n_resamples=20_000, method="percentile", confidence_level=1 - 2 * tail, rng=1
    ).confidence_interval
    width = theirs.high - theirs.low
    assert ours.low == pytest.approx(theirs.low, abs=0.04 * width)
    assert ours.high == pytest.approx(theirs.high, abs=0.04 * width)


def test_intervals_are_by_question_and_so_wider_than_by_step(simulated):
    columns = gather(simulated({"base": {"error": 0.3}}, questions=200, steps=10, icc=0.5))
    (rates,) = step_rates(columns, [("base", everything(columns))])
    n = rates.error + rates.supported
    by_step = 1.96 * np.sqrt(rates.error * rates.supported / n**3)
    assert rates.error_rate.high - rates.error_rate.low > 3 * by_step


def test_a_rate_of_zero_is_not_certain_and_few_questions_give_no_interval(step_row):
    columns = gather(outcomes(step_row, *[Outcome.SUPPORTED] * 20))
    (rates,) = step_rates(columns, [("all", everything(columns))])
    exact = stats.binomtest(0, 20).proportion_ci(method="exact")
    assert rates.error_rate.low == 0
    assert rates.error_rate.high == pytest.approx(exact.high)
    few = gather(outcomes(step_row, Outcome.ERROR, Outcome.SUPPORTED, Outcome.ERROR))
    (rates,) = step_rates(few, [("all", everything(few))])
    assert rates.error_rate.value == pytest.approx(2 / 3)
    assert rates.error_rate.low is None


def test_no_verdict_gives_no_rate(step_row):
    columns = gather(outcomes(step_row, *[Outcome.ABSTAINED] * 8))
    (rates,) = step_rates(columns, [("all", everything(columns))])
    assert rates.error_rate.value is None
    assert rates.bounds == (0.0, 1.0)


def test_whole_traces(step_row):
    rows = []
    plans = {"t0": "see", "t1": "sss", "t2": "aa", "t3": "ses"}
    for t, plan in plans.items():
        right = t != "t1"
        for i, letter in enumerate(plan):
            kind = {"s": Outcome.SUPPORTED, "e": Outcome.ERROR, "a": Outcome.ABSTAINED}[letter]
            rows.append(
                step_row(trace_id=t, question_id=t, step_id=f"{t}{i}", step_index=i, outcome=kind, answer_correct=right)
            )
    rows.append(
        step_row(trace_id="t4", question_id="t4", step_id="", step_index=-1, step_text="", outcome=None, claim=False,
                 answer=None, answer_correct=False)
    )  # fmt: skip
    arm = summarise(gather(rows)).arms[0]
    assert (arm.traces.traces, arm.traces.without_steps, arm.traces.without_verdict) == (5, 1, 1)
    assert arm.traces.any_error.value == pytest.approx(2 / 3)
    assert arm.traces.first_error.value == pytest.approx(2.0)
    assert arm.traces.flawed_when_right.value == 1.0
    assert arm.traces.sound_when_wrong.value == 1.0
    assert arm.answers.unparsable == 1
    assert arm.answers.accuracy.value == pytest.approx(3 / 5)
    assert arm.answers.if_unparsable_right == pytest.approx(4 / 5)


def test_rows_in_any_order_give_the_same_summary(simulated):
    rows = list(simulated({"base": {"error": 0.3, "abstain": 0.1}}, questions=20))
    shuffled = [rows[i] for i in np.random.default_rng(1).permutation(len(rows))]
    a, b = (summarise(gather(r)).arms[0] for r in (rows, shuffled))
    assert a.steps.model_dump(exclude={"error_rate", "abstention_rate", "coverage"}) == b.steps.model_dump(
        exclude={"error_rate", "abstention_rate", "coverage"}
    )
    assert a.steps.error_rate.value == b.steps.error_rate.value
    assert [(j.judge, j.error, j.agrees.value) for j in a.judges] == [
        (j.judge, j.error, j.agrees.value) for j in b.judges
    ]
