"""Tables that cut nothing: columns wrap between words, and a table that is too wide still becomes a list of records."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from rich.console import Console, ConsoleOptions, JustifyMethod, RenderResult
from rich.table import Table as RichTable
from rich.text import Text

from tracejury.console.neutral import neutral_line

_WORDS = re.compile(
    r"\S+ \[[^\]]*\]|[\u2e80-\ua4cf\uf900-\ufaff\uff00-\uff60]|[^\s\u2e80-\ua4cf\uf900-\ufaff\uff00-\uff60]+"
)
"""An interval stays with its figure, as in `30.6 [28.1, 33.0]`; Chinese and Japanese break between any characters."""


class Table:
    """A table for the terminal.

    A column of figures (`figures=True`) never wraps; the others wrap between words. Where the screen is narrower than
    that allows, each row is printed as a record: its first cell, then its other cells, each after its header.

    Args:
        columns: Headers of text columns.
        figures: Headers of columns of figures, which follow them; `add_column` adds further columns.
        title: Printed above the table.
        caption: Printed below it.
    """

    def __init__(self, *columns: str, figures: Iterable[str] = (), title: str = "", caption: str = "") -> None:
        self._title = title
        self._caption = caption
        self._headers: list[str] = []
        self._figures: list[bool] = []
        self._rows: list[list[Text]] = []
        for column in columns:
            self.add_column(column)
        for column in figures:
            self.add_column(column, figures=True)

    def add_column(self, header: str, *, figures: bool = False) -> None:
        """Add a column; `figures` are aligned to the right and do not wrap."""
        self._headers.append(neutral_line(header))
        self._figures.append(figures)

    def add_row(self, *cells: str | Text) -> None:
        """Add a row; a cell is shown as it is, on one line where it fits."""
        self._rows.append([c if isinstance(c, Text) else Text(neutral_line(c)) for c in cells])

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the table, or its records."""
        if self._title:
            yield Text(self._title, style="italic")
        widths = _fit(self._least(), self._natural(), options.max_width - 2 * (len(self._headers) - 1))
        yield self._table(widths) if widths else self._records(options.max_width)
        if self._caption:
            yield Text(self._caption, style="dim italic")

    def _natural(self) -> list[int]:
        cells = [[Text(h), *(row[i] for row in self._rows)] for i, h in enumerate(self._headers)]
        return [max(cell.cell_len for cell in column) for column in cells]

    def _least(self) -> list[int]:
        least = []
        for i, header in enumerate(self._headers):
            whole = self._figures[i]
            words = [Text(word).cell_len for word in _WORDS.findall(header)]
            for row in self._rows:
                words += [row[i].cell_len] if whole else [Text(word).cell_len for word in _WORDS.findall(row[i].plain)]
            least.append(max(words, default=1))
        return least

    def _table(self, widths: Sequence[int]) -> RichTable:
        table = RichTable(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
        for header, figures, width in zip(self._headers, self._figures, widths, strict=True):
            justify: JustifyMethod = "right" if figures else "left"
            table.add_column(Text(header, overflow="fold"), justify=justify, width=width, overflow="fold")
        for row in self._rows:
            table.add_row(*row)
        return table

    def _records(self, width: int) -> Text:
        records = Text(f"{self._headers[0]}\n" if self._headers[0] else "", "dim")
        for row in self._rows:
            records.append_text(Text(row[0].plain, "not dim bold"))
            used = width
            for header, cell in zip(self._headers[1:], row[1:], strict=True):
                if not cell.plain.strip():
                    continue
                pair = Text.assemble((f"{header} " if header else "", "dim"), cell)
                starts_line = used + 3 + pair.cell_len > width
                records.append("\n    " if starts_line else "   ").append_text(pair)
                used = pair.cell_len + (4 if starts_line else used + 3)
            records.append("\n")
        records.rstrip()
        return records


def _fit(least: Sequence[int], natural: Sequence[int], width: int) -> list[int]:
    """Return column widths that fit into `width`, the widest column giving way first; empty if none fit."""
    if sum(least) > width:
        return []
    widths = list(natural)
    while (excess := sum(widths) - width) > 0:
        free = [i for i in range(len(widths)) if widths[i] > least[i]]
        widest = max(free, key=lambda i: widths[i])
        others = [widths[i] for i in free if widths[i] < widths[widest]]
        floor = max(least[widest], max(others, default=0))
        widths[widest] -= max(1, min(excess, widths[widest] - floor))
    return widths
