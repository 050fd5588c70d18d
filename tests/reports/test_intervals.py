"""Intervals at the ends of their scales: constant data, nothing decided, one question, five questions, an empty arm."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from tracejury.agents import Outcome
from tracejury.reports import (
    ArmKey,
    Estimate,
    Settings,
    Sides,
    answer_metrics,
    compare,
    difference,
    gather,
    judge_pairs,
    rater_agreement,
    report_judges,
    score,
    share,
    step_difference,
    summarise,
    t_quantile,
)


def test_students_t_agrees_with_scipy():
    for df in (2, 2.5, 3.7, 5, 9, 19, 50, 300, 1e5, 1e7):
        for level in (0.5, 0.9, 0.95, 0.99, 0.999):
            assert t_quantile(level, df) == pytest.approx(stats.t.ppf((1 + level) / 2, df), rel=5e-3)
    # Between 1 and 2 degrees of freedom the approximation may be too wide, never too narrow.
    for df in (1, 1.2, 1.5, 1.8):
        assert 0.999 < t_quantile(0.95, df) / stats.t.ppf(0.975, df) < 1.1


def test_a_share_of_independent_steps_has_wilsons_interval():
    rng = np.random.default_rng(0)
    hits = rng.random(2_000) < 0.3
    estimate = share(hits, np.ones(2_000)).estimate
    theirs = stats.binomtest(int(hits.sum()), 2_000).proportion_ci(method="wilson")
    assert estimate.low == pytest.approx(theirs.low, abs=1e-3)
    assert estimate.high == pytest.approx(theirs.high, abs=1e-3)


def test_a_share_by_question_is_as_wide_as_its_clusters_are_alike():
    """Ten equal steps in each of 200 questions are 200 independent steps, not 2,000."""
    hits = np.random.default_rng(0).random(200) < 0.3
    one, ten = (share(k * hits, np.full(200, k)).estimate for k in (1, 10))
    assert (ten.low, ten.high) == pytest.approx((one.low, one.high))


def test_a_difference_of_independent_shares_is_newcombes():
    n = 400
    rng = np.random.default_rng(5)
    before, after = rng.random(n) < 0.2, rng.random(n) < 0.3
    estimate = difference(share(before, np.ones(n)), share(after, np.ones(n)))
    p0, p1 = before.mean(), after.mean()
    (l0, u0), (l1, u1) = (stats.binomtest(int(x.sum()), n).proportion_ci(method="wilson") for x in (before, after))
    low = p1 - p0 - np.hypot(p1 - l1, u0 - p0)
    high = p1 - p0 + np.hypot(u1 - p1, p0 - l0)
    # The two samples are independent up to chance: the correlation that is estimated is near 0.
    assert estimate.low == pytest.approx(low, abs=0.01)
    assert estimate.high == pytest.approx(high, abs=0.01)


def test_identical_arms_are_no_proof_of_equality():
    steps, errors = np.full(22, 8), np.arange(22) % 4
    estimate = difference(share(errors, steps), share(errors, steps))
    reach = 1 - 0.025 ** (1 / 22)
    assert (estimate.value, estimate.low, estimate.high) == pytest.approx((0, -reach, reach))
    other = errors + (np.arange(22) == 3)
    nearly = difference(share(errors, steps), share(other, steps))
    assert nearly.low < 0 < nearly.high
    assert nearly.high - nearly.low > 0.05


@pytest.mark.parametrize("ratings", [[[0, 0]] * 60, [[1, 1]] * 60], ids=["all supported", "all errors"])
def test_agreement_without_variance_says_so(ratings):
    agreement = rater_agreement(np.array(ratings), np.repeat(np.arange(12), 5), ("a", "b"), categories=2)
    assert (agreement.kappa.value, agreement.kappa.note) == (None, "no variance")
    assert (agreement.alpha.value, agreement.alpha.note) == (None, "no variance")
    assert agreement.observed.value == agreement.ac1.value == 1
    assert agreement.observed.low < 1
    assert agreement.ac1.low < 1


def test_full_agreement_is_not_certain():
    same = np.tile(np.arange(60) % 2, (2, 1)).T
    agreement = rater_agreement(same, np.repeat(np.arange(12), 5), ("a", "b"), categories=2)
    reach = 1 - 0.025 ** (1 / 12)
    for coefficient in (agreement.kappa, agreement.ac1):
        assert coefficient.value == 1
        # Chance agreement is one half, so that the lower limit is twice as far as that of the observed agreement.
        assert coefficient.low == pytest.approx(1 - 2 * reach)
    opposite = np.stack([np.arange(60) % 2, 1 - np.arange(60) % 2], axis=1)
    apart = rater_agreement(opposite, np.repeat(np.arange(12), 5), ("a", "b"), categories=2)
    assert apart.observed.value == 0
    assert apart.observed.high > 0
    assert apart.kappa.high > apart.kappa.low


@pytest.mark.parametrize(
    ("base", "other", "difference"),
    [([4, 0], [0, 4], 1.0), ([2, 2], [1, 3], 0.25), ([4, 0], [4, 0], 0.0)],
    ids=["from none to all", "every question moves alike", "none in either arm"],
)
def test_questions_that_all_move_alike_are_no_proof_of_an_exact_difference(base, other, difference):
    """Thirty equal questions: the difference has no spread, and is not known better than thirty questions can tell."""
    none = np.full(30, np.nan)
    before, after = (np.tile([*side, 0, 0, 0], (30, 1)).astype(float) for side in (base, other))
    estimate, worst, _ = step_difference(Sides(before, after, none, none, (0, 0)), Settings(draws=200))
    reach = 1 - 0.025 ** (1 / 30)
    low, high = max(difference - reach, -1), min(difference + reach, 1)
    for e in (estimate.difference, estimate.by_question, *worst):
        assert (e.value, e.low, e.high) == pytest.approx((difference, low, high))
    assert estimate.effect_size.value is None


def test_one_dissent_in_sixty_steps_is_no_certain_agreement():
    ratings = np.zeros((60, 2), int)
    ratings[0, 0] = 1
    agreement = rater_agreement(ratings, np.repeat(np.arange(12), 5), ("a", "b"), categories=2)
    assert agreement.observed.value == pytest.approx(59 / 60)
    assert agreement.observed.low < 0.6
    assert agreement.kappa.low < 0 < agreement.kappa.high


def test_gwets_ac1_takes_prevalence_from_all_items_and_agreement_from_those_rated_twice():
    """By hand: 3 items rated twice (2 equal), one item rated once."""
    ratings = np.array([[0, 0], [1, 1], [0, 1], [0, -1]])
    agreement = rater_agreement(ratings, np.arange(4), ("a", "b"), categories=2)
    prevalence = (1 + 0 + 0.5 + 1) / 4
    chance = 2 * prevalence * (1 - prevalence)
    assert agreement.items == 3
    assert agreement.ac1.value == pytest.approx((2 / 3 - chance) / (1 - chance))


def degenerate(step_row, questions, outcomes, labelled=False):
    """Rows of two arms: `outcomes` maps an arm to the outcome of each of its steps, three a question."""
    rows = []
    for arm, outcome in outcomes.items():
        for q in range(questions):
            rows += [
                step_row(
                    question_id=f"q{q}", trace_id=f"{arm}{q}", arm=arm, step_id=f"{arm}{q}-{i}", step_index=i,
                    outcome=outcome, label=("error" if i == 0 else "supported") if labelled else None,
                )
                for i in range(3)
            ]  # fmt: skip
    return rows


DATA = {
    "constant": (30, {"base": Outcome.SUPPORTED, "other": Outcome.SUPPORTED}),
    "constant errors": (30, {"base": Outcome.ERROR, "other": Outcome.ERROR}),
    "from 0 to 100 %": (30, {"base": Outcome.SUPPORTED, "other": Outcome.ERROR}),
    "all abstained": (30, {"base": Outcome.ABSTAINED, "other": Outcome.ABSTAINED}),
    "one arm abstained": (30, {"base": Outcome.SUPPORTED, "other": Outcome.ABSTAINED}),
    "all failed": (30, {"base": Outcome.FAILED, "other": Outcome.FAILED}),
    "one question": (1, {"base": Outcome.SUPPORTED, "other": Outcome.ERROR}),
    "five questions": (5, {"base": Outcome.SUPPORTED, "other": Outcome.ERROR}),
}


@pytest.mark.parametrize("data", DATA)
def test_no_interval_of_any_report_is_without_width(step_row, data):
    rows = degenerate(step_row, *DATA[data])
    columns = gather(rows)
    records = [summarise(columns), *judge_pairs(columns)]
    records += compare(columns, ArmKey("r", "base"), [ArmKey("r", "other")], Settings(draws=200))
    records += [m for code in range(2) if (m := answer_metrics(columns, code, draws=200))]
    records.append(score(degenerate(step_row, *DATA[data], labelled=True)))
    estimates = [e for record in records for e in estimates_in(record)]
    assert len(estimates) > 50
    for path, estimate in estimates:
        assert (estimate.low is None) == (estimate.high is None), path
        if estimate.low is not None:
            assert estimate.high - estimate.low > 1e-3, (path, estimate)
            assert estimate.low - 1e-9 <= estimate.value <= estimate.high + 1e-9, (path, estimate)
    assert not any(
        d.detectable == 0 for c in records if hasattr(c, "majority") for d in (c.answers, c.majority.steps) if d
    )


def test_no_interval_about_judges_is_without_width(simulated):
    rows = [
        r.model_copy(update={"label": "error" if r.outcome == "error" else "supported"})
        for r in simulated({"base": {"error": 0.3}}, questions=30)
    ]
    agreeing = [
        r.model_copy(update={"opinions": tuple(o.model_copy(update={"label": r.label}) for o in r.opinions)})
        for r in rows
    ]
    for path, estimate in estimates_in(report_judges(agreeing)):
        if estimate.low is not None:
            assert estimate.high - estimate.low > 1e-3, path


def estimates_in(record, path=""):
    """Yield every Estimate of a record with its path."""
    if isinstance(record, Estimate):
        yield path, record
    elif isinstance(record, dict):
        for key, value in record.items():
            yield from estimates_in(value, f"{path}.{key}")
    elif isinstance(record, (tuple, list)):
        for i, value in enumerate(record):
            yield from estimates_in(value, f"{path}[{i}]")
    elif hasattr(type(record), "model_fields"):
        for name in type(record).model_fields:
            yield from estimates_in(getattr(record, name), f"{path}.{name}")
