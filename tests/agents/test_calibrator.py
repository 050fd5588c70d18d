"""Applying a calibrator: verdicts are taken back, never made."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracejury.agents import (
    Calibrator,
    Certified,
    JudgeSpec,
    Label,
    Opinion,
    Outcome,
    Panel,
    Policy,
    Reason,
    RelevanceSpec,
    Route,
    Seat,
    Verdict,
    feature_names,
    load_calibrator,
    load_panel,
    prompt_hashes,
    seats_of,
)

JUDGES = ("one", "two")
PANEL = Panel(name="p", judges=tuple(JudgeSpec(name=j, judge="data") for j in JUDGES))


def calibrator(supported: float | None = 0.3, error: float | None = 0.3) -> Calibrator:
    names = feature_names(JUDGES)
    return Calibrator(
        panel="p",
        seats=seats_of(PANEL),
        judges=JUDGES,
        features=names,
        weights=tuple(2.0 if n == "agreement" else 0.0 for n in names),
        intercept=0.0,
        delta=0.1,
        supported=Certified(alpha=0.1, threshold=supported, questions=40, needed=22),
        error=Certified(alpha=0.1, threshold=error, questions=40, needed=22),
        fitted_on={},
    )


def opinions_with(*labels: Label | None) -> list[Opinion]:
    return [Opinion(judge=j, kind="data", label=label) for j, label in zip(JUDGES, labels, strict=False)]


def verdict(outcome: Outcome) -> Verdict:
    return Verdict(outcome=outcome, route=Route.MAJORITY, reason=Reason.GROUNDED_MAJORITY)


labels = st.sampled_from([*Label, None])
outcomes = st.sampled_from(list(Outcome))


@given(outcomes, labels, labels, st.one_of(st.none(), st.floats(0, 1)), st.one_of(st.none(), st.floats(0, 1)))
def test_the_outcome_stays_or_becomes_an_abstention(
    outcome: Outcome, one: Label | None, two: Label | None, supported: float | None, error: float | None
) -> None:
    before = verdict(outcome)
    after = calibrator(supported, error).apply(before, opinions_with(one, two))
    if outcome in (Outcome.ABSTAINED, Outcome.FAILED):
        assert after == before
        return
    assert after.outcome in (outcome, Outcome.ABSTAINED)
    assert (after.reason is Reason.BELOW_THRESHOLD) == (after.outcome is Outcome.ABSTAINED)
    assert after.confidence is not None
    assert 0 <= after.confidence <= 1


def test_agreement_is_kept_and_a_split_abstains() -> None:
    applied = calibrator().apply(verdict(Outcome.ERROR), opinions_with(Label.ERROR, Label.ERROR))
    assert applied.outcome is Outcome.ERROR
    assert applied.confidence == pytest.approx(0.881, abs=1e-3)
    assert (
        calibrator().apply(verdict(Outcome.ERROR), opinions_with(Label.ERROR, Label.SUPPORTED)).outcome
        is Outcome.ABSTAINED
    )


def test_a_class_that_is_not_certified_abstains_entirely() -> None:
    after = calibrator(supported=None).apply(
        verdict(Outcome.SUPPORTED), opinions_with(Label.SUPPORTED, Label.SUPPORTED)
    )
    assert (after.outcome, after.reason) == (Outcome.ABSTAINED, Reason.BELOW_THRESHOLD)


def test_the_order_of_opinions_does_not_matter() -> None:
    opinions = opinions_with(Label.ERROR, Label.UNCLEAR)
    probabilities = {calibrator().error_probability(verdict(Outcome.ERROR), o) for o in (opinions, opinions[::-1])}
    assert len(probabilities) == 1


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({"name": "other", "seed": 7, "calibrator": "c.json"}, True),
        ({"policy": Policy.CONSENSUS}, False),
        ({"early_stop": True}, False),
        ({"segmenter": "sentences"}, False),
        ({"relevance": RelevanceSpec(floor=0.5)}, False),
    ],
)
def test_what_makes_opinions_and_verdicts_is_in_the_fingerprint(change: dict[str, object], same: bool) -> None:
    assert (seats_of(PANEL.model_copy(update=change)) == seats_of(PANEL)) is same


def test_prompts_and_models_are_in_the_fingerprint_and_addresses_are_not() -> None:
    judge_panel = load_panel("vllm")
    assert seats_of(judge_panel) == seats_of(judge_panel, prompt_hashes(judge_panel))
    assert seats_of(judge_panel) != seats_of(judge_panel, prompt_hashes(judge_panel) | {"rules": "rules@99:0"})
    (name, endpoint), *_ = judge_panel.endpoints.items()

    def with_endpoint(**update: object) -> str:
        return seats_of(judge_panel.model_copy(update={"endpoints": {name: endpoint.model_copy(update=update)}}))

    assert with_endpoint(base_url="http://127.0.0.1:9/v1", max_concurrency=1) == with_endpoint()
    assert with_endpoint(model="another") != with_endpoint()
    assert with_endpoint(params={"reasoning_effort": "low"}) != with_endpoint()


def test_a_calibrator_of_another_panel_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    path.write_text(calibrator().model_dump_json())
    assert load_calibrator(path, PANEL) == calibrator()
    other = PANEL.model_copy(
        update={"judges": (PANEL.judges[0], PANEL.judges[1].model_copy(update={"seat": Seat.LISTED}))}
    )
    with pytest.raises(ValueError, match="run `tracejury quality calibrate` again"):
        load_calibrator(path, other)
    (tmp_path / "bad.json").write_text("{}")
    with pytest.raises(ValueError, match="not a calibrator file"):
        load_calibrator(tmp_path / "bad.json", PANEL)
    with pytest.raises(ValueError, match="no such calibrator"):
        load_calibrator(tmp_path / "none.json", PANEL)
