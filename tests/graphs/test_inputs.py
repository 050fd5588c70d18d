"""A run is about its inputs: it is not resumed over files that have changed."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from local_panel import write_traces

from tracejury.agents import Panel
from tracejury.graphs import adjudicate
from tracejury.ledger import Ledger, RunDiffersError

PANEL = Panel.model_validate({"name": "p", "judges": [{"name": "data", "judge": "data"}], "checker": None})


@pytest.mark.parametrize("as_folder", [False, True])
def test_a_changed_input_is_refused_by_name_and_an_equal_one_resumes(tmp_path: Path, as_folder: bool) -> None:
    folder = tmp_path / "batch"
    folder.mkdir()
    file = write_traces(folder, [["He weighs 70 kg and is given 2 mg/kg, so 140 mg."]])
    given = folder if as_folder else file
    store = f"sqlite:///{tmp_path}/ledger.db"
    first, _ = asyncio.run(adjudicate(given, PANEL, store=store))
    again, tally = asyncio.run(adjudicate(given, PANEL, store=store))
    assert again.id == first.id
    assert tally.resumed == 1
    file.write_text(file.read_text().replace("140 mg", "150 mg"))
    with pytest.raises(RunDiffersError, match=given.name):
        asyncio.run(adjudicate(given, PANEL, store=store))
    other, _ = asyncio.run(adjudicate(given, PANEL, store=store, name="other"))
    assert [run.name for run in Ledger(store).runs()] == [other.name, first.name]
