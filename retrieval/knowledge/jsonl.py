"""Passages as JSON lines, plain or gzip: the shape in which most corpora are shared, and a user's own."""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tracejury.retrieval.records import Document
from tracejury.traces import Problem

DEFAULT_FIELDS: Mapping[str, Sequence[str]] = {
    "key": ("id", "key", "_id", "pmid"),
    "title": ("title", "name", "heading"),
    "text": ("text", "contents", "content", "body", "answer"),
    "citation": ("citation", "reference"),
    "url": ("url", "link", "doi"),
    "date": ("date", "date_released", "published", "year"),
    "license": ("license", "licence"),
    "superseded_by": ("superseded_by",),
}


class Jsonl:
    """One document a line. Fields are found by name, or told: `fields={"text": "body", "title": "a {b}"}`.

    Args:
        path: A `.jsonl` or `.jsonl.gz` file.
        name: What the source is called in the index.
        license: The licence of every line that names none.
        citation: The citation of every line that has none; `{field}` takes a field of the line.
        fields: Document field -> field of the line, or a template with `{field}`.
    """

    def __init__(
        self,
        path: str,
        name: str = "jsonl",
        license: str = "unknown",
        citation: str = "",
        fields: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self.license = license
        self._path = Path(path).expanduser()
        if not self._path.is_file():
            raise FileNotFoundError(f"{self._path}: no such file; give the path of a .jsonl or .jsonl.gz file")
        self._fields = dict(fields or {})
        self._citation = citation
        self.version = file_version(self._path)

    def documents(self) -> Iterator[Document | Problem]:
        """Stream the lines; a line that is no JSON object, or has no text, costs only itself."""
        number = 0
        try:
            with gzip.open(self._path, "rb") if self._path.suffix == ".gz" else self._path.open("rb") as lines:
                for number, line in enumerate(lines, 1):
                    if line.strip():
                        yield self._document(number, line)
        except (EOFError, OSError, zlib.error) as broken:
            yield self._problem(number + 1, f"the file breaks off here: {broken}", "fetch the file again")

    def _document(self, number: int, line: bytes) -> Document | Problem:
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as bad:
            return self._problem(number, f"not valid JSON: {bad}", "mend or remove the line")
        if not isinstance(row, dict):
            return self._problem(number, "not a JSON object", "write one object a line")
        text = self._value(row, "text")
        if not text or not text.strip():
            wanted = self._fields.get("text") or " / ".join(DEFAULT_FIELDS["text"])
            return self._problem(number, f"no text under {wanted!r}", "name the field with fields={'text': ...}")
        title = self._value(row, "title") or self._path.name
        return Document(
            source=self.name,
            title=title,
            text=text,
            citation=self._value(row, "citation") or (fill(self._citation, row) if self._citation else title),
            url=self._value(row, "url"),
            date=self._value(row, "date"),
            license=self._value(row, "license") or self.license,
            superseded_by=self._value(row, "superseded_by"),
            key=self._value(row, "key") or str(number),
        )

    def _value(self, row: Mapping[str, Any], field: str) -> str | None:
        told = self._fields.get(field)
        if told is not None:
            value = fill(told, row) if "{" in told else row.get(told)
        else:
            value = next((row[name] for name in DEFAULT_FIELDS[field] if row.get(name) not in (None, "")), None)
        return None if value is None else str(value)

    def _problem(self, line: int, reason: str, hint: str) -> Problem:
        return Problem(file=str(self._path), line=line, reason=reason, hint=hint)


def fill(template: str, row: Mapping[str, Any]) -> str:
    """Fill `{field}` from `row` in one pass; a missing field gives nothing, braces in values stay as they are."""
    out: list[str] = []
    for piece in template.split("{"):
        name, brace, rest = piece.partition("}")
        out.append(piece if not brace or not out else f"{row.get(name) or ''}{rest}")
    return "".join(out)


def file_version(path: Path) -> str:
    """Return a version that changes with the file's content: 12 hex digits of its SHA-256."""
    with path.open("rb") as file:
        return "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()[:12]
