"""The terminal: nothing from outside steers it, nothing is cut at any width, verdicts come first, faults come early."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hostile import hostile_run
from made_ledger import demo_pairs, make_run
from rich.cells import cell_len
from typer.testing import CliRunner

from tracejury.agents import panel_names
from tracejury.console import progress as progress_lines
from tracejury.console.app import app
from tracejury.console.screen import Screen, err
from tracejury.console.table import Table
from tracejury.ledger import Ledger

WIDTHS = (80, 100, 140, None)
FORGED = (
    "At 70 kg the dose is 3500 mg.\x1b[1A\r\x1b[2K  0 \u2713 supported\x1b[1B\r\x9b2K\u202e 350 mg.\x1b[K\n"
    "  1 \u2713 supported"
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    ledger = Ledger(f"sqlite:///{tmp_path_factory.mktemp('terminal')}/l.db")
    make_run(ledger, demo_pairs(), name="a-run-with-a-rather-long-name")
    return ledger.url


def output(*args: str, width: int | None = 100, code: int | None = 0) -> str:
    env = {"COLUMNS": str(width)} if width else {"COLUMNS": ""}
    result = CliRunner().invoke(app, list(args), env=env)
    assert code is None or result.exit_code == code, result.output
    return result.output


def words(text: str) -> set[str]:
    """Return the words of a text; an interval is one word, and a table's rules are none."""
    return set(re.findall(r"[\w.+%/:@-]*\w[\w.+%/:@-]*(?: \[[^\]]*\])?", text))


def commands(store: str) -> dict[str, list[str]]:
    trace = json.loads(output("show", "--store", store, "--json"))[0]["trace_id"]
    return {
        "runs": ["ledger", "runs", "--store", store],
        "show": ["show", "--store", store],
        "trace": ["show", "--trace", trace, "--store", store],
        "step": ["show", "--trace", trace, "--step", "2", "--store", store],
        "summary": ["summary", "--store", store],
        "compare": ["compare", "last", "--store", store, "--conditions", "--controls"],
        "matrix": ["compare", "last", "--matrix", "--store", store],
        "judges": ["quality", "judges", "last", "--store", store],
        "panels": ["panels", "list"],
        "panel": ["panels", "show", panel_names()[0]],
        "registered": ["panels", "judges"],
        "checkers": ["panels", "checkers"],
        "readers": ["read", "--list"],
        "weights": ["models", "list"],
        "doctor": ["doctor", "--store", store],
    }


@pytest.fixture(scope="module")
def whole(store: str) -> dict[str, str]:
    """What each command prints on a screen that is wide enough for everything."""
    return {name: _steady(output(*command, width=4_000, code=None)) for name, command in commands(store).items()}


@pytest.mark.parametrize("width", WIDTHS)
def test_no_figure_name_or_header_is_cut(store: str, whole: dict[str, str], width: int | None) -> None:
    for name, command in commands(store).items():
        shown = _steady(output(*command, width=width, code=None))
        assert shown.count("…") <= whole[name].count("…"), name
        on_one_line = re.sub(r"\s+(?:│ )?", " ", shown)
        # A word that is longer than the screen is wide has to be folded; everything else stands whole.
        cut = {word for word in words(whole[name]) if len(word) < (width or 10_000) - 8 and word not in on_one_line}
        assert not cut, name
        assert not {word for word in words(whole[name]) if " [" in word and word not in shown}, name


def _steady(text: str) -> str:
    """Leave out what changes from second to second."""
    return re.sub(r"[\d.]+ GiB", "GiB", text)


def test_a_trace_cannot_forge_its_verdict(tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    question = {"kind": "question", "id": "q1", "stem": "How much?", "options": {"A": "350 mg", "B": "3500 mg"}}
    trace = {
        "kind": "trace",
        "question": "q1",
        "model": "m\x1b[2K",
        "arm": "x",
        "text": FORGED,
        "steps": [{"text": FORGED}],
    }
    source.write_text("\n".join(json.dumps(line) for line in (question, trace)))
    store = f"sqlite:///{tmp_path}/l.db"
    output(
        "adjudicate", str(source), "--panel", "data", "--store", store, "--run", "r", "--reader", "native", code=None
    )
    found = json.loads(output("show", "--store", store, "--json"))[0]["trace_id"]
    for width in (80, None):
        for command in (("show",), ("show", "--trace", found), ("show", "--trace", found, "--step", "1", "--raw")):
            page = output(*command, "--store", store, width=width)
            assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", page), command
            # What the trace wrote stands behind its bar: no line of it begins as one of ours does.
            assert not re.search(r"^ {0,3}\d+ ✓ supported$", page, re.MULTILINE), command
    assert not re.search("[\x7f-\x9f\u202a-\u202e]", output("show", "--trace", found, "--json", "--store", store))


def test_the_hostile_ledger_through_every_command(tmp_path: Path) -> None:
    ledger = Ledger(f"sqlite:///{tmp_path}/l.db")
    run = hostile_run(ledger)
    for name, command in commands(ledger.url).items():
        page = output(*command, code=None)
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", page), name
    assert run.name[:20] in output("ledger", "runs", "--store", ledger.url, width=None)


def test_brackets_are_no_markup(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert "pip install 'tracejury[unsloth]'" in output("doctor", width=80, code=None)


def test_a_step_begins_with_its_verdict(store: str) -> None:
    lines = output(*commands(store)["step"]).splitlines()
    assert re.match(r"[✓✗?!·] (supported|error|abstained|failed|no claim)", lines[0])
    listed = output(*commands(store)["trace"])
    assert re.search(r"^  1 [✓✗?!·] ", listed, re.MULTILINE), "steps count from 1"


def test_arguments_are_checked_before_anything_is_computed(store: str, tmp_path: Path) -> None:
    began = time.monotonic()
    assert ".html" in output("report", "last", "--store", store, "--out", str(tmp_path / "rep"), code=1)
    absent = str(tmp_path / "no" / "t.csv")
    assert "does not exist" in output("compare", "last", "--store", store, "--csv", absent, code=1)
    assert "--trace" in output("show", "--step", "1", "--store", store, code=1)
    assert time.monotonic() - began < 5


def test_a_line_says_how_far_it_is_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert not err.is_terminal
    state = progress_lines.Progress("traces", 10)
    with progress_lines.live_line(lambda: str(state), every_s=0.01):
        state.update(1)
        state.update(4, note="$0.10")
        until = time.monotonic() + 5
        printed = ""
        while "4 of 10" not in printed and time.monotonic() < until:
            time.sleep(0.02)
            printed += capsys.readouterr().err
    assert re.search(r"traces: 4 of 10, ETA \d\d:\d\d:\d\d, \$0\.10", printed)


def test_a_console_without_unicode_shows_other_symbols(store: str) -> None:
    # The encoding of a stream is the process's own.
    env = os.environ | {"PYTHONIOENCODING": "latin-1"}
    code = "from tracejury.console.app import main; main()"
    for command in ("show", "trace", "step"):
        args = [sys.executable, "-c", code, *commands(store)[command]]
        run = subprocess.run(args, env=env, capture_output=True, check=False)
        assert run.returncode == 0, run.stderr
        assert command != "trace" or b"x error" in run.stdout


@pytest.mark.parametrize(
    ("command", "out"),
    [
        (("export", "last"), "nowhere/rows.jsonl"),
        (("student", "stepwise", "last"), "nowhere/rows.jsonl"),
        (("panels", "weigh", "last"), "nowhere/weights.json"),
        (("quality", "calibrate", "last"), "nowhere/c.json"),
        (("review", "sample", "last"), "file/sheet"),
        (("student", "corpus", "smollm2-135m", "teach"), "file"),
    ],
)
def test_where_a_command_writes_is_checked_before_it_works(
    command: tuple[str, ...], out: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    done = CliRunner().invoke(app, [*command, "--out", out])
    assert done.exit_code == 1
    assert re.search(r"does not exist|is a file", " ".join(done.output.split())), done.output
    assert not (tmp_path / "tracejury.db").exists(), "nothing was opened for it"


def test_chinese_cells_are_measured_in_columns_and_break_between_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "44")
    table = Table("步骤", "arm", figures=("基线模型",), title="t")
    table.add_row("患者右膝急性疼痛关节液中有针状结晶符合急性痛风", "base", "7")
    table.add_row("colchicine", "学生", "11")
    console = Screen()
    with console.capture() as capture:
        console.print(table)
    lines = [line.rstrip() for line in capture.get().splitlines()]
    assert all(cell_len(line) <= 44 for line in lines)
    assert lines[1].split() == ["步骤", "arm", "基线模型"], "a table, not a list of records"
    assert "".join(line[:22].split("  ")[0].strip() for line in lines[2:4]).startswith("患者右膝急性疼痛")
    assert {cell_len(line) for line in lines if line.endswith(("基线模型", " 7", " 11"))} == {cell_len(lines[1])}, (
        "figures end in one column"
    )
