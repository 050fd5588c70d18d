"""Passages as JSON lines, plain or gzip: the shape in which most corpora are shared, and a user's own."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping

from tracejury.retrieval.records import Document
from tracejury.retrieval.sources.fields import Fields
from tracejury.retrieval.sources.files import existing_file, file_version
from tracejury.traces import Problem

_LONGEST = 64 << 20
"""Bytes of a line, unpacked: a small archive can hold a line that fills the memory."""


class Jsonl:
    """One document a line. Fields are found by name, or by `fields={"text": "body", "title": "a {b}"}`.

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
        self._path = existing_file(path, "a .jsonl or .jsonl.gz file")
        self._fields = Fields(str(self._path), name, license, citation, fields)
        self.version = file_version(self._path)
        self.share_read = 0.0
        """The share of the bytes that has been read: a build tells from it how many passages there will be."""

    def documents(self) -> Iterator[Document | Problem]:
        """Stream the lines; a line that is no JSON object, or has no text, costs only itself."""
        number = 0
        try:
            size = max(1, self._path.stat().st_size)
            with self._path.open("rb") as file, gzip.open(file) if self._path.suffix == ".gz" else file as lines:
                for number, line in enumerate(iter(lambda: lines.readline(_LONGEST), b""), 1):
                    if len(line) == _LONGEST:
                        yield self._problem(number, f"a line of more than {_LONGEST >> 20} MB", "is it the right file?")
                        return
                    self.share_read = file.tell() / size
                    if line.strip():
                        yield self._document(number, line)
        except (EOFError, OSError, zlib.error) as broken:
            yield self._problem(number + 1, f"the file breaks off here: {broken}", "fetch the file again")

    def _document(self, number: int, line: bytes) -> Document | Problem:
        try:
            row = json.loads(line)
        except UnicodeDecodeError as bad:
            return self._problem(number, f"not UTF-8: {bad}", "save the file as UTF-8")
        except (ValueError, RecursionError) as bad:
            return self._problem(number, f"not valid JSON: {bad}", "mend or remove the line")
        if not isinstance(row, dict):
            return self._problem(number, "not a JSON object", "write one object a line")
        if b"\\ud" in line.lower() and _halved(row):
            return self._problem(
                number, "holds half of a surrogate pair (\\ud800 to \\udfff)", "write the whole character"
            )
        return self._fields.document(row, number)

    def _problem(self, line: int, reason: str, hint: str) -> Problem:
        return Problem(file=str(self._path), line=line, reason=reason, hint=hint)


def _halved(row: dict[str, object]) -> bool:
    try:
        json.dumps(row, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False
