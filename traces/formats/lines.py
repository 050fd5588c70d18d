"""JSON lines, one at a time, with the place of every line that cannot be read."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError
from pydantic_core import from_json

from tracejury.traces.records import Problem


class Line(NamedTuple):
    """One object of a JSON lines file; `number` from 1."""

    number: int
    data: dict[str, Any]


_PYTHON = re.compile(rb"\s*\{\s*'")
_YAML = re.compile(rb"(?:%YAML|---\s*\n|-\s+[\w-]+:(?:\s|\Z))")
_FOREIGN = (
    (b"\x1f\x8b", "compressed with gzip", "unpack it: gzip -dk {}"),
    (b"\x28\xb5\x2f\xfd", "compressed with Zstandard", "unpack it: zstd -d {}"),
    (b"\xfd7zXZ", "compressed with xz", "unpack it: xz -dk {}"),
    (b"BZh", "compressed with bzip2", "unpack it: bzip2 -dk {}"),
    (b"PK\x03\x04", "a zip archive or a workbook", "unpack it, or save the sheet as CSV in UTF-8"),
    (
        b"SQLite format 3",
        "a SQLite database",
        "write the table as CSV: sqlite3 -header -csv {} 'SELECT ...' > rows.csv",
    ),
    (b"\x80\x04", "a Python pickle", "load it where you trust it, and write its rows with json.dumps"),
    (b"\x80\x05", "a Python pickle", "load it where you trust it, and write its rows with json.dumps"),
    (b"PAR1", "a Parquet table", "write it as the reader's format, such as with pandas: to_json(lines=True)"),
    (b"\xff\xfe", "UTF-16, not UTF-8", "convert it: iconv -f UTF-16 -t UTF-8 {}"),
    (b"\xfe\xff", "UTF-16, not UTF-8", "convert it: iconv -f UTF-16 -t UTF-8 {}"),
)


def foreign(path: Path, head: bytes) -> Problem | None:
    """Return the problem of a file whose first bytes show that it is not UTF-8 text (one problem, not one a line)."""
    for magic, what, hint in _FOREIGN:
        if head.startswith(magic):
            return Problem(file=str(path), reason=f"the file is {what}", hint=hint.format(path.name))
    if path.suffix.lower() in (".yaml", ".yml") or _YAML.match(head):
        hint = "write it as JSON lines: yq -o json FILE, or json.dumps of each entry"
        return Problem(file=str(path), reason="the file is YAML", hint=hint)
    return None


def json_lines(path: Path, wanted: Callable[[bytes], object] | None = None) -> Iterator[Line | Problem]:
    """Yield the objects of a JSON lines file; blank lines are skipped, what is not an object is a problem.

    Args:
        path: The file.
        wanted: Whether a line, not parsed yet, is of any use; the others are skipped.
    """
    try:
        handle = path.open("rb")
    except OSError as error:
        yield unreadable(path, error)
        return
    with handle:
        yield from json_lines_of(handle, path, wanted)


def json_lines_of(
    handle: Iterable[bytes], path: Path, wanted: Callable[[bytes], object] | None = None
) -> Iterator[Line | Problem]:
    """Yield the objects of JSON lines that are read from `handle`; `path` is named in problems."""
    for number, text in enumerate(handle, 1):
        if number == 1:
            if problem := foreign(path, text):
                yield problem
                return
            text = text.removeprefix(b"\xef\xbb\xbf")
        if (wanted is not None and not wanted(text)) or text.isspace() or not text:
            continue
        data = parse(text, path, number)
        if isinstance(data, dict):
            yield Line(number, data)
        elif isinstance(data, Problem):
            yield data
        else:
            reason = f"the line holds {_kind(data)}, not a JSON object"
            yield Problem(file=str(path), line=number, reason=reason, hint="write one {...} a line")


class TextLines:
    """A file's lines as text, counted, for `csv`; bytes that are not UTF-8 are noted in `broken` and replaced."""

    def __init__(self, handle: Iterator[bytes]) -> None:
        self._handle = handle
        self.number = 0
        self.broken = ""

    def __iter__(self) -> TextLines:
        return self

    def __next__(self) -> str:
        raw = next(self._handle)
        self.number += 1
        if self.number == 1:
            raw = raw.removeprefix(b"\xef\xbb\xbf")
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError as error:
            self.broken = f"byte 0x{raw[error.start]:02x} on line {self.number}"
            return raw.decode("utf-8", "replace")


def parse(raw: bytes, path: Path, line: int | None = None) -> object:
    """Return what `raw` holds as JSON, or a `Problem` that says why it holds nothing."""
    try:
        parsed: object = from_json(raw)
        return parsed
    except ValueError:
        pass  # The parser below is slower, and says what is wrong in words that users know.
    try:
        data: object = json.loads(raw.decode("utf-8"))
        if b"\\ud" in raw.lower():
            json.dumps(data, ensure_ascii=False).encode()
        return data
    except UnicodeEncodeError:
        what = "holds half of a surrogate pair (\\ud800 to \\udfff)"
        return Problem(file=str(path), line=line, reason=what, hint="write the whole character")
    except UnicodeDecodeError as error:
        what = f"not valid UTF-8 at byte {error.start} (0x{raw[error.start]:02x})"
        return Problem(
            file=str(path), line=line, reason=what, hint="convert the file, for instance with iconv -t UTF-8"
        )
    except json.JSONDecodeError as error:
        at = error.lineno if line is None else line
        if _PYTHON.match(raw):
            what, hint = "the line is Python, not JSON", "write it with json.dumps(row), not with str(row)"
            return Problem(file=str(path), line=at, reason=what, hint=hint)
        what = f"not valid JSON: {error.msg} at column {error.colno}"
        return Problem(file=str(path), line=at, reason=what, hint="correct the line; all others are read")
    except RecursionError:
        what = "JSON nested too deeply"
        return Problem(file=str(path), line=line, reason=what, hint="flatten or remove the nested value")


def unreadable(path: Path, error: OSError) -> Problem:
    """Return the problem of a file that cannot be opened."""
    return Problem(
        file=str(path), reason=f"cannot be opened: {error.strerror}", hint="check the path and its permissions"
    )


def invalid(path: Path, line: int | None, error: ValidationError, hint: str) -> Problem:
    """Return the problem of a record whose fields do not fit, naming each field."""
    faults = [
        f"{'.'.join(map(str, e['loc'])) or 'record'}: {e['msg'].lower()}" for e in error.errors(include_input=False)
    ]
    more = f"; and {len(faults) - 4} more" if len(faults) > 4 else ""
    return Problem(file=str(path), line=line, reason="; ".join(faults[:4]) + more, hint=hint)


def _kind(data: object) -> str:
    names = {list: "a list", str: "a string", int: "a number", float: "a number", bool: "a truth value"}
    return names.get(type(data), "null")
