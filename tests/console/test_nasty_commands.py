"""Files that are not what a command expects: it names the file and a next step, and no traceback reaches the user."""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path

import pytest

from tracejury.console.app import main

TRACES = [
    {"kind": "question", "id": "q", "stem": "A man coughs. Why?", "options": {"A": "x", "B": "y"}, "gold": "A"},
    {"kind": "trace", "question": "q", "model": "m", "arm": "base", "text": "1. The cough is old.\nThe answer is A."},
]
STORE = "--store sqlite:///junk.db"
COMMANDS = [
    ("read --check nosuch.jsonl", "nosuch.jsonl is no file"),
    (f"read --check {'x' * 5000}", "is no file or folder"),
    ("read --check loop", "loop is no file"),
    ("read --check junk.jsonl", "junk.jsonl"),
    ("read --check folder", "folder"),
    ("adjudicate t.jsonl --panel junk.yaml", "junk.yaml:1: not UTF-8 text"),
    ("adjudicate t.jsonl --panel folder.yaml", "folder.yaml"),
    (f"adjudicate t.jsonl --panel data {STORE}", "file is not a database"),
    ("adjudicate t.jsonl --panel data --store sqlite:///no/such/l.db", "no/such/l.db"),
    (f"show last {STORE}", "file is not a database"),
    (f"view last {STORE}", "file is not a database"),
    (f"ledger upgrade {STORE}", "file is not a database"),
    ("doctor --panel junk.yaml", "junk.yaml:1: not UTF-8 text"),
    ("doctor --index junk.yaml --store sqlite:///none.db", "junk.yaml is a file, and an index is a folder"),
    ("panels show junk.yaml", "junk.yaml:1: not UTF-8 text"),
    ("index search cough --index junk.yaml", "junk.yaml is a file, and an index is a folder"),
    ("index search cough --index none", "none is empty"),
    ("index build junk.yaml --index i", "junk.yaml:1: not UTF-8 text"),
    ("calls import junk.jsonl --store sqlite:///none.db", "junk.jsonl:1: not UTF-8 text"),
    ("student train junk.yaml", "junk.yaml:1: not UTF-8 text"),
    ("student distill junk.yaml", "junk.yaml:1: not UTF-8 text"),
]


@pytest.fixture(autouse=True)
def junk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    # Between the files of commands there is none of the user's own.
    monkeypatch.delenv("TRACEJURY_INDEX", raising=False)
    noise = b"\xff\xfe\x00" + random.Random(0).randbytes(2000)
    for name in ("junk.jsonl", "junk.yaml", "junk.db"):
        (tmp_path / name).write_bytes(noise)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "t.jsonl").write_text("".join(json.dumps(line) + "\n" for line in TRACES))


@pytest.mark.parametrize(("command", "named"), COMMANDS, ids=[command[:50] for command, _ in COMMANDS])
def test_the_file_is_named(
    command: str, named: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["tracejury", *command.split()])
    with pytest.raises(SystemExit) as ended:
        main()
    printed = capsys.readouterr()
    both = printed.out + printed.err
    assert ended.value.code == 1, both
    assert named in both
    assert "Traceback" not in both
    assert "did not foresee" not in both
