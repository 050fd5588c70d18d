"""Reading one document file through a well-kept library; whatever is wrong with it becomes one clear error."""

from __future__ import annotations

import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from tracejury.retrieval.sources.html_text import html_text

_INSTALL = "pip install 'tracejury[sources]'"
_UNPACKED_MB = 24
"""Of XML in a Word document: the parser takes ten times as much memory. Images do not count."""
# What zipfile, its decompressors and the parsers behind them raise for a spoiled file, beside their own errors.
_SPOILED = (
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    RuntimeError,
    ArithmeticError,
    AssertionError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    SyntaxError,
    OSError,
)


class UnreadableError(ValueError):
    """A file cannot be read. Holds the reason and the next step apart."""

    def __init__(self, reason: str, hint: str) -> None:
        super().__init__(f"{reason} ({hint})")
        self.reason = reason
        self.hint = hint


def read_pdf(path: Path) -> Iterator[tuple[str, str]]:
    """Yield (`p. N`, text) for each page.

    Raises:
        UnreadableError: Broken, or encrypted with a password.
    """
    try:
        from pypdf import PdfReader
        from pypdf.errors import DependencyError, PyPdfError
    except ModuleNotFoundError:
        raise UnreadableError("reading PDF needs pypdf", _INSTALL) from None
    try:
        reader = PdfReader(path)
        if reader.is_encrypted and not reader.decrypt(""):
            raise UnreadableError("encrypted with a password", "save it without one")
        for number, page in enumerate(reader.pages, 1):
            yield f"p. {number}", _whole(page.extract_text())
    except DependencyError as missing:
        raise UnreadableError(f"encrypted: {missing}", _INSTALL) from missing
    # A broken PDF makes pypdf raise whatever its parts raise: its own errors, and those of a parser fed with nonsense.
    except (PyPdfError, *_SPOILED) as broken:
        if isinstance(broken, UnreadableError):
            raise
        raise UnreadableError(f"not a readable PDF: {broken}", "open it in a viewer and save it again") from broken


def read_docx(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the text of a Word document: paragraphs and tables, in order.

    Raises:
        UnreadableError: Broken, or it unpacks to more than any real document does.
    """
    try:
        from docx import Document
        from docx.table import Table
    except ModuleNotFoundError:
        raise UnreadableError("reading DOCX needs python-docx", _INSTALL) from None
    try:
        with zipfile.ZipFile(path) as archive:
            xml = (part.file_size for part in archive.infolist() if part.filename.endswith((".xml", ".rels")))
            if sum(xml) > _UNPACKED_MB * 1_000_000:
                raise UnreadableError(
                    f"unpacks to more than {_UNPACKED_MB} MB of text", "is it a real document? Split it"
                )
        parts: list[str] = []
        for block in Document(str(path)).iter_inner_content():
            if isinstance(block, Table):
                parts.extend(" | ".join(cell.text.strip() for cell in row.cells) for row in block.rows)
            else:
                parts.append(block.text)
    except (zipfile.BadZipFile, *_SPOILED) as broken:
        if isinstance(broken, UnreadableError):
            raise
        raise UnreadableError(f"not a readable DOCX: {broken}", "open it in Word and save it again") from broken
    yield "", "\n\n".join(part for part in parts if part.strip())


def read_html(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the text of a page, with its title as a heading."""
    title, text = html_text(_decoded(path))
    yield "", f"# {title}\n\n{text}" if title and text else text


def read_text(path: Path) -> Iterator[tuple[str, str]]:
    """Yield a text file as it is."""
    yield "", _decoded(path)


def _whole(text: str) -> str:
    """Return text in which each half of a surrogate pair, which a PDF with a broken font gives, is a U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _decoded(path: Path) -> str:
    raw = path.read_bytes()
    for encoding in ("utf-8-sig", "utf-16") if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig",):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError as bad:
            wrong = bad
    raise UnreadableError(f"not UTF-8: byte {wrong.start} is {raw[wrong.start]:#04x}", "save it as UTF-8")
