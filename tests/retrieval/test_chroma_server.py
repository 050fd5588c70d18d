"""An index on a real Chroma server: several processes read while one writes."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from chroma_at_work import chroma
from word_vectors import WordVectors

from tracejury.retrieval import BrokenIndexError, Document, Finder, Index, Query
from tracejury.traces import Problem


class Lines:
    name = "lines"
    license = "test"

    def __init__(self, n: int, version: str) -> None:
        self.n, self.version = n, version

    def documents(self) -> Iterator[Document | Problem]:
        for i in range(self.n):
            text = f"Word{i} stands here."
            yield Document(source="lines", title=f"t{i}", text=text, citation="c", license="l", key=str(i))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with chroma(tmp_path_factory.mktemp("server")) as (address, _):
        yield address


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACEJURY_CACHE", str(tmp_path / "cache"))


def test_many_read_while_one_writes(server: str) -> None:
    writer = Index.open(server, WordVectors())
    assert writer.build(Lines(40, "1")).added == 40
    reader = Index.open(server, WordVectors())
    finder = Finder(reader, k=1)
    assert finder.find([Query(text="word7")])[0].hits[0].passage.key == "7"
    report = writer.build(Lines(60, "2"))
    assert (report.added, report.kept_passages) == (20, 40)
    assert finder.find([Query(text="word8")])[0].hits[0].passage.key == "8", "a reader keeps what it opened"
    assert reader.entry("lines").passages == 40
    assert Index.open(server, WordVectors()).entry("lines").passages == 60
    assert Index.open(server, WordVectors()).verify() == []
    assert writer.build(Lines(60, "2")).unchanged
    # A command line folds the slashes of an address that it takes for a path.
    assert Index.open(Path(server), WordVectors()).entry("lines").passages == 60
    writer.remove("lines")
    assert Index.open(server, WordVectors()).manifest().sources == {}


def test_no_server_is_told() -> None:
    with pytest.raises(BrokenIndexError, match="chroma run"):
        Index.open("http://127.0.0.1:9", WordVectors()).manifest()
