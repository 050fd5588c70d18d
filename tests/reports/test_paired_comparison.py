"""Paired means paired: verdicts that one arm alone has on a question are in no headline, and are said to be there."""

from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from tracejury.agents import Grade, Outcome
from tracejury.console.app import app
from tracejury.reports import ArmKey, GateLimits, Settings, compare, gather, pass_gate

QUICK = Settings(draws=1_000)
BASE, OTHER = ArmKey("r", "base"), ArmKey("r", "distilled")


def compared(rows, settings=QUICK):
    return compare(gather(rows), BASE, [OTHER], settings)[0]


def arm_rows(step_row, arm, question, outcomes):
    return [
        step_row(
            question_id=f"q{question}", trace_id=f"{arm}-{question}", arm=arm, step_id=f"{arm}-{question}-{i}",
            step_index=i, outcome=outcome,
        )
        for i, outcome in enumerate(outcomes)
    ]  # fmt: skip


def two_arms(step_row, easy=22, hard=38, abstain_hard=True):
    """The same verdicts in both arms on easy questions; the jury abstains on hard ones of one arm."""
    rows = []
    for q in range(easy + hard):
        wrong = (q % 3 == 0) if q < easy else 5
        outcomes = [Outcome.ERROR] * wrong + [Outcome.SUPPORTED] * (8 - wrong)
        rows += arm_rows(step_row, "base", q, outcomes)
        silent = q >= easy and abstain_hard
        rows += arm_rows(step_row, "distilled", q, [Outcome.ABSTAINED] * 8 if silent else outcomes)
    return rows


def test_verdicts_on_other_questions_fake_no_difference(step_row):
    comparison = compared(two_arms(step_row))
    assert comparison.steps.questions == 22
    assert comparison.steps.difference.value == 0
    assert comparison.steps.permutation_p >= 0.9
    assert comparison.steps.wilcoxon_p >= 0.9
    assert comparison.majority.pool.difference.high < -0.2
    assert comparison.majority.pool.apart
    assert "over all verdicts, which are not on the same questions" in comparison.sentence
    assert comparison.majority.robust == "no direction"
    gate = pass_gate(comparison, GateLimits(max_step_error_rise=20))
    assert not gate.passed
    assert [c.name for c in gate.checks if not c.passed] == ["like coverage"]


def test_the_pool_is_what_summary_shows(step_row):
    from tracejury.reports import summarise

    columns = gather(two_arms(step_row))
    comparison = compare(columns, BASE, [OTHER], QUICK)[0]
    by_arm = {arm.arm: arm.steps for arm in summarise(columns).arms}
    assert comparison.majority.pool.baseline == by_arm[BASE].error_rate
    assert comparison.majority.pool.other == by_arm[OTHER].error_rate


def test_a_question_counts_where_half_of_its_claims_are_decided_in_both_arms(step_row):
    rows = []
    plans = {"ssss": 25, "sssa": 3, "ssaa": 4, "saaa": 5, "aaaa": 6}
    q = 0
    letters = {"s": Outcome.SUPPORTED, "e": Outcome.ERROR, "a": Outcome.ABSTAINED}
    for plan, times in plans.items():
        for _ in range(times):
            rows += arm_rows(step_row, "base", q, [letters["s"]] * 4)
            rows += arm_rows(step_row, "distilled", q, [letters[x] for x in plan])
            q += 1
    levels = {level.name: level.questions for level in compared(rows).majority.levels}
    assert levels == {"one": 37, "50 %": 32, "all": 25}
    assert compared(rows).steps.questions == 32
    assert compared(rows, Settings(draws=200, min_decided=0.75)).steps.questions == 28


def test_twenty_silent_steps_pass_no_gate(step_row):
    rows = [
        row
        for q in range(20)
        for arm in ("base", "distilled")
        for row in arm_rows(step_row, arm, q, [Outcome.SUPPORTED])
    ]
    comparison = compared(rows)
    assert comparison.steps.difference.value == 0
    assert comparison.steps.difference.high == pytest.approx(1 - 0.025 ** (1 / 20))
    gate = pass_gate(comparison, GateLimits())
    assert [c.name for c in gate.checks if not c.passed] == ["step errors"]
    assert "lack of evidence" in next(c.finding for c in gate.checks if not c.passed)


def test_a_difference_that_unlike_coverage_explains_has_no_small_p(step_row):
    """Every question has hard steps, all wrong, and easy ones, all right; one arm has verdicts on easy ones."""
    rows = []
    for q in range(30):
        wrong = [Outcome.ERROR] * (3 + q % 3)
        right = [Outcome.SUPPORTED] * (8 - len(wrong))
        rows += arm_rows(step_row, "base", q, wrong + right)
        rows += arm_rows(step_row, "distilled", q, [Outcome.ABSTAINED] * min(len(wrong), 4) + wrong[4:] + right)
    comparison = compared(rows)
    assert comparison.steps.difference.high < -0.3
    assert comparison.steps.permutation_p_verdicts_alone < 0.01
    assert comparison.steps.permutation_p > 0.5
    assert comparison.steps.wilcoxon_p > 0.5
    assert comparison.majority.like_coverage[0].value < 0 <= comparison.majority.like_coverage[1].value + 1e-9
    assert "which unlike coverage alone" in comparison.sentence
    assert comparison.majority.robust == "no"


def test_with_like_coverage_the_tests_are_the_plain_ones(simulated):
    comparison = compared(simulated({"base": {"error": 0.3}, "distilled": {"error": 0.4}}, questions=60))
    assert comparison.steps.permutation_p == comparison.steps.permutation_p_verdicts_alone


def test_a_gate_that_is_told_otherwise_passes_unlike_coverage(fill, step_row, store):
    fill(store, two_arms(step_row), "simpson")
    call = ["gate", "simpson:distilled", "--baseline", "simpson:base", "--store", store, "--json"]
    call += ["--max-step-error-rise", "20"]
    runner = CliRunner()
    refused = runner.invoke(app, call)
    assert refused.exit_code == 3
    assert not json.loads(refused.stdout)[0]["passed"]
    assert runner.invoke(app, [*call, "--max-coverage-gap", "100"]).exit_code == 0


def graded(rows, grounded):
    """The same rows with both results of the policy: `grounded` says of which rows the verdict carries a full grade."""
    for i, row in enumerate(rows):
        full = grounded(i, row)
        yield row.model_copy(update={"majority_outcome": row.outcome, "evidence": Grade.FULL if full else Grade.NONE})


def test_both_results_of_the_policy_stand_in_the_headline(simulated):
    """Grounded verdicts are all of one arm's sound steps and few of its errors: alone they point the other way."""
    rows = list(simulated({"base": {"error": 0.3}, "distilled": {"error": 0.5}}, questions=60))
    against = {("base", Outcome.SUPPORTED): 3, ("distilled", Outcome.ERROR): 4}
    comparison = compared(list(graded(rows, lambda i, r: i % against.get((r.arm, r.outcome), 1) == 0)))
    assert comparison.majority.direction == "up"
    assert comparison.grounded.direction == "down"
    assert comparison.grounded.coverage[0] < comparison.majority.coverage[0]
    assert "by majority (coverage" in comparison.sentence
    assert "by grounded verdicts alone (coverage" in comparison.sentence
    assert "which show fewer errors" in comparison.sentence
    gate = pass_gate(comparison, GateLimits(max_step_error_rise=90, max_coverage_gap=100, allow_not_robust=True))
    assert [c.name for c in gate.checks if not c.passed] == ["grounded verdicts"]
    limits = GateLimits(
        max_step_error_rise=90, max_coverage_gap=100, allow_not_robust=True, allow_grounded_contradiction=True
    )
    assert pass_gate(comparison, limits).passed


def test_a_majority_that_is_not_grounded_counts_by_majority_alone(simulated):
    rows = simulated({"base": {"error": 0.3}, "distilled": {"error": 0.5}}, questions=40)
    rows = [
        r.model_copy(update={"majority_outcome": r.outcome, "outcome": Outcome.ABSTAINED if i % 2 else r.outcome,
                             "evidence": None if i % 2 else Grade.FULL})
        for i, r in enumerate(rows)
    ]  # fmt: skip
    comparison = compared(rows)
    assert comparison.majority.coverage == (1, 1)
    assert max(comparison.grounded.coverage) < 0.6


def test_what_missing_verdicts_cost_is_said(step_row):
    """A difference that the tests cannot show with this coverage is not promised by what is said to be detectable."""
    rng = np.random.default_rng(3)
    rows = []
    for question in range(60):
        for arm, wrong, silent in (("base", 0.3, 0.0), ("ft", 0.4, 0.4), ("whole", 0.6, 0.0)):
            verdicts = [Outcome.ERROR if rng.random() < wrong else Outcome.SUPPORTED for _ in range(8)]
            outcomes = [Outcome.ABSTAINED if rng.random() < silent else verdict for verdict in verdicts]
            rows += arm_rows(step_row, arm, question, outcomes)
    others = [ArmKey("r", "ft"), ArmKey("r", "whole")]
    missing, whole = compare(gather(rows), BASE, others, Settings(draws=200))
    assert missing.left_out.split(" of ")[0] == str(60 - missing.steps.questions)
    assert missing.majority.detectable > missing.steps.detectable + 0.1
    assert f"about {100 * missing.majority.detectable:.0f} points" in missing.left_out
    assert missing.steps.permutation_p > 0.05
    assert whole.left_out == ""
    assert whole.majority.detectable == pytest.approx(whole.steps.detectable)
    assert "unlike coverage" not in whole.sentence
    assert whole.steps.permutation_p < 0.05
