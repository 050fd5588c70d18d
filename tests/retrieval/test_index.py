import gc
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from word_vectors import WordVectors

from tracejury.retrieval import (
    BrokenIndexError,
    Document,
    EmptySourceError,
    Finder,
    Index,
    IndexLockedError,
    Query,
    diff,
)
from tracejury.traces import Problem, UnknownNameError

TESTS = Path(__file__).resolve().parents[1]


class Notes:
    """A source in code."""

    name = "notes"
    license = "test"

    def __init__(self, texts: dict[str, str], version: str = "1", superseded: dict[str, str] | None = None) -> None:
        self.texts, self.version, self.read, self.superseded = texts, version, 0, superseded or {}

    def documents(self) -> Iterator[Document | Problem]:
        for key, text in self.texts.items():
            self.read += 1
            by = self.superseded.get(key)
            yield Document(
                source="notes",
                title=key,
                text=text,
                citation=f"Notes, {key}",
                license="test",
                key=key,
                superseded_by=by,
            )


TEXTS = {f"n{i}": f"Note {i} is about topic{i} and about drug{i} given daily." for i in range(30)}


def write_lines(path: Path, n: int) -> Path:
    path.write_text(
        "".join(json.dumps({"id": f"d{i}", "title": f"t{i}", "text": f"Word{i} is here."}) + "\n" for i in range(n))
    )
    return path


def test_a_second_build_reads_nothing_and_a_changed_source_is_brought_up_to_date(tmp_path: Path) -> None:
    words = WordVectors()
    index = Index.open(tmp_path, words)
    assert index.build(Notes(TEXTS)).added == 30
    again = Notes(TEXTS)
    assert index.build(again).unchanged
    assert again.read == 0
    words.asked.clear()
    changed = {**TEXTS, "n3": "Another text altogether.", "n30": "A new note."}
    del changed["n7"]
    report = index.build(Notes(changed, version="2"))
    assert (report.added, report.removed, report.kept_passages) == (2, 2, 28)
    assert len(words.asked) == 2, "what was there is not embedded again"
    ids = [
        h.passage.key
        for h in Finder(index, k=1).find([Query(text="another text altogether"), Query(text="topic7")])[0].hits
    ]
    assert ids == ["n3"]


def test_what_changes_beside_the_text_is_brought_up_to_date(tmp_path: Path) -> None:
    """A guideline may be superseded, and an abstract retracted, without a word of it changing."""
    words = WordVectors()
    index = Index.open(tmp_path, words)
    index.build(Notes(TEXTS))

    def superseded(key: str) -> str | None:
        (found,) = Finder(index, k=1, superseded="keep").find([Query(text=f"topic{key[1:]} drug{key[1:]}")])
        assert found.hits[0].passage.key == key
        return found.hits[0].passage.superseded_by

    words.asked.clear()
    report = index.build(Notes(TEXTS, "2", {"n3": "a newer note", "n4": "another"}))
    assert (report.added, report.removed, report.renewed, report.kept_passages) == (0, 0, 2, 28)
    assert len(words.asked) == 2
    assert (superseded("n3"), superseded("n4"), superseded("n5")) == ("a newer note", "another", None)
    report = index.build(Notes(TEXTS, "3", {"n3": "a newer note"}))
    assert (report.renewed, superseded("n3"), superseded("n4")) == (1, "a newer note", None)
    assert index.verify() == []


def test_a_document_that_no_database_holds_costs_only_itself(tmp_path: Path) -> None:
    unfit = {"half": "Half a \ud83d character.", "nul": "No\0thing."}
    report = Index.open(tmp_path, WordVectors()).build(Notes(TEXTS | unfit))
    assert report.passages == 30
    assert [str(p) for p in report.problems] == [
        "notes: half: holds half of a surrogate pair (write the whole character)",
        "notes: nul: holds a NUL character (leave it out)",
    ]


def test_an_index_opens_without_its_heavy_parts(tmp_path: Path) -> None:
    Index.open(tmp_path, WordVectors()).build(Notes(TEXTS))
    code = (
        "import sys, time; from tracejury.retrieval import Index; t = time.process_time()\n"
        f"Index.open({str(tmp_path)!r}).manifest(); assert time.process_time() - t < 0.3\n"
        "assert not {'chromadb', 'onnxruntime', 'bm25s'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_reader_keeps_what_it_opened_while_a_writer_builds(tmp_path: Path) -> None:
    words = WordVectors()
    Index.open(tmp_path, words).build(Notes(TEXTS))
    reader = Index.open(tmp_path, words)
    waiting = Index.open(tmp_path, words)
    finder, stop, failed = Finder(reader, k=3), threading.Event(), []

    def read() -> None:
        while not stop.is_set():
            try:
                found = finder.find([Query(text="topic5 drug5")])[0]
                assert found.hits[0].passage.key == "n5"
            except Exception as error:  # noqa: BLE001
                failed.append(error)
                return

    thread = threading.Thread(target=read)
    thread.start()
    for version in ("2", "3"):
        code = (
            f"import sys; sys.path[:0] = [{str(TESTS)!r}, {str(TESTS / 'retrieval')!r}]\n"
            "from test_index import Notes, TEXTS; from word_vectors import WordVectors\n"
            "from tracejury.retrieval import Index\n"
            f"Index.open({str(tmp_path)!r}, WordVectors()).build("
            f"Notes({{**TEXTS, 'n5': 'rewritten {version}'}}, version={version!r}))"
        )
        subprocess.run([sys.executable, "-c", code], check=True)
    stop.set()
    thread.join()
    assert not failed
    assert Index.open(tmp_path, words).entry("notes").version == "3"
    assert reader.storage.generations("notes") == [1, 2, 3], "what a reader holds stays, and the last but one"
    late = Finder(waiting, k=1).find([Query(text="topic5 drug5")])[0]
    assert late.hits[0].passage.text == TEXTS["n5"], "opened is held, searched or not"
    finder = reader = waiting = None
    gc.collect()
    Index.open(tmp_path, words).build(Notes(TEXTS, version="4"))
    assert Index.open(tmp_path).storage.generations("notes") == [3, 4]


def test_a_source_taken_out_under_a_reader_is_built_anew_beside_it(tmp_path: Path) -> None:
    words = WordVectors()
    Index.open(tmp_path, words).build(Notes(TEXTS))
    reader = Index.open(tmp_path, words)
    find = Finder(reader, k=1).find
    assert find([Query(text="topic5 drug5")])[0].hits[0].passage.key == "n5"
    writer = Index.open(tmp_path, words)
    writer.remove("notes")
    writer.build(Notes({"n5": "Another text altogether."}))
    assert writer.entry("notes").generation == 2
    assert find([Query(text="topic5 drug5")])[0].hits[0].passage.text == TEXTS["n5"]


def test_a_second_writer_is_told_who_writes(tmp_path: Path) -> None:
    building, go_on = threading.Event(), threading.Event()

    class Slow(Notes):
        def documents(self) -> Iterator[Document | Problem]:
            building.set()
            go_on.wait(20)
            yield from super().documents()

    first = threading.Thread(target=lambda: Index.open(tmp_path, WordVectors()).build(Slow(TEXTS)))
    first.start()
    assert building.wait(20)
    with pytest.raises(IndexLockedError, match=rf"process {os.getpid()} is building"):
        Index.open(tmp_path, WordVectors()).build(Notes(TEXTS))
    go_on.set()
    first.join()


def test_a_killed_build_leaves_the_index_whole_and_the_next_goes_on(tmp_path: Path) -> None:
    small, large = write_lines(tmp_path / "small.jsonl", 100), write_lines(tmp_path / "large.jsonl", 3000)
    at = tmp_path / "index"
    Index.open(at, WordVectors()).build("jsonl", {"path": str(small)})
    code = (
        f"import sys; sys.path.insert(0, {str(TESTS)!r})\n"
        "from word_vectors import WordVectors; from tracejury.retrieval import Index\n"
        f"Index.open({str(at)!r}, WordVectors(slow_s=0.15)).build('jsonl', {{'path': {str(large)!r}}},"
        " progress=lambda n, of: print(n, flush=True))"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        while int(child.stdout.readline()) < 1200:
            pass
        os.kill(child.pid, signal.SIGKILL)
    index = Index.open(at, WordVectors())
    assert index.entry("jsonl").passages == 100
    assert Finder(index, k=1).find([Query(text="word7")])[0].hits[0].passage.key == "d7"
    left = index.verify()
    assert [f.serious for f in left] == [False]
    assert "unfinished" in left[0].what
    report = index.build("jsonl", {"path": str(large)})
    assert report.passages == 3000
    assert report.resumed >= 1000
    assert Index.open(at, WordVectors()).verify() == []


def test_verify_finds_and_repairs_damage(tmp_path: Path) -> None:
    lines = write_lines(tmp_path / "a.jsonl", 200)
    at = tmp_path / "index"
    Index.open(at, WordVectors()).build("jsonl", {"path": str(lines)})
    Index.open(at, WordVectors()).build(Notes(TEXTS))
    for damaged in (at / "jsonl" / "1" / "chroma.sqlite3", at / "notes" / "1" / "chroma.sqlite3"):
        damaged.write_bytes(damaged.read_bytes()[:4096] + b"\0" * 4096)
    code = (
        f"import sys; sys.path.insert(0, {str(TESTS)!r})\n"
        "from word_vectors import WordVectors; from tracejury.retrieval import Index\n"
        f"index = Index.open({str(at)!r}, WordVectors())\n"
        "assert sorted(f.source for f in index.verify() if f.serious) == ['jsonl', 'notes']\n"
        "mended = {f.source: f.mended for f in index.verify(repair=True)}\n"
        "assert 'built anew: 200' in mended['jsonl'], mended\n"
        "assert 'build it again' in mended['notes'], mended\n"
        "assert index.verify() == []"
    )
    # Chroma keeps a database open once it has seen it: a process of its own, as after a crash.
    subprocess.run([sys.executable, "-c", code], check=True)
    assert list(Index.open(at, WordVectors()).manifest().sources) == ["jsonl"]


@pytest.mark.parametrize("how", ["cut", "overwritten", "missing"])
def test_a_damaged_vector_file_is_found_before_it_is_opened(tmp_path: Path, how: str) -> None:
    lines = write_lines(tmp_path / "a.jsonl", 1200)
    at = tmp_path / "index"
    Index.open(at, WordVectors()).build("jsonl", {"path": str(lines)})
    (vectors,) = (at / "jsonl" / "1").rglob("data_level0.bin")
    body = vectors.read_bytes()
    if how == "missing":
        vectors.unlink()
    else:
        vectors.write_bytes(body[: len(body) // 2] if how == "cut" else body[:5000] + b"x" * 3000 + body[8000:])
    with pytest.raises(BrokenIndexError, match=r"data_level0.bin (was changed|is missing).*--repair"):
        Index.open(at, WordVectors()).passages("jsonl", ["none"])
    (fault,) = Index.open(at, WordVectors()).verify()
    assert fault.serious


def test_an_index_of_another_embedder_is_refused(tmp_path: Path) -> None:
    Index.open(tmp_path, WordVectors()).build(Notes(TEXTS))
    with pytest.raises(BrokenIndexError, match=r"'words', not 'others'"):
        Index.open(tmp_path, WordVectors("others"))


def test_a_broken_manifest_is_named(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(BrokenIndexError, match=r"manifest\.json"):
        Index.open(tmp_path)


def test_a_source_that_gives_nothing_changes_nothing(tmp_path: Path) -> None:
    index = Index.open(tmp_path, WordVectors())
    index.build(Notes(TEXTS))
    with pytest.raises(EmptySourceError, match="no document"):
        index.build(Notes({}, version="2"))
    assert index.entry("notes").passages == 30


def test_a_source_that_is_not_indexed_says_how_to_build_it(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="tracejury index build nosuch"):
        Finder(Index.open(tmp_path, WordVectors()), ["nosuch"])


def test_diff_says_what_changed(tmp_path: Path) -> None:
    index = Index.open(tmp_path, WordVectors())
    index.build(Notes(TEXTS))
    before = index.manifest()
    index.build(Notes({**TEXTS, "more": "One more note."}, version="2"))
    (change,) = diff(before, index.manifest())
    assert (change.name, change.fields["passages"], change.fields["version"]) == ("notes", (30, 31), ("1", "2"))
    index.remove("notes")
    assert [c.change for c in diff(before, index.manifest())] == ["removed"]
    assert diff(before, before) == []


def test_the_index_path_comes_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACEJURY_INDEX", str(tmp_path / "there"))
    Index.open(embedder=WordVectors()).build(Notes({"a": "One note."}))
    assert (tmp_path / "there" / "manifest.json").is_file()


def test_old_generations_are_cleared_away(tmp_path: Path) -> None:
    for version in "1234":
        Index.open(tmp_path, WordVectors()).build(Notes({**TEXTS, "v": f"version {version} of this note"}, version))
        time.sleep(0)
    assert sorted(p.name for p in (tmp_path / "notes").iterdir()) == ["3", "4"]


def test_an_index_may_name_its_engine(tmp_path: Path) -> None:
    from tracejury.retrieval.index_storage import indexes, open_storage

    assert [entry.name for entry in indexes.entries()] == ["chroma"]
    assert open_storage(f"chroma:{tmp_path}").where == open_storage(str(tmp_path)).where == str(tmp_path.resolve())
