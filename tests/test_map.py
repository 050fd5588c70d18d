"""docs/ARCHITECTURE.md, PROTOCOL.md and GLOSSARY.md name things that exist; code points at their headings only."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCS = sorted((ROOT / "docs").glob("*.md"))
PLACE = re.compile(r"`([a-z_][\w/.-]*\.py)::([\w.]+)`")
FILE = re.compile(
    r"`((?:agents|configs|console|graphs|ledger|models|reports|retrieval|storage|tests|traces|training)/[\w/.-]*)`"
)
PACKAGES = sorted(path.parent.name for path in ROOT.glob("*/__init__.py") if path.parent.name != "benchmarks")


def names_in(path: Path) -> set[str]:
    """Return the names that a module binds at its top, and `Class.method` for its methods."""
    names = set()
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            names.add(node.name)
        if isinstance(node, ast.ClassDef):
            names |= {f"{node.name}.{part.name}" for part in node.body if hasattr(part, "name")}
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        names |= {target.id for target in targets if isinstance(target, ast.Name)}
    return names


@pytest.mark.parametrize("page", DOCS, ids=lambda p: p.name)
def test_every_function_that_a_page_names_exists(page: Path) -> None:
    for file, name in PLACE.findall(page.read_text("utf-8")):
        assert name in names_in(ROOT / file), f"{page.name} names {file}::{name}"


@pytest.mark.parametrize("page", ["ARCHITECTURE.md", "PROTOCOL.md"])
def test_every_file_that_the_map_names_exists(page: str) -> None:
    for name in FILE.findall((ROOT / "docs" / page).read_text("utf-8")):
        assert "NAME" in name or (ROOT / name).exists(), f"{page} names {name}"


def test_every_folder_is_on_the_map() -> None:
    text = (ROOT / "docs" / "ARCHITECTURE.md").read_text("utf-8")
    rows = set(re.findall(r"^\| `(\w+)/` \|", text, re.MULTILINE))
    assert sorted(rows) == PACKAGES


def test_pointers_at_the_protocol_lead_to_a_heading() -> None:
    headings = set(re.findall(r"^## (.+)$", (ROOT / "docs" / "PROTOCOL.md").read_text("utf-8"), re.MULTILINE))
    for folder in [*PACKAGES, "tests", "benchmarks"]:
        for path in (ROOT / folder).rglob("*.*"):
            if path.suffix in {".py", ".yaml"} and path.name != Path(__file__).name:
                for heading in re.findall(r"docs/PROTOCOL\.md, '([^']+)'", path.read_text("utf-8")):
                    assert heading in headings, f"{path} points at {heading!r}"


def test_no_file_points_at_a_document_that_is_not_in_the_repository() -> None:
    known = {path.name for path in ROOT.rglob("*.md") if ".git" not in path.parts}
    named = re.compile(r"(?<![\w/{*.-])([A-Za-z][\w-]*\.md)\b")
    absent = []
    for folder in PACKAGES:
        for path in (ROOT / folder).rglob("*.py"):
            for line in re.findall(r'(?:"""|#|Args).*', path.read_text("utf-8")):
                absent += [f"{path.relative_to(ROOT)}: {name}" for name in named.findall(line) if name not in known]
    assert not absent


def test_the_glossary_is_in_order_and_says_each_word_once() -> None:
    text = (ROOT / "docs" / "GLOSSARY.md").read_text("utf-8")
    words = re.findall(r"^\| \*\*(.+?)\*\* \|", text, re.MULTILINE)
    assert words == sorted(set(words))
    assert len(words) > 40
