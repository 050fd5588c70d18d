"""The search of the references as a LangChain tool: judges and any agent of your own look things up with it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import cache
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, Field, ValidationError

from tracejury.models import ToolCall
from tracejury.retrieval import Finding

if TYPE_CHECKING:
    from langchain_core.tools import StructuredTool

LookUp = Callable[[str], Awaitable[Finding]]
"""Finds passages for a query; what gives the question away is withheld."""
SEARCH_TOOL = "search_references"


class SearchArguments(BaseModel):
    """What the model gives the tool."""

    query: str = Field(min_length=1, max_length=400, description="What to look up, in a few words or one sentence.")


def search_tool(look_up: LookUp) -> StructuredTool:
    """Return the tool `search_references`: its content is text with citations, its artifact the `Finding`."""
    from langchain_core.tools import StructuredTool

    async def search(query: str) -> tuple[str, Finding]:
        finding = await look_up(query)
        texts = [f"{hit.passage.text}\n({hit.passage.citation})" for hit in finding.hits]
        return "\n\n".join(texts) or "Nothing was found.", finding

    return StructuredTool.from_function(
        coroutine=search,
        name=SEARCH_TOOL,
        description="Search the clinical references for passages that decide a claim.",
        args_schema=SearchArguments,
        response_format="content_and_artifact",
    )


def query_of(call: ToolCall) -> str | None:
    """Return the query of a call of the tool; None: its arguments cannot be used."""
    try:
        return SearchArguments.model_validate_json(call.arguments).query.strip() or None
    except ValidationError:
        return None


@cache
def search_function() -> dict[str, Any]:
    """Return the tool as a function in OpenAI's form."""
    from langchain_core.utils.function_calling import convert_to_openai_tool

    async def nothing(query: str) -> Finding:
        return Finding()

    return convert_to_openai_tool(search_tool(nothing))
