"""Documents that attack their reader: links out of the folder, Word files that unpack to much, pages without an end."""

from __future__ import annotations

import time
import zipfile
from pathlib import Path

import pytest

from tracejury.retrieval import Document, sources
from tracejury.traces import Problem


def read_folder(folder: Path) -> list[Document | Problem]:
    return list(sources.make("documents", path=str(folder), name="ward", license="internal").documents())


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    folder, outside = tmp_path / "ward", tmp_path / "outside"
    folder.mkdir()
    outside.mkdir()
    (folder / "gout.md").write_text("# Gout\n\nColchicine treats gout.")
    (outside / "private.md").write_text("# Private\n\nNobody may cite this.")
    (folder / "link.md").symlink_to(outside / "private.md")
    (folder / "whole").symlink_to(outside)
    items = read_folder(folder)
    assert [item.title for item in items if isinstance(item, Document)] == ["Gout"]
    problems = [item for item in items if isinstance(item, Problem)]
    assert {Path(problem.file).name for problem in problems} >= {"link.md"}


def test_a_word_file_that_unpacks_to_much_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.docx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", b"<w:p/>" * 5_000_000)
    (problem,) = (item for item in read_folder(tmp_path) if isinstance(item, Problem) and "unpacks" in item.reason)
    assert "24 MB of text" in problem.reason


@pytest.mark.parametrize("unit", ["<!--", "<!-- >", "<a ", "<![x", "</", "<?", "&#"])
def test_a_page_without_an_end_takes_no_time(tmp_path: Path, unit: str) -> None:
    (tmp_path / "page.html").write_text("<p>Colchicine treats gout.</p>" + unit * 100_000)
    began = time.process_time()
    read_folder(tmp_path)
    assert time.process_time() - began < 5
