"""CSV files, row by row, with the line on which each row begins."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from io import BufferedReader
from pathlib import Path
from typing import NamedTuple

from tracejury.traces.formats.lines import TextLines, foreign, unreadable
from tracejury.traces.records import Problem

_LONGEST_FIELD = 10_000_000


class Row(NamedTuple):
    """One row: column name to text. Without a header the names are `0`, `1`, ..."""

    line: int
    data: dict[str, str]


def csv_rows(path: Path, header: bool, needs: Sequence[str] = ()) -> Iterator[Row | Problem]:
    """Yield the rows of a UTF-8 CSV file, as `csv_rows_of` does."""
    handle = _opened(path)
    if isinstance(handle, Problem):
        yield handle
        return
    with handle:
        yield from csv_rows_of(handle, path, header, needs)


def csv_rows_of(
    handle: Iterable[bytes], path: Path, header: bool, needs: Sequence[str] = (), delimiter: str = ","
) -> Iterator[Row | Problem]:
    """Yield the rows of UTF-8 CSV; a row with too few or too many fields is a problem and reading goes on.

    Args:
        handle: Where the lines are read from.
        path: The file, as problems name it.
        header: Whether the first row names the columns.
        needs: Columns that must be there; with one missing nothing is read.
        delimiter: What separates the fields.
    """
    csv.field_size_limit(_LONGEST_FIELD)
    lines = TextLines(iter(handle))
    rows = csv.reader(lines, strict=True, delimiter=delimiter)
    names: list[str] = []
    while True:
        begins = lines.number + 1
        try:
            row = next(rows)
        except StopIteration:
            break
        except csv.Error as error:
            hint = "look for a quotation mark that is not closed"
            yield Problem(file=str(path), line=begins, reason=f"not valid CSV: {error}", hint=hint)
            rows = csv.reader(lines, strict=True, delimiter=delimiter)
            continue
        if not any(cell.strip() for cell in row):
            continue
        if lines.broken:
            what, lines.broken = f"not valid UTF-8: {lines.broken}; the row is left out", ""
            hint = f"convert the file, such as with iconv -f WINDOWS-1252 -t UTF-8 {path.name}"
            yield Problem(file=str(path), line=begins, reason=what, hint=hint)
            if header and not names:
                return
            continue
        if header and not names:
            names = _unlike([cell.strip() for cell in row])
            if missing := [need for need in needs if need not in names]:
                what = f"the column(s) {', '.join(missing)} are missing; the file has {', '.join(names)[:200]}"
                yield Problem(file=str(path), line=begins, reason=what, hint="choose the reader of this format")
                return
            continue
        if header and len(row) != len(names):
            what = f"the row has {len(row)} fields where the header has {len(names)}"
            yield Problem(file=str(path), line=begins, reason=what, hint="look for an unquoted comma or a cut line")
        else:
            yield Row(begins, dict(zip(names or map(str, range(len(row))), row, strict=True)))
    if not lines.number:
        yield Problem(file=str(path), reason="the file is empty", hint="fetch it again")


def _unlike(names: list[str]) -> list[str]:
    """Return names of columns with a number behind one that stands a second time, so that no column hides another."""
    counts: Counter[str] = Counter()
    unlike = []
    for name in names:
        counts[name] += 1
        unlike.append(name if counts[name] == 1 or not name else f"{name} ({counts[name]})")
    return unlike


def _opened(path: Path) -> BufferedReader | Problem:
    try:
        handle = path.open("rb")
    except OSError as error:
        return unreadable(path, error)
    problem = foreign(path, handle.peek(8))
    if problem is None:
        return handle
    handle.close()
    return problem
