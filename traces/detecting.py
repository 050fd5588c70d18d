"""Which reader a file is for, seen from what is in it."""

from __future__ import annotations

from pathlib import Path

from tracejury.traces.records import Problem
from tracejury.traces.tables.files import TableRow, table_files, table_rows

_LOOKED_AT = 20
"""Rows in which the fields are looked for; a batch may begin with questions or with traces."""
_SIGNATURES: tuple[tuple[str, frozenset[str]], ...] = (
    ("native", frozenset({"kind", "stem"})),
    ("native", frozenset({"kind", "question", "text"})),
    ("native", frozenset({"kind", "question", "steps"})),
    ("lm-eval", frozenset({"doc", "resps"})),
    ("mirage", frozenset({"qid", "dataset", "mode", "raw"})),
    ("mr-ben", frozenset({"Question_UUID", "Model_Solution_Steps"})),
    ("medec", frozenset({"Text ID", "Error Flag", "Error Sentence ID"})),
    ("clinifact", frozenset({"nctId", "claim", "PMID", "article_abstract"})),
    ("pubmedqa", frozenset({"QUESTION", "CONTEXTS", "final_decision"})),
)
"""Formats that are told by their fields; whatever has none of these is a table."""


def detect_reader(path: Path) -> str:
    """Return the reader for a file or folder: `table` where no published format is recognised."""
    if path.suffix == ".eval" or (path.is_dir() and next(path.rglob("*.eval"), None) is not None):
        return "inspect"
    files = table_files(path)
    if path.suffix == ".html" or (not files and next(path.rglob("*.html"), None) is not None):
        return "vlievin"
    for file in files[:3]:
        if _is_inspect_log(file):
            return "inspect"
        for number, row in enumerate(table_rows(file)):
            if isinstance(row, TableRow):
                for reader, fields in _SIGNATURES:
                    if fields <= row.data.keys() and not (reader == "native" and row.data["kind"] not in _KINDS):
                        return reader
            if number >= _LOOKED_AT or isinstance(row, Problem):
                break
    return "table"


_KINDS = ("question", "trace")


def _is_inspect_log(file: Path) -> bool:
    if file.suffix != ".json":
        return False
    with file.open("rb") as handle:
        head = handle.read(4096)
    return head.lstrip().startswith(b"{") and b'"version"' in head and b'"eval"' in head and b'"status"' in head
