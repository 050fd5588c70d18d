"""Search results on the terminal: rank, title, text with the query's words marked, citation."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.text import Text

from tracejury.console.screen import out

if TYPE_CHECKING:
    from tracejury.retrieval import Hit

_EXCERPT_CHARS = 420


def show_hits(hits: Sequence[Hit], query: str) -> None:
    """Print hits, with the query's words marked."""
    if not hits:
        out.print("No passage matches. Try other words, or index more sources: tracejury index sources")
    words = [re.escape(w) for w in re.findall(r"\w{4,}", query)]
    marked = re.compile(rf"\b(?:{'|'.join(words)})", re.IGNORECASE) if words else None
    for number, hit in enumerate(hits, 1):
        passage = hit.passage
        ranks = ", ".join(f"{name} {rank}" for name, rank in hit.ranks.items())
        out.print(f"[bold]{number}. {escape(passage.title)}[/]  [dim]{escape(passage.source)}; {ranks}[/]")
        if passage.superseded_by:
            out.print(f"   [red]superseded by {escape(passage.superseded_by)}[/]")
        body = Text(textwrap.shorten(passage.text, _EXCERPT_CHARS, placeholder=" ..."))
        if marked:
            body.highlight_regex(marked, "bold cyan")
        out.print(body, soft_wrap=False)
        out.print(f"   [dim]{escape(passage.citation + (f' <{passage.url}>' if passage.url else ''))}[/]")
        out.print(
            f"   [dim]{passage.id}{f', {escape(passage.date)}' if passage.date else ''}, {escape(passage.license)}[/]\n"
        )
