"""Who judges the judges: skill is found where it is, and chance loses its vote."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from labelled_runs import PANEL, labelled_rows
from sklearn.metrics import cohen_kappa_score
from typer.testing import CliRunner

from tracejury.agents import Panel, Seat, load_panel
from tracejury.console.app import app
from tracejury.ledger import StepRow
from tracejury.reports import JudgesReport, report_judges, without_unskilled

MakeRow = Callable[..., StepRow]


@pytest.fixture(scope="module")
def rows(step_row: MakeRow) -> list[StepRow]:
    return labelled_rows(step_row, 120)


@pytest.fixture(scope="module")
def judges_report(rows: list[StepRow]) -> JudgesReport:
    return report_judges(rows)


def test_skill_with_labels_and_without(judges_report: JudgesReport) -> None:
    skill = {j.judge: j for j in judges_report.judges}
    assert skill["good"].skilled
    assert skill["noisy"].skilled
    assert skill["chance"].skilled is False
    # Two judges with skill agree with one another more than with the one that guesses.
    assert min(skill[name].reliability.value for name in ("good", "noisy")) > skill["chance"].reliability.value


def test_agreement_is_cohens_kappa_and_names_shared_weights(rows: list[StepRow], judges_report: JudgesReport) -> None:
    pair = next(a for a in judges_report.agreement if {a.one, a.other} == {"good", "noisy"})
    says = {j: [next(o.label for o in r.opinions if o.judge == j) for r in rows] for j in ("good", "noisy")}
    assert pair.kappa.value == pytest.approx(cohen_kappa_score(says["good"], says["noisy"]))
    assert pair.same_weights


def test_only_a_judge_that_matters_changes_the_majority(judges_report: JudgesReport) -> None:
    assert {left.judge for left in judges_report.left_out} == {"good", "noisy", "chance"}
    assert all(0 < left.changed < 1 for left in judges_report.left_out)


def test_drift_compares_the_same_steps(rows: list[StepRow]) -> None:
    flipped = [
        r.model_copy(
            update={
                "opinions": tuple(
                    o.model_copy(update={"label": "error"}) if o.judge == "noisy" else o for o in r.opinions
                )
            }
        )
        for r in rows
    ]
    drift = {d.judge: d for d in report_judges(flipped, rows).drift}
    assert drift["good"].changed == 0
    assert drift["noisy"].error_share == 1
    assert drift["noisy"].changed == pytest.approx(1 - drift["noisy"].error_share_before)


def test_a_judge_at_chance_is_listed_without_a_vote(judges_report: JudgesReport) -> None:
    seats = {j.name: j.seat for j in without_unskilled(PANEL, judges_report).judges}
    assert seats == {"good": Seat.VOTE, "noisy": Seat.VOTE, "chance": Seat.LISTED}
    alone = PANEL.model_copy(update={"judges": PANEL.judges[2:]})
    with pytest.raises(ValueError, match="nobody left to vote"):
        without_unskilled(alone, judges_report)
    with pytest.raises(ValueError, match="no human labels"):
        without_unskilled(PANEL, judges_report.model_copy(update={"labelled": 0}))


def test_skill_that_labels_cannot_tell_is_not_known(rows: list[StepRow]) -> None:
    few = [r for r in rows if r.question_id in {"q0", "q1", "q2"}]
    of_one_kind = [r for r in rows if r.label == "supported"]
    for unknown in (few, of_one_kind):
        report = report_judges(unknown)
        assert report.labelled
        assert {j.skilled for j in report.judges} == {None}
        with pytest.raises(ValueError, match="no seat can be changed"):
            without_unskilled(PANEL, report)


def test_runs_without_a_common_step_show_no_drift_and_say_so(
    rows: list[StepRow], fill_labelled: Callable[..., Panel], store: str
) -> None:
    fill_labelled(store, rows[:40], "one", PANEL)
    apart = [r.model_copy(update={"trace_id": f"u{r.trace_id}", "step_id": f"u{r.step_id}"}) for r in rows[40:80]]
    fill_labelled(store, apart, "other", PANEL)
    command = ["quality", "judges", "one", "--store", store, "--against"]
    result = CliRunner().invoke(app, [*command, "other"])
    assert result.exit_code == 1
    assert "no step that one judge answered in both" in result.output
    fill_labelled(store, rows[:40], "again", PANEL)
    assert CliRunner().invoke(app, [*command, "again"]).exit_code == 0


def test_the_command_writes_a_panel_that_loads(
    rows: list[StepRow],
    fill_labelled: Callable[..., Panel],
    store: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    fill_labelled(store, rows, "labelled", PANEL)
    out = tmp_path / "seated.yaml"
    command = ["quality", "judges", "labelled", "--store", store, "--write-panel", str(out)]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    assert "includes chance" in result.output
    assert {j.name: j.seat for j in load_panel(out).judges}["chance"] is Seat.LISTED
    assert CliRunner().invoke(app, command).exit_code == 1
