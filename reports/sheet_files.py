"""Sheets as files: XLSX and CSV for those who work in tables, an HTML form that works offline and saves to a file."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import re
import zipfile
import zlib
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from tracejury.ledger import no_formula
from tracejury.reports.quoted_claims import RELATIONS
from tracejury.reports.sheets import ERROR_TYPES, RELATION_CHOICES, VERDICT_CHOICES, VERDICTS, SheetItem
from tracejury.storage import read_utf8

COLUMNS = ("item", "question", "options", "other steps", "STEP TO JUDGE", "verdict", "error type", "note")
QUOTED = ("claim of the step", "cited sentence", "relation")
"""Columns that follow: answered after the verdict, where a sentence was cited."""
GUIDE = (
    "Judge the one marked step (STEP TO JUDGE): is what it states right, in this patient and in medicine?",
    "supported: right as stated. error: something in it is wrong; choose the error type that weighs most.",
    "unclear: you cannot tell from what is here. no claim: it states nothing that could be right or wrong.",
    "Judge the content only: neither tone, nor hedging, nor whether the final answer may be right.",
    "The other steps are there for context. Leave no row empty: unclear is an answer too.",
    "After your verdict, where a sentence of the question or of a reference is cited: does that sentence, by itself,"
    " support the claim, contradict it, or not decide it? Whether the claim is true plays no part in this answer.",
)
_ANSWERS = ("item", "verdict", "error type", "note", "relation")
_CELL = 32_000
_UNPACKED = 100 << 20
"""Bytes that a workbook that came back may unpack to: a sheet of a thousand long steps has two MB."""
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


def write_csv(path: Path, items: Sequence[SheetItem]) -> None:
    """Write the sheet as CSV (UTF-8 with a mark, so that spreadsheets read it as such)."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow([*COLUMNS, *QUOTED])
    writer.writerows(
        [*map(no_formula, _cells(item)), "", "", "", *map(no_formula, _quoted(item)), ""] for item in items
    )
    path.write_text("\ufeff" + buffer.getvalue(), encoding="utf-8", newline="")


def write_xlsx(path: Path, items: Sequence[SheetItem], sheet: str) -> None:
    """Write the sheet as XLSX, with lists to choose verdict and error type from."""
    from openpyxl import Workbook
    from openpyxl.styles import Alignment, Font, PatternFill
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.datavalidation import DataValidation

    book = Workbook()
    guide = book.active
    guide.title = "Read first"
    for line in (_CONTROL.sub("", f"Sheet {sheet}"), *GUIDE):
        guide.append([line])
    guide.column_dimensions["A"].width = 120
    page = book.create_sheet("Steps")
    page.append([*COLUMNS, *QUOTED])
    for item in items:
        page.append([*_cells(item), None, None, None, *_quoted(item), None])
        for cell in page[page.max_row]:
            # A trace may begin with "=": it is text, never a formula.
            cell.data_type = "s" if cell.value is not None else cell.data_type
            cell.alignment = Alignment(wrap_text=True, vertical="top")
    for cell in page[1]:
        cell.font = Font(bold=True)
    for i, width in enumerate((8, 60, 30, 60, 70, 14, 24, 40, 40, 60, 16), start=1):
        page.column_dimensions[get_column_letter(i)].width = width
    for row in page.iter_rows(min_row=2, min_col=5, max_col=5):
        row[0].fill = PatternFill("solid", fgColor="FFF6D6")
    for column, choices in (("F", VERDICTS), ("G", ERROR_TYPES), ("K", RELATIONS)):
        rule = DataValidation(type="list", formula1=f'"{",".join(choices)}"', allow_blank=True)
        rule.error, rule.showErrorMessage = "Choose one from the list", True
        page.add_data_validation(rule)
        rule.add(f"{column}2:{column}{len(items) + 1}")
    page.freeze_panes = "B2"
    book.active = 1
    book.save(path)


def write_form(path: Path, items: Sequence[SheetItem], sheet: str) -> None:
    """Write the sheet as one HTML file that needs no network and keeps what is entered in the browser until saved."""
    from jinja2 import Environment, PackageLoader

    room = files("tracejury.reports").joinpath("templates")
    own = {kind: room.joinpath(f"form.{end}").read_text("utf-8") for kind, end in (("style", "css"), ("script", "js"))}
    page = Environment(loader=PackageLoader("tracejury.reports", "templates"), autoescape=True).get_template(
        "form.html"
    )
    context = {"sheet": sheet, "items": items, "guide": GUIDE, "verdicts": VERDICT_CHOICES}
    context |= {"error_types": ERROR_TYPES, "relations": RELATION_CHOICES}
    path.write_text(
        page.render(**context, **own, allowed={k: allowed(text) for k, text in own.items()}), encoding="utf-8"
    )


def allowed(text: str) -> str:
    """Return the content-security-policy source that allows this inline text and no other."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def read_rows(path: Path) -> tuple[str | None, list[dict[str, str]]]:
    """Read a sheet that came back: (the expert's name where the file says it, rows of item, verdict, type, note).

    Raises:
        ValueError: The file is not a sheet; the message says what it lacks.
    """
    if path.suffix == ".json":
        try:
            body = json.loads(read_utf8(path))
            return body.get("expert") or None, [{k: str(v or "") for k, v in row.items()} for row in body["rows"]]
        except (json.JSONDecodeError, KeyError, AttributeError, TypeError) as error:
            raise ValueError(f"{path}: not a file that the form saved ({error})") from error
    if path.suffix == ".xlsx":
        table = _table(path)
    elif path.suffix == ".csv":
        table = list(csv.reader(io.StringIO(read_utf8(path))))
    else:
        raise ValueError(f"{path}: a sheet comes back as .xlsx, .csv or the .json that the form saves")
    head = [name.strip().lower() for name in table[0]] if table else []
    if missing := [name for name in ("item", "verdict", "error type") if name not in head]:
        raise ValueError(f"{path}: no column {missing[0]!r} in the first row; found {', '.join(head) or 'nothing'}")
    at = {name: head.index(name) for name in _ANSWERS if name in head}
    keys = {"error type": "error_type"}
    rows = [{keys.get(k, k): row[i] if i < len(row) else "" for k, i in at.items()} for row in table[1:]]
    return None, [row for row in rows if any(row.values())]


def _table(path: Path) -> list[list[str]]:
    from openpyxl import load_workbook

    try:
        with zipfile.ZipFile(path) as archive:
            if sum(part.file_size for part in archive.infolist()) > _UNPACKED:
                raise ValueError(
                    f"{path}: unpacks to more than {_UNPACKED >> 20} MB, which no sheet does; ask who sent it"
                )
        book = load_workbook(path, read_only=True)
        page = book["Steps"] if "Steps" in book.sheetnames else book[book.sheetnames[-1]]
        table = [["" if v is None else str(v) for v in row] for row in page.iter_rows(values_only=True)]
    except (zipfile.BadZipFile, KeyError, IndexError, TypeError, SyntaxError, zlib.error) as broken:
        raise ValueError(f"{path}: not a readable workbook ({broken}); open it and save it again") from broken
    book.close()
    return table


def _cells(item: SheetItem) -> list[str]:
    options = "\n".join(f"{letter}. {text}" for letter, text in item.options.items())
    texts = (item.item, item.stem, options, "\n".join(item.context), item.step)
    return [_fitted(_CONTROL.sub("", text)) for text in texts]


def _quoted(item: SheetItem) -> list[str]:
    texts = (item.quoted.claim, item.quoted.sentence) if item.quoted else ("", "")
    return [_fitted(_CONTROL.sub("", text)) for text in texts]


def _fitted(text: str) -> str:
    """Keep within what a spreadsheet's cell holds (32,767 characters), and say so in the cell."""
    if len(text) <= _CELL:
        return text
    return f"{text[:_CELL]}\n[{len(text) - _CELL:,} more characters do not fit into a cell: see the HTML form]"
