"""What stands around every command: no traceback reaches a user, and tracing to a third party is off."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tracejury.console import app as command_line
from tracejury.console.crash import switch_off_tracing
from tracejury.models import Endpoint, api_key, redact


def test_an_unforeseen_error_is_a_message_and_a_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def broken() -> None:
        raise RecursionError("too deep")

    monkeypatch.setattr(command_line, "app", broken)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(SystemExit) as stopped:
        command_line.main()
    printed = capsys.readouterr().err
    assert stopped.value.code == 1
    assert "RecursionError: too deep" in printed
    assert "Traceback" not in printed
    (report,) = tmp_path.iterdir()
    assert str(report) in printed
    assert "Traceback" in report.read_text()


def test_langsmith_is_off_unless_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGSMITH_TRACING", "true")
    monkeypatch.setenv("TRACEJURY_LANGSMITH", "1")
    assert switch_off_tracing() is None
    monkeypatch.delenv("TRACEJURY_LANGSMITH")
    assert "LANGSMITH_TRACING would send prompts to LangSmith" in str(switch_off_tracing())
    assert os.environ["LANGSMITH_TRACING"] == "false"


def test_keys_in_capitals_broken_over_lines_and_of_other_makers_are_redacted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WARD_KEY", "planted-key-44711-abcd")
    api_key(Endpoint(name="m", model="x", api_key_env="WARD_KEY"))
    for text in ("PLANTED-KEY-44711-ABCD", "planted-key-\n  44711-abcd", "planted-key-44711\\n-abcd"):
        assert redact(f"got {text} back") == "got [key] back"
    assert redact("used hf_abcdefghijklmnopqrstuvwx here") == "used [key] here"
    assert redact("a planted key is no secret") == "a planted key is no secret"
