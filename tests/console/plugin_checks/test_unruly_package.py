"""Code of other packages that hangs, forks, prints, or raises what nobody catches: each kind is named, or contained."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from stranger_package import installed, write_package

from tracejury.retrieval import scorers
from tracejury.testing import contract_faults
from tracejury.traces import PluginError

SOURCE = """
import os, time
from tracejury.agents import Draft, Label
from tracejury.traces import Question, Segmentation, Step, Trace

class Odd(BaseException):
    pass

def hang(): time.sleep(60)
def odd(): raise Odd("neither fish nor fowl")
def interrupt(): raise KeyboardInterrupt
def leave(): raise SystemExit(0)
def seven(): return 7

def kinds(act):
    class Judge:
        kind, summary, needs_endpoint = "any", "a judge", False
        async def draft(self, case, ask): return act()
    class Reader:
        name, summary = "r", "a reader"
        def read(self, path): return act() or iter(())
    class Segmenter:
        name = "s"
        def segment(self, trace): return act()
    class Source:
        name, license, version = "source", "CC0-1.0", "1"
        def documents(self): return act() or iter(())
    class Scorer:
        name = "scorer"
        def score(self, pairs): return act()
    class Checker:
        kind, summary, needs_endpoint, can_contradict, identity = "any", "a checker", False, True, "one"
        async def probabilities(self, pairs, ask): return act()
    class Engine:
        where = local = "/tmp"
        def __init__(self, where): pass
        def load(self): return act()
        def generations(self, source): return []
    return Judge, Reader, Segmenter, Source, Scorer, Checker, Engine

for act in (hang, odd, interrupt, leave, seven):
    for kind in kinds(act):
        globals()[f"{act.__name__}_{kind.__name__}"] = kind

class Busy:
    kind, summary, needs_endpoint = "any", "prints, and forks", False
    async def draft(self, case, ask):
        print("not for the pipe")
        if pid := os.fork():
            os.waitpid(pid, 0)
        return Draft(label=Label.UNCLEAR)
class Cut:
    name = "cut"
    def segment(self, trace):
        print("nor this")
        if pid := os.fork():
            os.waitpid(pid, 0)
        return Segmentation(segmenter="cut", steps=(
            Step(trace_id=trace.id, index=0, start=0, end=len(trace.text), text=trace.text),))
"""
ACTS = {
    "hang": "took longer than",
    "odd": "Odd: neither fish nor fowl",
    "interrupt": "KeyboardInterrupt",
    "leave": "SystemExit",
    "seven": "",
}
KINDS = {
    "judge": ("judges", "Judge"),
    "reader": ("readers", "Reader"),
    "segmenter": ("segmenters", "Segmenter"),
    "knowledge source": ("sources", "Source"),
    "relevance scorer": ("scorers", "Scorer"),
    "checker": ("checkers", "Checker"),
    "index engine": ("indexes", "Engine"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("unruly")
    groups = {group: {f"{act}-{name.lower()}": f"{act}_{name}" for act in ACTS} for group, name in KINDS.values()}
    groups["judges"]["busy"], groups["segmenters"]["cut"] = "Busy", "Cut"
    write_package(path, "unruly", SOURCE, groups)
    return path


@pytest.fixture
def unruly(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TRACEJURY_PLUGIN_TIME_LIMIT_S", "0.05")
    # As in a run, where Ctrl-C has a handler of its own.
    handler = signal.signal(signal.SIGINT, lambda number, frame: None)
    with installed(folder, monkeypatch):
        yield
    signal.signal(signal.SIGINT, handler)


@pytest.mark.usefixtures("unruly")
@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("what", KINDS)
def test_whatever_it_does_is_named(what: str, act: str) -> None:
    faults = contract_faults(what, f"{act}-{KINDS[what][1].lower()}", time_limit_s=0.05)
    reasons = " ".join(fault.reason for fault in faults)
    assert ACTS[act] in reasons
    assert "of package 'unruly'" in reasons


@pytest.mark.usefixtures("unruly")
def test_a_scorer_that_hangs_in_another_thread_is_left_behind() -> None:
    """Searches run in threads, which no timer signal reaches."""
    outcomes: list[BaseException] = []

    def search() -> None:
        try:
            scorers.make("hang-scorer").score([("a", "b")])
        except PluginError as fault:
            outcomes.append(fault)

    thread = threading.Thread(target=search, daemon=True)
    thread.start()
    thread.join(10)
    assert "took longer than 0.05 s" in str(outcomes[0])


def test_a_judge_that_prints_and_forks_leaves_one_run_and_clean_output(folder: Path, tmp_path: Path) -> None:
    lines = [
        {"kind": "question", "id": "q", "stem": "A man coughs. Why?", "options": {"A": "x", "B": "y"}, "gold": "A"},
        {"kind": "trace", "question": "q", "model": "m", "text": "The cough is old.", "arm": "base"},
    ]
    (tmp_path / "t.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (tmp_path / "p.yaml").write_text(
        "judges: [{name: busy, judge: busy}]\nsegmenter: cut\nchecker: null\npolicy: consensus\n"
    )
    command = [sys.executable, "-c", "from tracejury.console.app import main; main()", "adjudicate", "t.jsonl"]
    command += ["--panel", "p.yaml", "--store", "sqlite:///l.db", "--json"]
    path = os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": path})
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["judged_now"] == 1
    assert "not for the pipe" in ended.stderr
    assert "nor this" in ended.stderr
