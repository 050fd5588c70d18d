"""Passages as a CSV table with a header."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping

from tracejury.retrieval.records import Document
from tracejury.retrieval.sources.fields import Fields
from tracejury.retrieval.sources.files import existing_file, file_version
from tracejury.traces import Problem, TextLines

_LONGEST_FIELD = 40_000_000
"""Characters: a whole document may stand in one field, as large as `documents` takes a file."""


class Csv:
    """One document a row. Columns are found by name, or by `fields` as for `jsonl`.

    Args:
        path: A `.csv` file in UTF-8, with a header.
        name: What the source is called in the index.
        license: The licence of every row that names none.
        citation: The citation of every row that has none; `{column}` takes a column.
        fields: Document field -> column, or a template with `{column}`.
        delimiter: What separates columns.
    """

    def __init__(
        self,
        path: str,
        name: str = "csv",
        license: str = "unknown",
        citation: str = "",
        fields: Mapping[str, str] | None = None,
        delimiter: str = ",",
    ) -> None:
        self.name = name
        self.license = license
        self._path = existing_file(path, "a .csv file")
        self._fields = Fields(str(self._path), name, license, citation, fields)
        if len(delimiter) != 1:
            raise ValueError(f"csv: delimiter={delimiter!r}: give one character, such as --set 'delimiter=;'")
        self._delimiter = delimiter
        self.version = file_version(self._path)

    def documents(self) -> Iterator[Document | Problem]:
        """Stream the rows; a row without text, or that is not UTF-8, costs only itself."""
        csv.field_size_limit(_LONGEST_FIELD)
        with self._path.open("rb") as file:
            lines = TextLines(file)
            rows = csv.DictReader(lines, delimiter=self._delimiter)
            try:
                for row in rows:
                    if lines.broken:
                        what, lines.broken = f"not valid UTF-8: {lines.broken}; the row is left out", ""
                        yield self._problem(rows.line_num, what, "save it as CSV in UTF-8")
                    else:
                        yield self._fields.document(row, rows.line_num)
            except csv.Error as bad:
                what = f"not readable as CSV from here on: {bad}"
                yield self._problem(rows.line_num, what, "look for a quotation mark that is not closed")

    def _problem(self, line: int, reason: str, hint: str) -> Problem:
        return Problem(file=str(self._path), line=line, reason=reason, hint=hint)
