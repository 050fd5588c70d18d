"""Every command block of README and docs runs, in order, a page at a time, in an empty folder.

A block that cannot run here says why: ```bash skip="needs a GPU". Python blocks run too.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
BLOCK = re.compile(r"^```(bash|python)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def blocks(page: Path) -> list[tuple[str, str, str]]:
    return [(m[1], m[2].strip(), m[3]) for m in BLOCK.finditer(page.read_text("utf-8"))]


def runnable(page: Path) -> bool:
    return any(not info.startswith("skip=") for _, info, _ in blocks(page))


@pytest.mark.parametrize("page", [p for p in PAGES if runnable(p)], ids=name_of)
def test_the_commands_of_a_page_run(page: Path, tmp_path: Path) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = {**os.environ, "PATH": path, "REPO": str(ROOT), "COLUMNS": "120"}
    for language, info, text in blocks(page):
        if info.startswith("skip="):
            continue
        command = ["bash", "-euo", "pipefail", "-c", text] if language == "bash" else [sys.executable, "-c", text]
        process = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=240)
        assert process.returncode == 0, f"{text}\n--- printed\n{process.stdout[-2000:]}\n{process.stderr[-2000:]}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_skipped_block_says_why(page: Path) -> None:
    for _, info, text in blocks(page):
        assert info == "" or re.fullmatch(r'skip="[^"]{8,}"', info), f"{info!r} before {text[:60]!r}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text("utf-8")):
        if not target.startswith(("http://", "https://", "mailto:")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}, which is not there"
