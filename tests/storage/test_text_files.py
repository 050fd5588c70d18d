"""A file that is no text is named, wherever it is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from tracejury.agents import load_panel
from tracejury.storage import read_utf8


def test_the_file_the_line_and_the_next_step_are_named(tmp_path: Path) -> None:
    path = tmp_path / "panel.yaml"
    path.write_bytes(b"name: x\njudges: \xff\n")
    with pytest.raises(ValueError, match=r"panel\.yaml:2: not UTF-8 text \(byte 0xff\).*iconv"):
        read_utf8(path)
    with pytest.raises(ValueError, match=r"panel\.yaml:2: not UTF-8"):
        load_panel(path)
    path.write_bytes(b"\xef\xbb\xbfplain")
    assert read_utf8(path) == "plain"
