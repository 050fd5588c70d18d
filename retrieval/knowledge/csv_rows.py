"""Passages as a CSV table with a header."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping

from tracejury.retrieval.knowledge.fields import Fields
from tracejury.retrieval.knowledge.files import existing_file, file_version
from tracejury.retrieval.records import Document
from tracejury.traces import Problem


class Csv:
    """One document a row. Columns are found by name, or told as for `jsonl`.

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
        self._delimiter = delimiter
        self.version = file_version(self._path)

    def documents(self) -> Iterator[Document | Problem]:
        """Stream the rows; a row without text costs only itself."""
        with self._path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file, delimiter=self._delimiter)
            try:
                for row in rows:
                    yield self._fields.document(row, rows.line_num)
            except (csv.Error, UnicodeDecodeError) as bad:
                yield Problem(
                    file=str(self._path),
                    line=rows.line_num + 1,
                    reason=f"not readable as CSV from here on: {bad}",
                    hint="save it as CSV in UTF-8",
                )
