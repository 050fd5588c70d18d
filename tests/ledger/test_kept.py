"""A ledger and a calibrator of an earlier version open, upgrade, show, resume and load.

`kept/` was written before tallies held names, before claims and checkers, and before fingerprints left defaults out.
"""

from __future__ import annotations

import lzma
import shutil
from importlib.resources import files
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tracejury.agents import Panel, Reason, load_calibrator, load_panel, seats_of
from tracejury.console.app import app
from tracejury.ledger import Browsing, Ledger, SchemaError, TraceFilter, ledger_status, panel_hash, upgrade_ledger
from tracejury.traces import ErrorType

OLD_LEDGERS = Path(__file__).parent / "kept"
DEMO = Path(str(files("tracejury.configs") / "demo"))


@pytest.fixture
def store(tmp_path: Path) -> str:
    """Unpack the kept ledger, not upgraded yet."""
    (tmp_path / "ledger.db").write_bytes(lzma.decompress((OLD_LEDGERS / "ledger.db.xz").read_bytes()))
    return f"sqlite:///{tmp_path}/ledger.db"


@pytest.fixture
def upgraded(store: str) -> Ledger:
    upgrade_ledger(store, backup=False)
    return Ledger(store)


@pytest.fixture
def panel(tmp_path: Path) -> Path:
    """The panel of the kept run, which knew no checker."""
    path = tmp_path / "panel.yaml"
    path.write_text((OLD_LEDGERS / "panel.yaml").read_text() + "checker: null\n")
    return path


def test_it_is_refused_with_the_command_that_upgrades_it(store: str) -> None:
    assert ledger_status(store).revision == "0003"
    with pytest.raises(SchemaError, match="ledger upgrade"):
        Ledger(store)


def test_every_row_and_deliberation_is_read(upgraded: Ledger) -> None:
    rows = {run.name: list(upgraded.rows(run)) for run in upgraded.runs()}
    assert {name: len(of) for name, of in rows.items()} == {"before": 35, "every-outcome": 23}
    assert {row.outcome for row in rows["every-outcome"]} >= {"supported", "error", "abstained"}
    assert any(row.resolver for row in rows["every-outcome"])
    assert all(row.evidence is None and row.majority_outcome is None for of in rows.values() for row in of)


def test_filters_by_name_find_what_the_rows_say(upgraded: Ledger) -> None:
    for run in upgraded.runs():
        browsing, rows = Browsing(upgraded), list(upgraded.rows(run))
        for reason in Reason:
            there = {r.trace_id for r in rows if r.reason is reason and r.outcome in ("abstained", "failed")}
            assert {line.trace_id for line in browsing.traces(run, TraceFilter(reason=reason)).lines} == there
        for kind in ErrorType:
            there = {r.trace_id for r in rows if r.error_type is kind}
            assert {line.trace_id for line in browsing.traces(run, TraceFilter(error_type=kind)).lines} == there


def test_the_console_shows_it(upgraded: Ledger, store: str) -> None:
    trace_id = next(iter(upgraded.traces(upgraded.run("every-outcome"))))[0].id
    step = ["show", "every-outcome", "--trace", trace_id, "--step", "1"]
    for command in (["ledger", "runs"], ["show", "before"], step, ["summary", "before"]):
        result = CliRunner().invoke(app, [*command, "--store", store])
        assert result.exit_code == 0, result.output


def test_its_run_resumes_and_judges_no_step_twice(upgraded: Ledger, store: str, panel: Path) -> None:
    before = {row.step_id: row for row in upgraded.rows(upgraded.run("before"))}
    resumed = CliRunner().invoke(
        app, ["adjudicate", str(DEMO), "--panel", str(panel), "--run", "before", "--limit", "8", "--store", store]
    )
    assert resumed.exit_code == 0, resumed.output
    rows = {row.step_id: row for row in upgraded.rows(upgraded.run("before"))}
    assert len({row.trace_id for row in rows.values()}) == 8
    assert {step_id: rows[step_id] for step_id in before} == before


def test_its_run_does_not_go_on_under_a_checker(upgraded: Ledger, store: str) -> None:
    """Verdicts from before the check and after it must not stand in one run."""
    arguments = [
        "adjudicate",
        str(DEMO),
        "--panel",
        str(OLD_LEDGERS / "panel.yaml"),
        "--run",
        "before",
        "--store",
        store,
    ]
    refused = CliRunner().invoke(app, arguments)
    assert refused.exit_code == 1
    assert "panel" in refused.output


def test_auto_is_not_the_segmenter_that_it_was(panel: Path) -> None:
    """A run or a calibrator of another meaning of `auto` must not go on under today's."""
    auto = load_panel(panel).model_copy(update={"segmenter": "auto"})
    # As the version that wrote `kept/` had it.
    assert (panel_hash(auto), seats_of(auto, {})) != ("panel_ba8acc5061815cc88c9a", "b6d0e6aa1bf0b820")


def test_its_calibrator_loads_for_its_own_panel_alone(panel: Path) -> None:
    own = load_panel(panel)
    assert load_calibrator(OLD_LEDGERS / "calibrator.json", own).judges == ("data",)
    for change in (
        {"early_stop": True},
        {"case_tokens": 1},
        {"checker": load_panel(OLD_LEDGERS / "panel.yaml").checker},
    ):
        with pytest.raises(ValueError, match="tracejury quality calibrate"):
            load_calibrator(OLD_LEDGERS / "calibrator.json", own.model_copy(update=change))


def test_fingerprints_are_those_of_the_time(panel: Path, tmp_path: Path) -> None:
    own = load_panel(panel)
    assert (panel_hash(own), seats_of(own, {})) == ("panel_b52804844d3a2fdedc5e", "c436670eca823d6b")
    path = shutil.copy(OLD_LEDGERS / "model_panel.yaml", tmp_path)
    asking = load_panel(path).model_copy(update={"checker": None, "segmenter": "numbered"})
    assert (panel_hash(asking), seats_of(asking, {})) == ("panel_9477f939fef713c4637b", "faecae8bfdc0a980")


def test_a_new_field_at_its_default_changes_no_fingerprint(panel: Path) -> None:
    class LaterPanel(Panel):
        """A panel of a later version."""

        later: int = 3

    own = load_panel(panel)
    later = LaterPanel.model_validate(own.model_dump())
    assert (panel_hash(later), seats_of(later)) == (panel_hash(own), seats_of(own))
    changed = later.model_copy(update={"later": 4})
    assert panel_hash(changed) != panel_hash(own)
    assert seats_of(changed) != seats_of(own)
