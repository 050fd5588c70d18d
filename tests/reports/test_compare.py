"""Paired comparisons: recovered truths, scipy as the second implementation, and the sentences."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from tracejury.agents import Grade, Outcome
from tracejury.reports import ArmKey, NotComparableError, Settings, check_comparable, compare, gather, sign_flip

QUICK = Settings(draws=2_000)
BASE, OTHER = ArmKey("r", "base"), ArmKey("r", "distilled")


def compared(rows, settings=QUICK):
    return compare(gather(rows), BASE, [OTHER], settings)[0]


def test_better_answers_and_worse_steps(simulated):
    arms = {"base": {"error": 0.306, "accuracy": 0.7, "abstain": 0.02}, "distilled": {"error": 0.503, "accuracy": 0.82}}
    comparison = compared(simulated(arms, questions=400, seed=3))
    assert comparison.paired == 400
    assert comparison.steps.difference.low < 0.197 < comparison.steps.difference.high
    assert comparison.answers.difference.low < 0.12 < comparison.answers.difference.high
    assert comparison.steps.permutation_p < 0.001 > comparison.steps.wilcoxon_p
    assert comparison.majority.robust == "yes"
    assert comparison.sentence.startswith("answers +")
    assert comparison.sentence.endswith("direction robust to abstentions: yes")


def test_falling_errors_that_abstentions_explain_are_not_robust(simulated):
    """The Mistral row of docs/PROTOCOL.md: error falls from 56.5 to 49.1 %, abstention rises from 0.1 to 14.9 %."""
    arms = {"base": {"error": 0.565, "abstain": 0.001}, "distilled": {"error": 0.491, "abstain": 0.149}}
    comparison = compared(simulated(arms, questions=500, seed=1))
    assert comparison.steps.difference.high < 0
    assert comparison.majority.worst_case[1].high > 0
    assert "unlike coverage alone (9" in comparison.sentence
    assert comparison.sentence.endswith("direction robust to abstentions: no")


def test_errors_by_type_are_those_of_the_questions_compared(step_row):
    """Ten questions of two verdicts an arm: factual errors 4 of 20 and 12 of 20, evidence shows 2 and 3 of them."""
    rows = []
    for arm, wrong, decided in (("base", 4, 2), ("distilled", 12, 3)):
        for i in range(20):
            error = i < wrong
            outcome = Outcome.ERROR if error else Outcome.SUPPORTED
            rows.append(
                step_row(
                    arm=arm,
                    question_id=f"q{i % 10}",
                    trace_id=f"{arm}{i % 10}",
                    step_id=f"{arm}{i}",
                    step_index=i // 10,
                    outcome=outcome,
                    majority_outcome=outcome,
                    evidence=Grade.FULL if i < decided or not error else Grade.NONE,
                )
            )
    # The other arm has no trace of this question: its error is in no comparison.
    rows.append(step_row(question_id="alone", trace_id="alone", step_id="alone", outcome=Outcome.ERROR))
    (factual,) = compared(rows).error_types
    assert factual.error_type == "factual"
    assert (factual.baseline.errors, factual.baseline.grounded) == (4, 2)
    assert (factual.other.errors, factual.other.grounded) == (12, 3)
    assert factual.other.grounded_share.value == pytest.approx(3 / 12)
    assert factual.difference.value == pytest.approx(0.4)
    assert factual.difference.low < 0.4 < factual.difference.high


def test_too_little_coverage_is_the_headline(simulated):
    arms = {"base": {"error": 0.3, "abstain": 0.8}, "distilled": {"error": 0.5, "abstain": 0.5}}
    comparison = compared(simulated(arms, questions=60))
    assert not comparison.enough
    assert comparison.sentence.startswith("not enough verdicts to compare (coverage is")
    few = compared(simulated({"base": {"error": 0.3}, "distilled": {"error": 0.5}}, questions=6))
    assert few.sentence.startswith("not enough verdicts to compare (6 questions")
    none = compared(simulated({"base": {"error": 0.3, "abstain": 1.0}, "distilled": {"error": 0.5}}, questions=30))
    assert none.steps is None
    assert none.sentence.startswith("not enough verdicts to compare")


def test_only_paired_questions_count(simulated):
    rows = list(simulated({"base": {"error": 0.3}, "distilled": {"error": 0.5}}, questions=40))
    rows = [r for r in rows if not (r.arm == "distilled" and r.question_id in {"q0", "q1", "q2"})]
    comparison = compared(rows)
    assert (comparison.paired, comparison.unpaired) == (37, (3, 0))
    remaining = [r for r in rows if r.question_id not in {"q0", "q1", "q2"}]
    assert compared(remaining).steps == comparison.steps


def test_equal_arms_show_nothing(step_row, simulated):
    rows = list(simulated({"base": {"error": 0.3}}, questions=40))
    twins = [r.model_copy(update={"arm": "distilled", "trace_id": r.trace_id + "x"}) for r in rows]
    comparison = compared(rows + twins)
    assert comparison.steps.difference.value == 0
    assert comparison.steps.permutation_p == 1
    assert comparison.steps.wilcoxon_p == 1
    assert comparison.answers.difference.value == 0


def test_sign_flips_agree_with_scipy():
    rng = np.random.default_rng(0)
    for n, draws in ((10, 5_000), (80, 20_000)):
        before, after = rng.normal(0, 1, (n, 1)), rng.normal(0.3, 1, (n, 1))
        ours = sign_flip(before, after, lambda a, b: (b - a)[..., 0], draws=draws, seed=1)
        theirs = stats.permutation_test(
            ((after - before)[:, 0],), np.mean, permutation_type="samples", n_resamples=draws, rng=2
        ).pvalue
        assert ours == pytest.approx(theirs, abs=1e-9 if n == 10 else 0.012)


def test_several_arms_are_corrected(simulated):
    arms = {name: {"error": e} for name, e in (("base", 0.3), ("a", 0.33), ("b", 0.36), ("c", 0.3))}
    columns = gather(simulated(arms, questions=120))
    others = [ArmKey("r", name) for name in "abc"]
    comparison = compare(columns, BASE, others, QUICK)
    raw = [c.steps.permutation_p for c in comparison]
    by_hand = np.minimum.reduce([np.ones(3), np.maximum.accumulate(np.sort(raw) * np.array([3, 2, 1]))])
    assert sorted(c.steps.permutation_p_holm for c in comparison) == pytest.approx(sorted(by_hand))
    assert comparison[0].settings.confidence == pytest.approx(1 - 0.05 / 3)
    alone = compare(columns, BASE, others[:1], QUICK)[0].steps.difference
    assert comparison[0].steps.difference.low < alone.low


def test_effect_size_and_detectable_difference(simulated):
    rows = list(simulated({"base": {"error": 0.3}, "distilled": {"error": 0.5}}, questions=300))
    comparison = compared(rows, Settings(draws=4_000))
    by_question = {}
    for row in rows:
        by_question.setdefault(row.question_id, {}).setdefault(row.arm, []).append(row.outcome == "error")
    d = np.array([np.mean(q["distilled"]) - np.mean(q["base"]) for q in by_question.values()])
    assert comparison.steps.by_question.value == pytest.approx(d.mean())
    assert comparison.steps.effect_size.value == pytest.approx(d.mean() / d.std(ddof=1))
    width = comparison.steps.difference.high - comparison.steps.difference.low
    assert comparison.steps.detectable == pytest.approx(width / (2 * 1.96) * 2.80, rel=0.05)


def test_runs_judged_differently_are_named(fill, simulated, store):
    from tracejury.ledger import Ledger

    for name, panel, seed in (("one", "p", 0), ("two", "q", 0), ("three", "p", 7)):
        fill(store, simulated({"base": {"error": 0.3}}, questions=2), name, panel=panel, seed=seed)
    ledger = Ledger(store)
    one, two, three = (ledger.run(name) for name in ("one", "two", "three"))
    with pytest.raises(NotComparableError, match=r"panel: p in one, q in two[\s\S]*--allow-different-runs"):
        check_comparable([one, two])
    assert check_comparable([one, three], allow_different_runs=True) == ["seed: 0 in one, 7 in three"]
    assert check_comparable([one, one]) == []
