"""A reader of a file or a folder sees the old content or the new, whatever ends the writer."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tracejury.storage import replacing_file, replacing_folder


def test_a_block_that_fails_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path) -> None:
    target = tmp_path / "a.json"
    with replacing_file(target, durable=True) as partial:
        partial.write_text("one")
        assert not target.exists()
    with pytest.raises(ZeroDivisionError), replacing_file(target) as partial:
        partial.write_text(f"tw{1 / 0}")
    assert target.read_text() == "one"
    assert list(tmp_path.iterdir()) == [target]


def test_a_folder_is_replaced_whole(tmp_path: Path) -> None:
    target = tmp_path / "tables"
    for name in ("old", "new"):
        with replacing_folder(target) as partial:
            (partial / name).write_text(name)
    with pytest.raises(ZeroDivisionError), replacing_folder(target) as partial:
        (partial / "newest").write_text(f"x{1 / 0}")
    assert [p.name for p in target.iterdir()] == ["new"]
    assert list(tmp_path.iterdir()) == [target]


def test_a_killed_writer_leaves_whole_files_and_the_next_one_goes_on(tmp_path: Path) -> None:
    code = (
        "import json, sys, pathlib; from tracejury.storage import replacing_file\n"
        "path, n = pathlib.Path(sys.argv[1]), 0\n"
        "while True:\n"
        "    n += 1\n"
        "    with replacing_file(path) as partial: partial.write_text(json.dumps([n] * 20_000))\n"
        "    if n == 3: print('ready', flush=True)\n"
    )
    target = tmp_path / "a.json"
    for _ in range(3):
        with subprocess.Popen([sys.executable, "-c", code, str(target)], stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            os.kill(writer.pid, signal.SIGKILL)
        assert len(set(json.loads(target.read_text()))) == 1
