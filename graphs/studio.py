"""The adjudication graph for LangGraph Studio: `langgraph dev` finds it through langgraph.json.

`TRACEJURY_PANEL` names the panel (default `embedded`), `TRACEJURY_STORE` the database of calls and cached replies,
`TRACEJURY_INDEX` the index. The input is a question and a trace as plain JSON; nothing goes to the run ledger.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from langchain_core.runnables import RunnableConfig

from tracejury.agents import JudgePanel, Panel, load_panel
from tracejury.graphs.adjudication import Graph, build_graph
from tracejury.graphs.run_context import RunContext, open_run_context
from tracejury.ledger.writer import DEFAULT_STORE
from tracejury.models import CallStore


@asynccontextmanager
async def graph(config: RunnableConfig) -> AsyncIterator[Graph]:
    """Give the graph of an open run context; where the graph is only drawn, of a panel without models or references.

    Args:
        config: From the server; it says whether the graph is about to run.
    """
    panel = await asyncio.to_thread(load_panel, os.environ.get("TRACEJURY_PANEL", "embedded"))
    if not config.get("configurable", {}).get("__is_for_execution__", True):
        yield build_graph(RunContext(JudgePanel(panel)))
        return
    async with _in_session(panel) as run_context:
        yield build_graph(run_context)


@asynccontextmanager
async def _in_session(panel: Panel) -> AsyncIterator[RunContext]:
    # Opening a database and reading prompts block; the server refuses that on its event loop, and rightly so.
    store = await asyncio.to_thread(CallStore, os.environ.get("TRACEJURY_STORE", DEFAULT_STORE))
    try:
        async with open_run_context(panel, store, secret=secrets.token_bytes(32)) as run_context:
            yield run_context
    finally:
        await asyncio.to_thread(store.close)
