"""Writing step rows: JSON lines, CSV, Parquet. Streams; memory holds one block of rows."""

from __future__ import annotations

import csv
import json
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Literal, TextIO, get_args, get_origin

from tracejury.ledger.rows import StepRow
from tracejury.traces import Record

if TYPE_CHECKING:
    import pyarrow as pa

_BLOCK = 2000


def write_rows(rows: Iterable[StepRow], form: Literal["jsonl", "csv", "parquet"] | str, to: Path | TextIO) -> int:
    """Write `rows` to a file or stream and return how many.

    Raises:
        ValueError: Parquet to a stream.
        ModuleNotFoundError: Parquet without pyarrow; the message says what to install.
    """
    if form == "parquet":
        if not isinstance(to, Path):
            raise ValueError("Parquet goes to a file")
        return _parquet(iter(rows), to)
    writer = _jsonl if form == "jsonl" else _csv
    if isinstance(to, Path):
        with to.open("w", encoding="utf-8", newline="") as file:
            return writer(rows, file)
    return writer(rows, to)


def _jsonl(rows: Iterable[StepRow], file: TextIO) -> int:
    count = 0
    for row in rows:
        file.write(row.model_dump_json() + "\n")
        count += 1
    return count


def _csv(rows: Iterable[StepRow], file: TextIO) -> int:
    table = csv.writer(file)
    table.writerow(StepRow.model_fields)
    count = 0
    for row in rows:
        table.writerow(_cell(value) for value in row.model_dump(mode="json").values())
        count += 1
    return count


def _cell(value: object) -> object:
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return no_formula(value) if isinstance(value, str) else value


def no_formula(text: str, signs: str = "=+-@") -> str:
    """Return text for a cell: with an apostrophe before it where a spreadsheet would run it (OWASP, CSV injection).

    Blanks, line feeds and invisible characters before a sign do not hide it, nor does its full-width form.

    Args:
        text: The cell.
        signs: What a formula begins with; tables of figures leave out the minus.
    """
    bare = unicodedata.normalize("NFKC", text.lstrip("".join(_IGNORED)))
    return f"'{text}" if (bare[:1] and bare[0] in signs) or text[:1] in ("\t", "\r", "\n") else text


_IGNORED = (*" \t\r\n\v\f", "\xa0", "\u200b", "\u200e", "\u200f", "\u2060", "\u3000", "\ufeff")


def _parquet(rows: Iterator[StepRow], path: Path) -> int:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ModuleNotFoundError:
        raise ModuleNotFoundError("Parquet needs pyarrow: pip install 'tracejury[reports]'") from None
    schema = _schema()
    count = 0
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        while block := [_flat(row) for row in islice(rows, _BLOCK)]:
            writer.write_table(pa.Table.from_pylist(block, schema=schema))
            count += len(block)
    return count


def _flat(row: StepRow) -> dict[str, object]:
    body = row.model_dump(mode="json")
    body["meta"] = json.dumps(body["meta"], ensure_ascii=False)
    return body


def _schema() -> pa.Schema:
    """Columns are declared, not inferred: a first block without a single error must not fix the type as null."""
    import pyarrow as pa

    return pa.schema([(name, _column(field.annotation)) for name, field in StepRow.model_fields.items()])


def _column(annotation: Any) -> pa.DataType:
    """Return the column type of a field: numbers, flags, lists and records as they are, all else as text."""
    import pyarrow as pa

    choices = [part for part in get_args(annotation) if part is not NoneType]
    if get_origin(annotation) is tuple:
        return pa.list_(_column(choices[0]))
    if get_origin(annotation) is UnionType:
        return _column(choices[0])
    if isinstance(annotation, type) and issubclass(annotation, Record):
        return pa.struct([(name, _column(field.annotation)) for name, field in annotation.model_fields.items()])
    return {bool: pa.bool_(), int: pa.int64(), float: pa.float64()}.get(annotation, pa.string())
