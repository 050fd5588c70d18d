"""HTML as text: what a reader of the page sees, without scripts, styles and navigation."""

from __future__ import annotations

import re

from tracejury.traces import HtmlReader

_HIDDEN = frozenset({"script", "style", "nav", "noscript", "template", "svg", "head"})
_BLOCKS = frozenset(
    {
        "p",
        "div",
        "section",
        "article",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "ul",
        "ol",
        "table",
        "tr",
        "br",
        "blockquote",
    }
    | {"dt", "dd", "pre", "header", "footer", "figcaption"}
)


class _Reader(HtmlReader):
    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []
        self.title = ""
        self._hidden = 0
        self._in_title = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in_title = tag == "title"
        if tag == "body":
            # HTML lets a page leave out </head>.
            self._hidden = 0
        if tag in _HIDDEN:
            self._hidden += 1
        elif tag == "li":
            self.pieces.append("\n- ")
        elif tag in ("td", "th"):
            self.pieces.append(" ")
        elif tag in _BLOCKS:
            self.pieces.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self._in_title = False
        if tag in _HIDDEN:
            self._hidden = max(0, self._hidden - 1)
        elif tag in _BLOCKS:
            self.pieces.append("\n")

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.title += data
        elif not self._hidden:
            # Line breaks of the source mean nothing in HTML; those of the tags do.
            self.pieces.append(re.sub(r"\s+", " ", data))


def html_text(html: str) -> tuple[str, str]:
    """Return (title, text) of a page or a fragment. Broken markup is read as browsers read it; nothing is run."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    lines = (line.strip() for line in "".join(reader.pieces).split("\n"))
    return reader.title.strip(), re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
