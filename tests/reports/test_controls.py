"""Controls and boundary conditions: planted effects are found, and the policy's own rule is the check of recounting."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from tracejury.agents import Citation, Claim, ClaimSet, Label, Opinion, Outcome, Policy, Relation, Verdict, decide
from tracejury.reports import ArmKey, Settings, audit, choose_arms, gather, load_controls, recount
from tracejury.traces import Role

QUICK = Settings(draws=1_000)
ARMS = {"base": {"error": 0.3}, "distilled": {"error": 0.5}}


def opinion_row(judge, label, grounded):
    from tracejury.ledger import OpinionRow

    return OpinionRow(
        judge=judge, model="m", label=label, confidence=None, grounded=grounded, error_type=None, rationale="",
        citations=(), failed=None if label else "unavailable",
    )  # fmt: skip


def counting(relation):
    return (Citation(evidence_id="vignette", quote="x", verified=True, claim="C1", relation=relation, counts=True),)


def test_recounting_the_whole_panel_is_the_policy_without_its_resolver(step_row):
    """All triples of (label, grounded): the policy's `decide` is the independent implementation."""
    kinds = [(label, grounded) for label in (*Label, None) for grounded in ((True, False) if label else (False,))]
    triples = list(itertools.product(kinds, repeat=3))
    rows = [
        step_row(step_id=f"s{i}", step_index=i, opinions=tuple(opinion_row(f"j{k}", *o) for k, o in enumerate(triple)))
        for i, triple in enumerate(triples)
    ]
    columns = gather(rows)
    counts = recount(columns, [0, 1, 2])
    claims = ClaimSet(claims=(Claim(handle="C1", text="x", start=0, end=1),))
    relations = {Label.SUPPORTED: Relation.SUPPORTS, Label.ERROR: Relation.CONTRADICTS}
    code = {Outcome.SUPPORTED: 0, Outcome.ERROR: 1, Outcome.ABSTAINED: 2, Outcome.FAILED: 3}
    for i, triple in enumerate(triples):
        opinions = [
            Opinion(judge=f"j{k}", kind="x", label=label, citations=counting(relations.get(label)) if grounded else ())
            for k, (label, grounded) in enumerate(triple)
        ]
        verdict = decide(opinions, claims, policy=Policy.CONSENSUS)
        expected_code = code[verdict.outcome] if isinstance(verdict, Verdict) else 2
        if isinstance(verdict, Verdict) and not verdict.claim:
            expected_code = 4
        assert counts[i] == expected_code, triple


def test_the_robustness_table_says_which_controls_were_not_run(simulated):
    columns = gather(simulated(ARMS, questions=80))
    runs = [run_of("r")]
    report = audit(columns, runs, [ArmKey("r", "base"), ArmKey("r", "distilled")], QUICK, controls={})
    table = {(row.control, row.detail): row for row in report.controls[0]}
    assert table["main result", ""].difference.value == report.comparisons[0].steps.difference.value
    assert table["question-weighted", ""].difference.value == report.comparisons[0].steps.by_question.value
    assert table["gold answer shown", ""].note == "not run: tracejury quality control answer-shown r"
    assert table["without one judge", "without facts"].same_direction
    assert table["one family of judges", ""].note == "all judges are of one family"
    right = table["right answers only", ""]
    rows = [r for r in simulated(ARMS, questions=80) if r.answer_correct]
    again = audit(gather(rows), runs, [ArmKey("r", "base"), ArmKey("r", "distilled")], QUICK)
    assert right.difference.value == pytest.approx(again.comparisons[0].steps.difference.value)


def test_a_rejudged_run_stands_in_the_table(simulated):
    columns = gather(simulated(ARMS, questions=60))
    turned = gather(simulated({"base": {"error": 0.6}, "distilled": {"error": 0.3}}, questions=60, run="r@tone-swap"))
    arms = [ArmKey("r", "base"), ArmKey("r", "distilled")]
    report = audit(columns, [run_of("r")], arms, QUICK, controls={"tone-swap": turned})
    (row,) = [row for row in report.controls[0] if row.control == "tone swapped"]
    assert row.direction == "down"
    assert row.same_direction is False


def test_a_planted_condition_is_found_and_others_are_not(simulated):
    """In questions with five options the distilled arm errs no more than the base."""
    rows = []
    rng = np.random.default_rng(5)
    for row in simulated({"base": {"error": 0.3}, "distilled": {"error": 0.3}}, questions=300, seed=2):
        easy = row.meta["options"] == 5
        if row.arm == "distilled" and not easy and row.outcome is Outcome.SUPPORTED and rng.random() < 0.4:
            row = row.model_copy(update={"outcome": Outcome.ERROR})
        rows.append(row)
    arms = [ArmKey("r", "base"), ArmKey("r", "distilled")]
    (report,) = audit(gather(rows), [run_of("r")], arms, QUICK, conditions=True).where
    levels = {(s.condition, s.level): s.difference for s in report.strata}
    assert levels["options", "4"].low > 0.15
    assert levels["options", "5"].low < 0 < levels["options", "5"].high
    terms = {(t.condition, t.change): t for t in report.terms}
    options = next(t for (name, _), t in terms.items() if name == "options")
    assert options.effect.high < 0
    assert options.p < 0.001
    stem = next(t for (name, _), t in terms.items() if name == "stem_chars")
    assert stem.effect.low < 0 < stem.effect.high
    assert any("benchmark" in reason for reason in report.left_out)
    assert {s.level for s in report.strata if s.condition == "role"} == {r.value for r in Role}


def test_arms_are_chosen_by_name(simulated):
    columns = gather(simulated(ARMS, questions=3))
    base, other = ArmKey("r", "base"), ArmKey("r", "distilled")
    assert choose_arms(columns, [("r", None)]) == [base, other]
    assert choose_arms(columns, [("r", None)], "distilled") == [other, base]
    assert choose_arms(columns, [("r", "distilled"), ("r", "base")]) == [other, base]
    with pytest.raises(ValueError, match="name one, as r:ARM"):
        choose_arms(columns, [("r", None), ("r", "base")])
    with pytest.raises(ValueError, match="has the arms base, distilled: say which"):
        choose_arms(columns, [("r", None)], "none")


def test_shipped_controls_load_and_wrong_ones_are_told(tmp_path):
    assert {"answer-shown", "tone-swap", "leave-one-judge-out"} <= {c.name for c in load_controls()}
    with pytest.raises(ValueError, match="no control called 'nope'"):
        load_controls(("nope",))
    (tmp_path / "own.yaml").write_text("title: own\nrejudge: {panel: {seed: 3}, whole_panel: paper}\n")
    with pytest.raises(ValueError, match="exactly one of"):
        load_controls((str(tmp_path / "own.yaml"),))


def run_of(name):
    from tracejury.agents import JudgeSpec, Panel
    from tracejury.ledger import Run, RunManifest

    panel = Panel(name="p", judges=(JudgeSpec(name="j", judge="data"),))
    return Run(id="1", name=name, created="", panel=panel, manifest=RunManifest(panel="p", segmenter="numbered"))
