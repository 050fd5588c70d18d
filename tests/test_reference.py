"""The API reference: every name of a folder's user API has an entry, and the site builds without a broken link."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from conftest import absent

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ["traces", "models", "retrieval", "agents", "ledger", "graphs", "reports", "training", "testing", "storage"]


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_user_api_is_exported_and_in_the_reference(folder: str) -> None:
    module = importlib.import_module(f"tracejury.{folder}")
    text = " ".join(str(module.__doc__).split())
    listed = re.search(r"User API: (.+?)\. It is documented in docs/api/(\w+)\.md\.", text)
    assert listed is not None
    names = listed[1].split(", ")
    assert listed[2] == folder
    assert names == sorted(names)
    assert set(names) <= set(module.__all__)
    page = (ROOT / "docs" / "api" / f"{folder}.md").read_text("utf-8")
    assert sorted(re.findall(rf"^::: tracejury\.{folder}\.(\w+)$", page, re.MULTILINE)) == names


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_user_api_has_docstrings(folder: str) -> None:
    module = importlib.import_module(f"tracejury.{folder}")
    page = (ROOT / "docs" / "api" / f"{folder}.md").read_text("utf-8")
    for name in re.findall(rf"^::: tracejury\.{folder}\.(\w+)$", page, re.MULTILINE):
        value = getattr(module, name)
        if callable(value):
            assert value.__doc__, f"tracejury.{folder}.{name} has no docstring"


def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    if find_spec("mkdocs") is None or find_spec("mkdocstrings") is None:
        absent("docs", "install the extra: pip install 'tracejury[docs]'")
    result = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert result.returncode == 0, result.stderr[-3000:]
    page = (tmp_path / "site" / "api" / "agents" / "index.html").read_text("utf-8")
    assert 'id="tracejury.agents.Judge.draft"' in page
