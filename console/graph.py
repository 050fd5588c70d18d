"""`tracejury panels graph`: the adjudication graph as a diagram."""

from __future__ import annotations

from tracejury.console.neutral import neutral


def graph() -> None:
    """Print the adjudication graph as a Mermaid diagram: every node of a trace and of a step.

    Paste it into a Markdown file or a Mermaid viewer.

    Example:
        tracejury panels graph
    """
    from tracejury.graphs import draw_graph

    print(neutral(draw_graph()), end="")
