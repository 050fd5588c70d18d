"""A package whose objects are all broken, each in another way: each is named, and a run goes on."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from stranger_package import installed, write_package
from typer.testing import CliRunner

from tracejury.agents import PanelError, judges, load_panel
from tracejury.console.app import app
from tracejury.testing import contract_faults, sample_case, sample_trace
from tracejury.traces import PluginError, Problem, readers, segment

SOURCE = """
import asyncio, sys, time
from tracejury.agents import Draft, Label
from tracejury.traces import Question, Segmentation, Step, Trace
from tracejury.retrieval import Document

class Judge:
    kind, summary, needs_endpoint = "any", "a judge", False
    async def draft(self, case, ask): return Draft(label=Label.UNCLEAR)
class Raises(Judge):
    async def draft(self, case, ask): raise KeyError("table of doses")
class Exits(Judge):
    async def draft(self, case, ask): sys.exit(3)
class Cancels(Judge):
    async def draft(self, case, ask): raise asyncio.CancelledError
class Dictionary(Judge):
    async def draft(self, case, ask): return {"label": "supported"}
class Unchecked(Judge):
    async def draft(self, case, ask): return Draft.model_construct(label="banana", confidence=17)
class Sleeps(Judge):
    async def draft(self, case, ask): await asyncio.sleep(60)
class Blocks(Judge):
    async def draft(self, case, ask): time.sleep(60)
class Spins(Judge):
    async def draft(self, case, ask):
        while True: pass
class Plain(Judge):
    def draft(self, case, ask): return Draft(label=Label.UNCLEAR)
class Unready(Judge):
    def __init__(self, table): pass
class Summaryless:
    kind, needs_endpoint = "any", False
    async def draft(self, case, ask): return Draft(label=Label.UNCLEAR)
class Deaf(Judge):
    async def draft(self, case): return Draft(label=Label.UNCLEAR)
class Halfway:
    name, summary = "halfway", "breaks on the third line"
    def read(self, path):
        question = Question(stem="Why does he cough?", options={"A": "Cold", "B": "Asthma"}, gold="A")
        yield question
        yield Trace(question_id=question.id, model="m", text="1. He coughs because of a cold.")
        raise RuntimeError("line 3 is odd")
class Rows:
    name, summary = "rows", "yields rows"
    def read(self, path): return iter([{"stem": "x"}, {"stem": "y"}])
class Uncut:
    name = "uncut"
    def segment(self, trace): raise ValueError("no knife")
class Texts:
    name = "texts"
    def segment(self, trace): return ["a", "b"]
class Elsewhere:
    name = "elsewhere"
    def segment(self, trace):
        return Segmentation(segmenter="x", steps=(Step(trace_id=trace.id, index=0, start=0, end=3, text="not there"),))
class Half:
    name, license, version = "half", "CC0-1.0", "1"
    def documents(self):
        yield Document(source="half", key="1", title="One", text="Gout is painful.", citation="c", license="CC0-1.0")
        raise OSError("the disk is gone")
class Short:
    name = "short"
    def score(self, pairs): return [0.5]
"""
GROUPS = {
    "judges": "Raises Exits Cancels Dictionary Unchecked Sleeps Blocks Spins Plain Unready Summaryless Deaf",
    "readers": "Halfway Rows",
    "segmenters": "Uncut Texts Elsewhere",
    "sources": "Half",
    "scorers": "Short",
}


@pytest.fixture(autouse=True)
def bad_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    groups = {group: {name.lower(): name for name in names.split()} for group, names in GROUPS.items()}
    groups["judges"]["absent"] = "Absent"
    write_package(tmp_path, "bad-package", SOURCE, groups)
    with installed(tmp_path, monkeypatch):
        yield


def test_check_names_every_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    result = CliRunner().invoke(app, ["check", "bad-package", "--time-limit", "0.2", "--json"])
    assert result.exit_code == 1
    rows = {row["name"]: " ".join(row["faults"]) for row in json.loads(result.output)}
    assert rows.keys() == {name.lower() for names in GROUPS.values() for name in names.split()} | {"absent"}
    complaints = {
        "raises": "KeyError: 'table of doses'", "exits": "SystemExit: 3", "cancels": "CancelledError",
        "dictionary": "returned dict", "unchecked": "label: Input should be", "sleeps": "longer than 0.2 s",
        "blocks": "longer than 0.2 s", "spins": "longer than 0.2 s", "plain": "async def draft",
        "unready": "'table'", "summaryless": "`summary` must be a str", "deaf": "too many positional arguments",
        "absent": "has no attribute 'Absent'", "halfway": "line 3 is odd", "rows": "yielded dict", "uncut": "no knife",
        "texts": "returned list", "elsewhere": "not the trace's text", "half": "the disk is gone",
        "short": "1 scores for",
    }  # fmt: skip
    assert [name for name, text in complaints.items() if text not in rows[name]] == []
    assert all("package 'bad-package' (bad_package" in text for text in rows.values())


def test_a_panel_with_broken_judges_is_refused_with_all_their_names(tmp_path: Path) -> None:
    panel = tmp_path / "panel.yaml"
    lines = "".join(f"  - {{name: {name}, judge: {name}}}\n" for name in ("absent", "unready", "summaryless", "data"))
    panel.write_text(f"judges:\n{lines}segmenter: auto\n")
    with pytest.raises(PanelError) as refused:
        load_panel(panel)
    named = str(refused.value).splitlines()
    assert [line.partition(": ")[0].rpartition(":")[2] for line in named] == ["2", "3", "4"]
    panel.write_text("judges: [{name: data, judge: data}]\nsegmenter: sentence\n")
    with pytest.raises(PanelError, match="did you mean 'sentences'"):
        load_panel(panel)


def test_what_a_reader_yields_before_it_breaks_stays(tmp_path: Path) -> None:
    *records, problem = readers.make("halfway").read(tmp_path)
    assert len(records) == 2
    assert isinstance(problem, Problem)
    assert "reading stopped here" in problem.hint


def test_a_judge_that_is_always_late_is_asked_three_times(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACEJURY_PLUGIN_TIME_LIMIT_S", "0.1")
    judge = judges.make("sleeps")
    for _ in range(3):
        with pytest.raises(PluginError, match=r"longer than 0\.1 s$"):
            asyncio.run(judge.draft(sample_case(), None))
    began = time.monotonic()
    with pytest.raises(PluginError, match="not asked again"):
        asyncio.run(judge.draft(sample_case(), None))
    assert time.monotonic() - began < 0.1


def test_a_broken_segmenter_names_its_package() -> None:
    with pytest.raises(PluginError, match="segmenter 'uncut' of package 'bad-package'"):
        segment(sample_trace(), "uncut")


@pytest.mark.parametrize("what", ["judge data", "segmenter reasoning", "segmenter sentences", "reader table"])
def test_built_in_objects_keep_the_contract(what: str) -> None:
    assert contract_faults(*what.split()) == []
