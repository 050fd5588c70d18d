"""HTML of any make, read as browsers read it."""

from __future__ import annotations

import re
from html.parser import HTMLParser

_TAG_BEGINS = re.compile(r"<[!/?a-zA-Z]")


class HtmlReader(HTMLParser):
    """Python's parser, with character references resolved; no markup makes it raise, and its time is linear."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def feed(self, data: str) -> None:
        """Read a whole page; a comment or a tag that never ends hides the rest of it, as in browsers."""
        # Python's parser looks for the end of each of them again and again: minutes for a page of 100,000 `<!--`.
        comment = data.find("<!--", max(data.rfind("-->"), 0))
        data = data if comment < 0 else data[:comment]
        last = data.rfind(">") + 1
        unfinished = _TAG_BEGINS.search(data, last)
        super().feed(data if unfinished is None else data[: unfinished.start()])

    def parse_marked_section(self, i: int, report: int = 1) -> int:
        """Skip `<![...>` as browsers do. Python's own raises an AssertionError where it is neither CDATA nor Word's."""
        return self.parse_bogus_comment(i)
