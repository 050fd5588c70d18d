"""A folder of documents: PDF, DOCX, HTML, Markdown and text; a hospital's protocols, a publisher's books."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path

from tracejury.retrieval.records import Document
from tracejury.retrieval.sources.files import files_version, too_large
from tracejury.retrieval.sources.reading import UnreadableError, read_text
from tracejury.retrieval.sources.reading_process import ReadingProcess
from tracejury.traces import Problem

_PLAIN = (".md", ".markdown", ".txt")
READ = frozenset({".pdf", ".docx", ".html", ".htm", *_PLAIN})
"""Endings of the files that are read."""
_METADATA = "metadata.csv"


class Documents:
    """Every document of a folder and its subfolders. A file that cannot be read is reported, and costs only itself.

    A `metadata.csv` in the folder may say more, by the columns `file, title, citation, url, date, license,
    superseded_by`; `file` is the path inside the folder.

    Args:
        path: The folder, or one file.
        name: What the source is called in the index.
        license: The licence of every document that `metadata.csv` gives none.
        citation: Who stands behind the documents; comes before the title in the citation.
        max_mb: Files larger than so many megabytes are not read.
    """

    def __init__(
        self, path: str, name: str = "documents", license: str = "internal", citation: str = "", max_mb: float = 40
    ) -> None:
        self.name = name
        self.license = license
        self._root = Path(path).expanduser()
        if not self._root.exists():
            raise FileNotFoundError(f"{self._root}: no such folder; give the folder with your documents")
        self._publisher = citation
        self._max_mb = max_mb

    @cached_property
    def version(self) -> str:
        """A hash of the files' names and contents, of `metadata.csv` too."""
        metadata = self._root / _METADATA
        return files_version([*self._files(), *([metadata] if metadata.is_file() else [])])

    def documents(self) -> Iterator[Document | Problem]:
        """Yield one document a page of a PDF, one a file otherwise."""
        metadata, problem = self._metadata()
        if problem:
            yield problem
        files = self._files()
        there = {self._inside(path) for path in files}
        for name in sorted(metadata.keys() - there):
            hint = "write its path inside the folder, such as ward/falls.md"
            yield Problem(
                file=str(self._root / _METADATA), reason=f"names a file that is not here: {name!r}", hint=hint
            )
        if not files:
            kinds = ", ".join(sorted(READ))
            yield Problem(file=str(self._root), reason="no document in this folder", hint=f"it reads {kinds}")
        for path in self._links_out():
            reason = "is a link that leads out of the folder, and so cannot be read"
            yield Problem(file=str(path), reason=reason, hint="copy the file into the folder")
        with ReadingProcess() as process:
            for path in files:
                yield from self._read(path, metadata.get(self._inside(path), {}), process)

    def _files(self) -> list[Path]:
        if self._root.is_file():
            return [self._root]
        root = self._root.resolve()
        return sorted(
            p
            for p in self._root.rglob("*")
            # A link that leads out of the folder would index, and cite, what nobody put there.
            if p.is_file()
            and p.resolve().is_relative_to(root)
            and p.name != _METADATA
            and not any(part.startswith(".") for part in p.relative_to(self._root).parts)
        )

    def _links_out(self) -> list[Path]:
        if self._root.is_file():
            return []
        root = self._root.resolve()
        return sorted(p for p in self._root.rglob("*") if p.is_symlink() and not p.resolve().is_relative_to(root))

    def _inside(self, path: Path) -> str:
        name = path.name if path == self._root else path.relative_to(self._root).as_posix()
        return _in_utf8(name)

    def _read(self, path: Path, metadata: Mapping[str, str], process: ReadingProcess) -> Iterator[Document | Problem]:
        ending = path.suffix.lower()
        if ending not in READ:
            hint = f"save it as one of {', '.join(sorted(READ))}"
            yield Problem(file=str(path), reason=f"{path.suffix or 'no suffix'} is not read", hint=hint)
            return
        has_text = False
        try:
            if large := too_large(path, self._max_mb):
                yield large
                return
            for place, text in read_text(path) if ending in _PLAIN else process.read(path):
                if text.strip():
                    has_text = True
                    yield self._document(path, place, text, metadata)
        except UnreadableError as bad:
            yield Problem(file=str(path), reason=bad.reason, hint=bad.hint)
            return
        except OSError as refused:
            reason = f"cannot be read: {refused.strerror or refused}"
            yield Problem(file=str(path), reason=reason, hint="check its permissions and the disk")
            return
        if not has_text:
            yield Problem(file=str(path), reason="holds no text", hint="a scan? run it through OCR first")

    def _document(self, path: Path, place: str, text: str, metadata: Mapping[str, str]) -> Document:
        title = metadata.get("title") or _heading(text, path) or _in_utf8(path.stem).replace("_", " ")
        whole = metadata.get("citation") or ", ".join(
            part for part in (self._publisher, title, _in_utf8(path.name)) if part
        )
        return Document(
            source=self.name,
            title=title,
            text=text,
            citation=f"{whole}, {place}" if place else whole,
            url=metadata.get("url") or None,
            date=metadata.get("date") or None,
            license=metadata.get("license") or self.license,
            superseded_by=metadata.get("superseded_by") or None,
            key=f"{self._inside(path)}#{place}" if place else self._inside(path),
        )

    def _metadata(self) -> tuple[dict[str, dict[str, str]], Problem | None]:
        path = self._root / _METADATA
        if not path.is_file():
            return {}, None
        try:
            with path.open(encoding="utf-8-sig", newline="") as file:
                rows = [row for row in csv.DictReader(file) if row["file"]]
                return {row["file"]: {k: v or "" for k, v in row.items() if k} for row in rows}, None
        except (KeyError, csv.Error, UnicodeDecodeError) as bad:
            hint = "a CSV in UTF-8 with a column `file`"
            return {}, Problem(file=str(path), reason=f"not readable: {bad}", hint=hint)


def _in_utf8(name: str) -> str:
    """Return the name of a file as it can be written down, what is not UTF-8 in it as an escape."""
    return name.encode("utf-8", "backslashreplace").decode()


def _heading(text: str, path: Path) -> str | None:
    first = text.lstrip().split("\n", 1)[0].strip()
    if path.suffix.lower() in (".md", ".markdown", ".html", ".htm") and first.startswith("# "):
        return first[2:].strip()
    return None
