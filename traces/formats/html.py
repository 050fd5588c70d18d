"""HTML of any make, read as browsers read it."""

from __future__ import annotations

from html.parser import HTMLParser


class HtmlReader(HTMLParser):
    """Python's parser, with character references resolved; no markup makes it raise."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def parse_marked_section(self, i: int, report: int = 1) -> int:
        """Skip `<![...>` as browsers do. Python's own raises an AssertionError where it is neither CDATA nor Word's."""
        return self.parse_bogus_comment(i)
