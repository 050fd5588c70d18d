"""Names that climb out of their folder, and archives that want to fill the memory."""

from __future__ import annotations

import gzip
import json
import zipfile
from pathlib import Path

import pytest
from jury_of_words import batch_of
from made_ledger import make_run
from typer.testing import CliRunner

from tracejury.agents import load_panel
from tracejury.agents.prompting import prompt
from tracejury.console.app import app
from tracejury.ledger import Ledger
from tracejury.reports.sheet_files import read_rows
from tracejury.retrieval import sources
from tracejury.traces import Problem, read, write_batch

CLIMBS = ("../../x", "..", ".", "/etc/x", "a/../../x", "..\\..\\x", "x\0y")


def files_outside(top: Path, inside: Path) -> set[Path]:
    return {path for path in top.rglob("*") if path.is_file() and not path.is_relative_to(inside)}


@pytest.mark.parametrize("name", CLIMBS)
def test_the_name_of_a_run_leads_nowhere(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    work = tmp_path / "deep" / "deeper"
    work.mkdir(parents=True)
    monkeypatch.chdir(work)
    ledger = Ledger(f"sqlite:///{tmp_path}/l.db")
    make_run(ledger, batch_of(2), name=name)
    before = files_outside(tmp_path, work)
    store = ("--store", ledger.url)
    for args in (("view", "last", "--export", "site"), ("review", "sample", "last", "--out", "review", "--n", "4")):
        result = CliRunner().invoke(app, [*args, *store])
        assert result.exit_code == 0, result.output
    # SQLite comes and goes with files of its own beside the ledger.
    assert {p for p in files_outside(tmp_path, work) - before if not p.name.startswith("l.db")} == set()
    assert (work / "site" / "index.html").is_file()


def test_the_ids_of_questions_lead_nowhere(tmp_path: Path) -> None:
    lines = []
    for n, name in enumerate(CLIMBS[:-1]):
        lines.append({"kind": "question", "id": name, "stem": f"Q{n}?", "options": {"A": "x"}, "gold": "A"})
        lines.append({"kind": "trace", "question": name, "model": name, "arm": name, "text": "1. It is so, one sees."})
    path = tmp_path / "in.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    out = tmp_path / "deep" / "out"
    write_batch(read("native", path), out)
    assert {p.name for p in out.iterdir()} == {"questions.jsonl", "traces.jsonl", "problems.jsonl"}
    assert files_outside(tmp_path, out) == {path}


@pytest.mark.parametrize("name", ["../../x", "..", "../panels/embedded", "x\0y"])
def test_panels_and_prompts_are_found_by_name_or_by_a_path_that_is_there(name: str) -> None:
    with pytest.raises(ValueError, match=r"no such file|no panel called|null"):
        load_panel(name)
    with pytest.raises((ValueError, OSError, LookupError)):
        prompt(name)


def bomb(path: Path, member: str, size: int = 150 << 20) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive, archive.open(member, "w") as to:
        for _ in range(size >> 20):
            to.write(bytes(1 << 20))
    assert path.stat().st_size < 2 << 20
    return path


def test_a_workbook_that_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="unpacks to more than 100 MB"):
        read_rows(bomb(tmp_path / "sheet.xlsx", "xl/worksheets/sheet1.xml"))
    (tmp_path / "no.xlsx").write_bytes(b"no archive")
    with pytest.raises(ValueError, match="not a readable workbook"):
        read_rows(tmp_path / "no.xlsx")


def test_a_document_that_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("docx")
    bomb(tmp_path / "note.docx", "word/document.xml", 301 << 20)
    documents = list(sources.make("documents", path=str(tmp_path), name="notes", license="x").documents())
    assert [p for p in documents if isinstance(p, Problem) and "unpacks to more than" in p.reason]


def test_a_line_that_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl.gz"
    with gzip.open(path, "wb", compresslevel=1) as to:
        to.write(b'{"text": "A good line."}\n')
        for _ in range(70):
            to.write(b" " * (1 << 20))
    documents = list(sources.make("jsonl", path=str(path)).documents())
    assert [p.reason for p in documents if isinstance(p, Problem)] == ["a line of more than 64 MB"]
    assert len(documents) == 2
