"""The rows of a table in a file or folder, whatever it is stored as. What a file is, its content says, not its name."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import itertools
import json
import lzma
import math
import sys
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any, NamedTuple

from tracejury.traces.formats.lines import Line, foreign, json_lines_of, unreadable
from tracejury.traces.formats.rows import Row, csv_rows_of
from tracejury.traces.records import Problem, Severity
from tracejury.traces.tables import names
from tracejury.traces.tables.arrow_rows import arrow_rows, dataset_folders, dataset_rows, parquet_rows
from tracejury.traces.tables.exported_rows import plain_row
from tracejury.traces.tables.json_values import is_whole, json_in, rows_in

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

SUFFIXES = (".csv", ".tsv", ".parquet", ".json", ".jsonl", ".ndjson", ".arrow")
PACKED_SUFFIXES = (".gz", ".zst", ".xz", ".bz2")
_OPENERS: Mapping[bytes, Any] = {
    b"\x1f\x8b": gzip.open,
    b"\x28\xb5\x2f\xfd": zstd.open,
    b"\xfd7zXZ": lzma.open,
    b"BZh": bz2.open,
}
_BROKEN = (OSError, EOFError, zlib.error, lzma.LZMAError, zstd.ZstdError)
_SNIFFED = 1 << 16
WITHOUT_HEADER = "column_"
"""Name of a column of a file without a header line, before its number from 1."""
_PROSE = 80
"""Characters from which a cell is no name of a column, where the cell below it is as long."""
_NAME = 40
"""Characters up to which the first line of a file may be the name of its only column."""
_PROSE_SUFFIXES = (".txt", ".md", ".log", ".rst", ".text")
_PROSE_HINT = (
    'write one JSON object a line, {"question": "...", "response": "..."}, with "options" and "gold" where there are '
    "some: FILE.jsonl (`tracejury read --help` has the formats)"
)
_EMPTY = {"", "nan", "null", "none", "<na>"}
"""Cells, in small letters, in which nothing stands."""
_LONGEST_EMPTY = max(map(len, _EMPTY))
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


class TableRow(NamedTuple):
    """One row; `line` is its line in a text file, or its number from 1."""

    file: Path
    line: int | None
    data: dict[str, Any]


def table_rows(path: Path) -> Iterator[TableRow | Problem]:
    """Yield the rows of a file, of every table in a folder, or of a Hugging Face data set on disk.

    Numbers that are no numbers (NaN, infinity) become None. A row that cannot be read is a problem and costs itself.
    """
    if folders := dataset_folders(path):
        for folder, split in folders:
            yield from _numbered(folder, dataset_rows(folder), {} if split is None else {"split": split})
        return
    files = table_files(path)
    if not files:
        kinds = ", ".join(SUFFIXES)
        yield Problem(file=str(path), reason="the folder holds no table", hint=f"name a file; these are read: {kinds}")
    for file in files:
        yield from _file_rows(file)


def table_files(path: Path) -> list[Path]:
    """Return `path` itself, or the tables in a folder, sorted; a batch's own `problems.jsonl` is not one of them."""
    if not path.is_dir():
        return [path]
    return sorted(
        file
        for file in path.rglob("*")
        if _unpacked_name(file).endswith(SUFFIXES)
        and file.name not in ("problems.jsonl", "labels.jsonl", "dataset_infos.json")
        and not any(part.startswith(".") for part in file.relative_to(path).parts)
    )


def _unpacked_name(file: Path) -> str:
    return file.name.lower().removesuffix(file.suffix if file.suffix in PACKED_SUFFIXES else "")


def _file_rows(file: Path) -> Iterator[TableRow | Problem]:
    try:
        with file.open("rb") as handle:
            head = handle.read(8)
        if head.startswith(b"PAR1"):
            yield from _numbered(file, parquet_rows(file), {})
            return
        if head.startswith((b"ARROW1", b"\xff\xff\xff\xff")):
            yield from _numbered(file, arrow_rows(file), {})
            return
        opener = next((opener for magic, opener in _OPENERS.items() if head.startswith(magic)), None)
        if head.startswith(_UTF_16):
            yield from _text_rows(file, io.BufferedReader(io.BytesIO(_as_utf_8(file.read_bytes()))))
            return
        if opener is None and (problem := foreign(file, head)):
            yield problem
            return
        with (opener or open)(file, "rb") as stream:
            yield from _text_rows(file, io.BufferedReader(stream) if opener else stream)
    except _BROKEN as error:
        if isinstance(error, OSError) and error.strerror:
            yield unreadable(file, error)
        else:
            reason = f"the file breaks off or is damaged: {error}"
            yield Problem(file=str(file), reason=reason, hint="fetch it again; what stands before the damage is read")


def _as_utf_8(raw: bytes) -> bytes:
    """Return text of UTF-16, as spreadsheets write it ("Unicode text"), in UTF-8; what is broken becomes U+FFFD."""
    return raw.decode("utf-16", "replace").encode("utf-8", "replace")


def _text_rows(file: Path, stream: IO[bytes]) -> Iterator[TableRow | Problem]:
    head: bytes = stream.peek(_SNIFFED)[:_SNIFFED].removeprefix(b"\xef\xbb\xbf").lstrip()  # type: ignore[attr-defined]
    if problem := foreign(file, head):
        yield problem
    elif not head:
        yield Problem(file=str(file), reason="the file is empty", hint="fetch it again")
    elif head[:1] == b"[" or (head[:1] == b"{" and not _is_lines(file, head)):
        yield from _json_rows(file, stream.read())
    elif head[:1] == b"{":
        for line in json_lines_of(stream, file):
            yield TableRow(file, line.number, cleaned(line.data)) if isinstance(line, Line) else line
    else:
        delimiter = _delimiter(file, head)
        if is_prose(file, head, delimiter):
            yield Problem(file=str(file), reason="the file is prose, not a table", hint=_PROSE_HINT)
            return
        if _is_windows_text(head):
            reason = "the file is not UTF-8; it is read as Windows-1252, as spreadsheets of Western Europe write it"
            hint = "if letters come out wrong: iconv -f ENCODING -t UTF-8 FILE"
            yield Problem(file=str(file), reason=reason, hint=hint, severity=Severity.WARNING)
            stream = io.BytesIO(stream.read().decode("cp1252", "replace").encode())
        header = not is_without_header(head, delimiter)
        for row in csv_rows_of(stream, file, header=header, delimiter=delimiter):
            yield TableRow(file, row.line, _cells(row, header)) if isinstance(row, Row) else row


def _is_lines(file: Path, head: bytes) -> bool:
    """Whether a text that begins with an object is JSON lines: an object on the first line, and more behind it."""
    if _unpacked_name(file).endswith((".jsonl", ".ndjson")):
        return True
    first, _, rest = head.partition(b"\n")
    if not rest.strip():
        # A first line that is longer than what was looked at is a line of its own.
        return len(head) >= _SNIFFED - 8
    try:
        return isinstance(json.loads(first), dict)
    except (ValueError, RecursionError):
        # A broken first line costs itself where whole lines follow.
        return rest.lstrip()[:1] == b"{"


def _json_rows(file: Path, raw: bytes) -> Iterator[TableRow | Problem]:
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        at = raw.count(b"\n", 0, error.start) + 1
        what = f"not valid UTF-8 at byte {error.start} (0x{raw[error.start]:02x})"
        yield Problem(file=str(file), line=at, reason=what, hint="convert it, for instance with iconv -t UTF-8")
        return
    number, has_escapes = itertools.count(1), b"\\ud" in raw.lower()
    for line, value in _json_values(text):
        if isinstance(value, json.JSONDecodeError):
            reason = f"not valid JSON: {value.msg} at column {value.colno}"
            yield Problem(
                file=str(file), line=value.lineno, reason=reason, hint="correct the entry; all others are read"
            )
        elif has_escapes and not is_whole(value):
            reason, hint = "holds half of a surrogate pair (\\ud800 to \\udfff)", "write the whole character"
            yield Problem(file=str(file), line=line, reason=reason, hint=hint)
        elif isinstance(value, Mapping) and line is not None:
            yield TableRow(file, line, cleaned(value))
        elif isinstance(value, Mapping):
            yield from (TableRow(file, next(number), cleaned(row)) for row in rows_in(value))
        else:
            reason = f"an entry is {type(value).__name__}, not an object"
            yield Problem(file=str(file), line=line, reason=reason, hint="write one {...} an entry")


def _json_values(text: str) -> Iterator[tuple[int | None, object]]:
    """Yield the elements of a JSON list with their lines, or whole objects (one or several) without; or a fault."""
    decoder = json.JSONDecoder()
    at = _skip(text, 0)
    is_list = text[at : at + 1] == "["
    at = _skip(text, at + 1) if is_list else at
    line, counted = 1, 0
    while at < len(text) and not (is_list and text[at] == "]"):
        line, counted = line + text.count("\n", counted, at), at
        try:
            value, at = decoder.raw_decode(text, at)
            yield (line if is_list else None), value
        except json.JSONDecodeError as error:
            yield line, error
            # The next entry begins after "}, {" or on a line of its own.
            following = text.find("{", max(error.pos, at + 1))
            while following >= 0 and text[:following].rstrip()[-1:] not in (",", "}"):
                following = text.find("{", following + 1)
            if following < 0:
                return
            at = following
            continue
        except RecursionError:
            yield line, json.JSONDecodeError("nested too deeply", text, at)
            return
        at = _skip(text, at)
        if text[at : at + 1] == ",":
            at = _skip(text, at + 1)
    if is_list and at >= len(text):
        yield line, json.JSONDecodeError("the list has no end: the file may be cut off", text, len(text))


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    return at


def _delimiter(file: Path, head: bytes) -> str:
    header = head.partition(b"\n")[0].decode("utf-8", "replace")
    preferred = "\t" if ".tsv" in file.name.lower() else ","
    return max((preferred, ",", "\t", ";", "|"), key=lambda sign: header.count(sign))


def is_prose(file: Path, head: bytes, delimiter: str) -> bool:
    """Whether a text is no table: its first line is one cell, and no name of a column."""
    first = head.partition(b"\n")[0].decode("utf-8", "replace").strip()
    if delimiter in first and not _unpacked_name(file).endswith(_PROSE_SUFFIXES):
        return False
    cells = first.split(delimiter)
    is_name = any(len(cell) <= _NAME and names.is_known(cell) for cell in cells)
    return not is_name and (_unpacked_name(file).endswith(_PROSE_SUFFIXES) or len(first) >= _PROSE)


def _is_windows_text(head: bytes) -> bool:
    """Whether no line with letters beyond ASCII is valid UTF-8, and there are several."""
    lines = [line for line in head.split(b"\n")[:-1] if not line.isascii()]
    return len(lines) > 1 and not any(_is_utf_8(line) for line in lines)


def _is_utf_8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def is_without_header(head: bytes, delimiter: str) -> bool:
    """Whether the first line of a CSV file is a row: a cell of it, and the one below, is prose."""
    rows = csv.reader(io.StringIO(head.decode("utf-8", "replace")), delimiter=delimiter)
    try:
        first, second = next(rows, []), next(rows, [])
    except csv.Error:
        return False
    return any(min(len(above), len(below)) >= _PROSE for above, below in zip(first, second, strict=False))


def _cells(row: Row, header: bool) -> dict[str, Any]:
    if not header:
        return {f"{WITHOUT_HEADER}{int(place) + 1}": text for place, text in row.data.items()}
    return {
        name: None if _is_empty(text) else _object_in(text)
        for name, text in row.data.items()
        # pandas writes its row numbers into a column without a name.
        if name and not name.startswith("Unnamed: ")
    }


def _is_empty(cell: str) -> bool:
    text = cell.strip()
    return len(text) <= _LONGEST_EMPTY and text.lower() in _EMPTY


def _object_in(cell: str) -> object:
    """Return the object or the messages that a cell holds as JSON (exports of tracing tools do); else the cell."""
    if not (cell.startswith(("{", "[{")) and cell.endswith(("}", "}]"))):
        return cell
    value = json_in(cell)
    if isinstance(value, list) and all(isinstance(part, dict) and "role" in part for part in value):
        return value
    return value if isinstance(value, dict) and value else cell


def _numbered(
    file: Path, rows: Iterator[dict[str, Any] | Problem], more: Mapping[str, Any]
) -> Iterator[TableRow | Problem]:
    for number, row in enumerate(rows, 1):
        yield row if isinstance(row, Problem) else TableRow(file, number, {**more, **cleaned(row)})


def cleaned(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row as JSON has it: NaN and infinity as None, whatever JSON does not know as text."""
    return _json_object(plain_row(value))


_AS_IT_IS = {str, int, bool, type(None)}


def _json_object(value: Mapping[Any, Any]) -> dict[str, Any]:
    return {
        name if type(name) is str else str(name): part if type(part) in _AS_IT_IS else _json_value(part)
        for name, part in value.items()
    }


def _json_value(value: Any) -> Any:
    if value is None or isinstance(value, str | int | bool):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict | Mapping):
        return _json_object(value)
    if isinstance(value, list | tuple):
        return [part if type(part) in _AS_IT_IS else _json_value(part) for part in value]
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
