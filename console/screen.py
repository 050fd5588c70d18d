"""The printer of the command line: results go to standard output, progress and warnings to standard error.

Whatever comes from outside (traces, passages, replies, names) is shown and never obeyed: no text is read as markup, and
characters that steer the terminal are spelt out. Nothing is cut: where the output is no terminal, lines are as long as
they are.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from rich.console import Console, ConsoleDimensions, ConsoleOptions, RenderableType, RenderResult
from rich.segment import Segment
from rich.style import Style
from rich.text import Text

from tracejury.console.neutral import STEERING, neutral, neutral_line

_PIPED_COLUMNS = 10_000


class Screen(Console):
    """A console that neutralises every text before it is laid out."""

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, highlight=False, markup=False, emoji=False)

    @property
    def size(self) -> ConsoleDimensions:
        """The terminal's size, or `COLUMNS`; for a pipe or a file, lines of any length."""
        if columns := os.environ.get("COLUMNS", ""):
            if columns.isdecimal() and int(columns):
                return ConsoleDimensions(int(columns), 25)
        elif not self.is_terminal:
            return ConsoleDimensions(_PIPED_COLUMNS, 25)
        return super().size

    @size.setter
    def size(self, new_size: tuple[int, int]) -> None:
        """Set the size, as Rich's own console allows."""
        self._width, self._height = new_size

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Render text neutralised; everything that is printed passes here."""
        if isinstance(renderable, str):
            renderable = neutral(renderable)
        elif isinstance(renderable, Text):
            renderable = neutral_text(renderable)
        return super().render(renderable, options)


def neutral_text(text: Text) -> Text:
    """Return `text` with steering characters spelt out and its styles kept."""
    edges = sorted({edge for match in STEERING.finditer(text.plain) for edge in match.span()})
    if not edges:
        return text
    safe = text.blank_copy()
    for part in text.divide(edges):
        safe.append_text(Text(neutral(part.plain), "reverse") if STEERING.match(part.plain) else part)
    return safe


def marked(template: str, *values: object) -> Text:
    """Return `template`, which may hold Rich's markup, with each `{}` filled by a value that is shown as it is."""
    filled, remaining = Text(), iter(values)
    whole = Text.from_markup(template)
    starts = [i for i in range(len(whole.plain)) if whole.plain.startswith("{}", i)]
    for part in whole.divide([edge for i in starts for edge in (i, i + 2)]):
        if part.plain == "{}":
            style = Style.combine([Style.null(), *(Style.parse(str(span.style)) for span in part.spans)])
            filled.append(neutral_line(str(next(remaining))), style)
        else:
            filled.append_text(part)
    return filled


class Indented:
    """A text whose every line, also where it wraps, stands behind an indent, so that it cannot forge a line of ours.

    Args:
        text: The text.
        indent: Columns before it.
        bar: Whether a bar marks its edge, as for texts from outside.
    """

    def __init__(self, text: str | Text, indent: int = 2, *, bar: bool = False) -> None:
        self._text = text if isinstance(text, Text) else Text(neutral(text))
        self._edge = " " * indent + ("│ " if bar else "")

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the lines behind their edge."""
        width = max(options.max_width - len(self._edge), 10)
        for line in neutral_text(self._text).wrap(console, width, overflow="fold"):
            line.rstrip()
            yield Text(self._edge, "dim", end="").append_text(line).append("\n")


def quoted(text: str | Text, style: str = "", indent: int = 2) -> Indented:
    """Return a text from outside with a bar before each of its lines."""
    body = text if isinstance(text, Text) else Text(neutral(text.strip("\n")), style)
    return Indented(body, indent, bar=True)


out = Screen()
err = Screen(stderr=True)
