"""Search results on the terminal: rank, title, text with the query's words marked, citation."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from tracejury.console.screen import marked, out

if TYPE_CHECKING:
    from tracejury.retrieval import Hit

_EXCERPT_CHARS = 420


def show_hits(hits: Sequence[Hit], query: str) -> None:
    """Print hits, with the query's words marked."""
    if not hits:
        out.print("No passage matches. Try other words, or index more sources: tracejury index sources")
    words = [re.escape(w) for w in re.findall(r"\w{4,}", query)]
    query_words = re.compile(rf"\b(?:{'|'.join(words)})", re.IGNORECASE) if words else None
    for number, hit in enumerate(hits, 1):
        passage = hit.passage
        ranks = ", ".join(f"{name} {rank}" for name, rank in hit.ranks.items())
        out.print(marked("[bold]{}. {}[/]  [dim]{}; {}[/]", number, passage.title, passage.source, ranks))
        if passage.superseded_by:
            out.print(marked("   [red]superseded by {}[/]", passage.superseded_by))
        body = Text(textwrap.shorten(passage.text, _EXCERPT_CHARS, placeholder=" ..."))
        if query_words:
            body.highlight_regex(query_words, "bold cyan")
        out.print(body, soft_wrap=False)
        out.print(marked("   [dim]{}[/]", passage.citation + (f" <{passage.url}>" if passage.url else "")))
        about = ", ".join(part for part in (passage.id, passage.date, passage.license) if part)
        out.print(marked("   [dim]{}[/]\n", about))
