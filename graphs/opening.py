"""Opening the adjudication graph for a program of your own: one line from a panel to a compiled LangGraph graph."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tracejury.agents import JudgePanel, Panel, load_panel
from tracejury.graphs.run_context import RunContext, open_run_context
from tracejury.graphs.trace_graph import TraceGraph, build_graph
from tracejury.ledger.writer import DEFAULT_STORE
from tracejury.models import CallStore


@asynccontextmanager
async def open_graph(
    panel: Panel | str | Path,
    *,
    store: str = DEFAULT_STORE,
    index: Path | None = None,
    air_gapped: bool = False,
) -> AsyncIterator[TraceGraph]:
    """Open a panel and yield its graph, compiled: run it, stream it, or add it to a graph of your own as a node.

    Nothing is written to the run ledger; the deliberations are in the graph's output. Model calls are recorded, and
    their replies cached, in `store`.

    Args:
        panel: A panel, the name of a shipped one, or the path of a YAML file.
        store: The database of model calls, `sqlite:///FILE` or `postgresql://...`.
        index: The index of references; None: `TRACEJURY_INDEX`, else `./tracejury.index`.
        air_gapped: Refuse every address but loopback.

    Raises:
        PanelError: The panel cannot be read.
        StoreError: The database cannot be opened.
    """
    # Opening a database and reading prompts block, so they stay off the event loop.
    loaded = panel if isinstance(panel, Panel) else await asyncio.to_thread(load_panel, panel)
    calls = await asyncio.to_thread(CallStore, store)
    try:
        secret = secrets.token_bytes(32)
        async with open_run_context(loaded, calls, secret=secret, index=index, air_gapped=air_gapped) as run_context:
            yield build_graph(run_context)
    finally:
        await asyncio.to_thread(calls.close)


def draw_graph() -> str:
    """Return the graph as a Mermaid diagram, with the nodes of a step."""
    # Drawing needs no judge: the nodes are the same for every panel.
    panel = Panel.model_validate({"name": "drawing", "judges": [{"name": "data", "judge": "data"}]})
    return build_graph(RunContext(JudgePanel(panel))).get_graph(xray=True).draw_mermaid()
