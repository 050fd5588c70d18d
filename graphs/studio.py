"""The adjudication graph for LangGraph Studio: `langgraph dev` finds it through langgraph.json.

`TRACEJURY_PANEL` names the panel (default `embedded`), `TRACEJURY_STORE` the database of calls and cached replies,
`TRACEJURY_INDEX` the index. The input is a question and a trace as plain JSON; nothing is written to the run ledger.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from langchain_core.runnables import RunnableConfig

from tracejury.agents import JudgePanel, load_panel
from tracejury.graphs.opening import open_graph
from tracejury.graphs.run_context import RunContext
from tracejury.graphs.trace_graph import TraceGraph, build_graph
from tracejury.ledger.writer import DEFAULT_STORE


@asynccontextmanager
async def graph(config: RunnableConfig) -> AsyncIterator[TraceGraph]:
    """Yield the graph of an open panel; where the graph is only drawn, of a panel without models or references.

    Args:
        config: From the server; it says whether the graph is about to run.
    """
    panel = await asyncio.to_thread(load_panel, os.environ.get("TRACEJURY_PANEL", "embedded"))
    if not config.get("configurable", {}).get("__is_for_execution__", True):
        yield build_graph(RunContext(JudgePanel(panel)))
        return
    async with open_graph(panel, store=os.environ.get("TRACEJURY_STORE", DEFAULT_STORE)) as opened:
        yield opened
