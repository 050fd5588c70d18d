"""Guidelines in the XML of the National Guideline Clearinghouse (AHRQ, closed in 2018)."""

from __future__ import annotations

import lzma
import tarfile
import zlib
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from xml.etree.ElementTree import Element

from rapidfuzz import fuzz, process, utils

from tracejury.retrieval.fusion import iso_date
from tracejury.retrieval.records import Document
from tracejury.retrieval.sources.files import file_version, files_version
from tracejury.retrieval.sources.html_text import html_text
from tracejury.retrieval.sources.xml_files import parse_xml
from tracejury.traces import Problem

FIELDS = (
    "Major Recommendations",
    "Potential Benefits",
    "Potential Harms",
    "Contraindications",
    "Qualifying Statements",
    "Interventions and Practices Considered",
    "Target Population",
)
"""What is clinical in a summary; the rest is about how it was made."""
_CURRENT = "this is the current release"
_SAME_TITLE = 92
_LARGEST = 50_000_000


class Ngc:
    """Guideline summaries, one document a field. A guideline that another of the set updates is marked superseded.

    Args:
        path: A folder of XML files, a `.tar.gz` of them, or one file.
        name: What the source is called in the index.
    """

    license = "each summary's own statement"

    def __init__(self, path: str, name: str = "ngc") -> None:
        self.name = name
        self._path = Path(path).expanduser()
        if not self._path.exists():
            raise FileNotFoundError(f"{self._path}: no such file or folder; give a folder of XML files or a .tar.gz")

    @cached_property
    def version(self) -> str:
        """A hash of the files."""
        return files_version(self._path.rglob("*.xml")) if self._path.is_dir() else file_version(self._path)

    def documents(self) -> Iterator[Document | Problem]:
        """Yield the clinical fields of each guideline."""
        guidelines: list[tuple[str, dict[str, str]]] = []
        for file, raw in self._files():
            if isinstance(raw, Problem):
                yield raw
                continue
            root = parse_xml(raw, file, "Version", "NGC guideline XML")
            if isinstance(root, Problem):
                yield root
                continue
            fields = _fields(root)
            if "Guideline Title" in fields and any(f in fields for f in FIELDS):
                guidelines.append((Path(file).stem, fields))
            else:
                yield Problem(file=file, reason="has no title or no recommendations", hint="is it an NGC guideline?")
        newer = _updated_titles(guidelines)
        for key, fields in guidelines:
            yield from self._guideline(key, fields, newer.get(key))

    def _guideline(self, key: str, fields: dict[str, str], newer: str | None) -> Iterator[Document]:
        status = fields.get("Guideline Status", "")
        superseded = newer or (None if _CURRENT in status.lower() or not status else status.split("\n")[0])
        for name in FIELDS:
            if fields.get(name):
                yield Document(
                    source=self.name,
                    title=f"{fields['Guideline Title'].rstrip('.')}: {name}",
                    text=fields[name],
                    citation=fields.get("Bibliographic Source(s)") or fields["Guideline Title"],
                    date=fields.get("Date Released"),
                    license=fields.get("Copyright Statement") or self.license,
                    superseded_by=superseded,
                    key=f"{key}/{name}",
                )

    def _files(self) -> Iterator[tuple[str, bytes | Problem]]:
        if self._path.is_dir():
            paths = sorted(self._path.rglob("*.xml"))
            if not paths:
                yield (
                    str(self._path),
                    Problem(file=str(self._path), reason="no XML file here", hint="give their folder"),
                )
            yield from ((str(p), p.read_bytes()) for p in paths)
        elif tarfile.is_tarfile(self._path):
            # Members are read, never unpacked: a path that climbs out of the archive leads nowhere.
            try:
                with tarfile.open(self._path) as archive:
                    for member in archive:
                        if member.isfile() and member.name.endswith(".xml"):
                            yield f"{self._path}:{member.name}", _member(archive, member, self._path)
            except (tarfile.TarError, EOFError, OSError, zlib.error, lzma.LZMAError) as broken:
                reason = f"the archive breaks off here: {broken}"
                yield str(self._path), Problem(file=str(self._path), reason=reason, hint="fetch the archive again")
        else:
            yield str(self._path), self._path.read_bytes()


def _member(archive: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> bytes | Problem:
    if member.size > _LARGEST:
        return Problem(file=f"{path}:{member.name}", reason=f"unpacks to {member.size:,} bytes", hint="remove it")
    stream = archive.extractfile(member)
    return stream.read() if stream else b""


def _fields(root: Element) -> dict[str, str]:
    texts: dict[str, str] = {}
    for field in root.iter("Field"):
        values = [html_text(value.get("Value", ""))[1] for value in field.iter("FieldValue")]
        texts.setdefault(field.get("Name", ""), "\n".join(v for v in values if v))
    return {name: text for name, text in texts.items() if text}


def _updated_titles(guidelines: list[tuple[str, dict[str, str]]]) -> dict[str, str]:
    """Return, for each guideline of the set that a newer one of the set says it updates, the newer one's title."""
    titles = {key: fields["Guideline Title"] for key, fields in guidelines}
    newer: dict[str, str] = {}
    for key, fields in guidelines:
        _, updates, old = fields.get("Guideline Status", "").partition("updates a previous version")
        if not updates:
            continue
        others = {k: t for k, t in titles.items() if k != key}
        matches = process.extract(
            old, others, scorer=fuzz.partial_ratio, processor=utils.default_process, score_cutoff=_SAME_TITLE
        )
        for _, _, other in matches:
            if iso_date(dict(guidelines)[other].get("Date Released", "")) < iso_date(fields.get("Date Released", "")):
                newer[other] = f"{titles[key]} ({fields.get('Date Released', 'no date')})"
    return newer
