"""Controls that judge again: through the real gateway and graph, against a server on loopback."""

from __future__ import annotations

import asyncio
import json

from typer.testing import CliRunner

from tracejury.console.app import app
from tracejury.graphs import tone_swap
from tracejury.ledger import Ledger
from tracejury.models import CallStore, Endpoint, Gateway
from tracejury.traces import GivenStep, Trace

runner = CliRunner()
STEPS = ("The fever suggests an infection.", "Give ceftriaxone 2 g daily.")
TRACE = Trace(
    question_id="q1", model="m", arm="base", text="\n".join(STEPS), steps=tuple(GivenStep(text=s) for s in STEPS)
)


def swap(server, tmp_path, **reply):
    server.set(reply=reply)

    async def run():
        store = CallStore(f"sqlite:///{tmp_path / 'calls.db'}")
        endpoint = Endpoint(name="local", model="m", base_url=server.url, max_attempts=1)
        async with Gateway(store, secret=b"s") as gateway:
            return [swapped async for swapped in tone_swap([TRACE], gateway, endpoint)]

    return asyncio.run(run())[0]


def test_a_step_that_keeps_its_content_is_swapped(model_server, tmp_path):
    control = swap(model_server, tmp_path, text="Infection is certain.", differences="none", same_content=True)
    assert (control.swapped, control.changed, control.failed) == (2, 0, 0)
    assert [s.text for s in control.trace.steps] == ["Infection is certain."] * 2
    assert all(control.trace.text[s.start : s.end] == s.text for s in control.trace.steps)
    assert control.trace.id != TRACE.id
    assert control.trace.meta["original"] == TRACE.id
    assert control.trace.arm == "base"


def test_a_step_whose_content_changed_stays_as_it_was(model_server, tmp_path):
    control = swap(model_server, tmp_path, text="No infection.", differences="negated", same_content=False)
    assert (control.swapped, control.changed) == (0, 2)
    assert tuple(s.text for s in control.trace.steps) == STEPS


def test_a_dead_server_is_a_failure_and_no_rewriting(model_server, tmp_path):
    model_server.set(mode="500")
    control = swap(model_server, tmp_path)
    assert (control.swapped, control.changed, control.failed) == (0, 0, 2)


def test_a_control_makes_a_run_of_its_own_that_compare_finds(fill, simulated, store):
    """The model-free `data` judges hear the traces again, cut in another way."""
    fill(store, simulated({"base": {"error": 0.3}, "distilled": {"error": 0.5}}, questions=6), "sim")
    result = runner.invoke(app, ["quality", "control", "windows", "sim", "--store", store])
    assert result.exit_code == 0, result.output
    again = Ledger(store).run("sim@windows")
    assert again.panel.segmenter == "windows"
    assert {row.arm for row in Ledger(store).rows(again)} == {"base", "distilled"}
    result = runner.invoke(app, ["compare", "sim", "--store", store, "--controls", "--json", "--draws", "200"])
    rows = json.loads(result.stdout)["controls"][0]
    (row,) = [row for row in rows if row["control"] == "90-word windows"]
    assert "not run" not in row["note"]


def test_controls_are_listed_and_wrong_ones_told(fill, simulated, store):
    listed = runner.invoke(app, ["quality", "control", "list", "--json"])
    assert {"answer-shown", "tone-swap", "judge-family"} <= {c["name"] for c in json.loads(listed.stdout)}
    fill(store, simulated({"base": {"error": 0.3}}, questions=2), "sim")
    for name, message in (
        ("nope", "no control called"),
        ("judge-family", "--controls"),
        ("tone-swap", "--rewriter PANEL"),
    ):
        result = runner.invoke(app, ["quality", "control", name, "sim", "--store", store])
        assert result.exit_code == 1
        assert message in " ".join(result.output.split())
