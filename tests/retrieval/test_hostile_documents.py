"""Documents that attack their reader: links out of the folder, Word files that unpack to much, pages without an end."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

from tracejury.retrieval import Document, sources
from tracejury.retrieval.sources.reading import UnreadableError
from tracejury.retrieval.sources.reading_process import ReadingProcess
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
    began = sum(os.times()[:4])
    read_folder(tmp_path)
    # Starting the process that reads is a part of it.
    assert sum(os.times()[:4]) - began < 7


def test_a_file_that_takes_too_much_costs_itself_alone(tmp_path: Path) -> None:
    (tmp_path / "small.html").write_text("<p>Colchicine treats gout.</p>")
    (tmp_path / "wide.html").write_text("<p>x</p>" * 2_000_000)
    with ReadingProcess(memory_mb=100) as process:
        for _ in range(2):
            with pytest.raises(UnreadableError, match="more than 100 MB of memory"):
                list(process.read(tmp_path / "wide.html"))
            assert "Colchicine" in next(iter(process.read(tmp_path / "small.html")))[1]
    with ReadingProcess(file_s=0.05) as process, pytest.raises(UnreadableError, match=r"more than 0\.05 s"):
        list(process.read(tmp_path / "wide.html"))
