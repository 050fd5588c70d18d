"""A judge that looks things up: an `Ask` whose model may search the references, within a bound, before it answers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Annotated, Any

from pydantic import BaseModel, Field, create_model

from tracejury.agents.contracts import Reply
from tracejury.agents.judge_panel import BoundAsk
from tracejury.agents.prompting import handles, prompt
from tracejury.agents.records import Case, Draft, Quote, Search
from tracejury.agents.search_tool import LookUp, query_of, search_function
from tracejury.models import CallFailed, Data, FailureReason, Message, ToolCall

_NONE_LEFT = "No search is left. Answer now, with the JSON object."
_NOTHING = "Nothing new was found."
_QUERY_CHARS = 160
_QUERIES_A_REPLY = 2


class SearchingAsk:
    """An `Ask` for a judge with `search`.

    On endpoints that call tools the model is offered `search_references`; on others its reply has a field `queries`,
    which is empty once it answers. What was found is appended to the conversation, so that servers reuse the prefix.

    Args:
        ask: The judge's way to its model.
        look_up: Finds passages; the guard against leaks has been applied.
        case: The judge's case; found passages are numbered after its own.
        most: How many searches the judge has.
    """

    def __init__(self, ask: BoundAsk, look_up: LookUp, case: Case, most: int) -> None:
        self.max_tokens, self.seed = ask.max_tokens, ask.seed
        self.searches: list[Search] = []
        self._ask, self._look_up, self._most = ask, look_up, most
        self._handle_of = {evidence_id: handle for handle, evidence_id in handles(case).items()}

    async def __call__(self, messages: Sequence[Message], schema: type[Reply]) -> Reply:
        """Ask, search as the model wants, and return its answer; see `Ask`.

        Raises:
            CallFailed: No usable reply, or the model goes on searching after its last search.
        """
        if self._ask.calls_tools:
            answer = await self._by_tool(messages, schema)
            if answer is not None:
                return answer
        return await self._by_field(messages, schema)

    def with_ids(self, draft: Draft) -> Draft:
        """Return a draft whose quotes name found passages by their ids."""
        evidence_ids = {handle: evidence_id for evidence_id, handle in self._handle_of.items()}
        quotes = tuple(
            Quote(**{**dict(quote), "evidence_id": evidence_ids.get(quote.evidence_id, quote.evidence_id)})
            for quote in draft.quotes
        )
        return draft.model_copy(update={"quotes": quotes})

    @property
    def _left(self) -> int:
        return self._most - len(self.searches)

    async def _by_tool(self, messages: Sequence[Message], schema: type[Reply]) -> Reply | None:
        """Return the answer; None: the endpoint turned out to refuse tools."""
        turns = [*_instructed(messages, self._left)]
        # Each turn but the last may search, whether its query is usable or not: so the turns are bounded, too.
        for turn in range(self._left + 1):
            may_search = turn < self._most and self._left > 0
            reply = await self._ask.reply(turns, schema, tools=(search_function(),), may_call_tools=may_search)
            if not reply.tool_calls:
                if turn == 0 and not self._ask.calls_tools:
                    return None
                return _checked(reply.parsed, schema)
            if not may_search:
                break
            calls = [(call, query_of(call)) for call in reply.tool_calls]
            turns.append(Message(role="assistant", parts=(), tool_calls=tuple(_echoed(c, q) for c, q in calls)))
            for call, query in calls:
                turns.append(Message(role="tool", parts=await self._result(query), tool_call_id=call.id))
        raise CallFailed(
            FailureReason.UNUSABLE, f"the judge had {self._most} searches and asks for more instead of answering"
        )

    async def _by_field(self, messages: Sequence[Message], schema: type[Reply]) -> Reply:
        turns = [*_instructed(messages, self._left)]
        while self._left > 0:
            reply = await self._ask.reply(turns, with_queries(schema, min(_QUERIES_A_REPLY, self._left)))
            answer: Any = reply.parsed
            queries = [q for q in dict.fromkeys(q.strip() for q in answer.queries) if q][: self._left]
            if not queries:
                return schema.model_validate(answer.model_dump(exclude={"queries"}))
            parts: list[str | Data] = []
            for query in queries:
                parts += ["\nFOUND for a query\n", *await self._result(query)]
            last = "Answer the task above anew." if self._left > 0 else _NONE_LEFT
            turns.append(Message(role="assistant", parts=(Data(label="reply", text=reply.text),)))
            turns.append(Message(role="user", parts=(*parts, f"\n\n{last}")))
        return await self._ask(turns, schema)

    async def _result(self, query: str | None) -> tuple[str | Data, ...]:
        if query is None:
            return ("The call has no usable `query`.",)
        if self._left <= 0:
            return (_NONE_LEFT,)
        finding = await self._look_up(query)
        self.searches.append(Search(query=query, hits=finding.hits, withheld=finding.withheld))
        parts: list[str | Data] = []
        for hit in finding.hits:
            if hit.passage.id not in self._handle_of:
                number = sum(handle.startswith("P") for handle in self._handle_of.values()) + 1
                self._handle_of[hit.passage.id] = f"P{number}"
                parts += [f"\nPASSAGE (cite as P{number})\n", Data(label="passage", text=hit.passage.text)]
        return tuple(parts) or (_NOTHING,)


@cache
def with_queries(schema: type[BaseModel], most: int) -> type[BaseModel]:
    """Return a reply's schema with a field `queries` before its own: to search, or to answer with none."""
    text: Any = Annotated[str, Field(max_length=8 * _QUERY_CHARS, json_schema_extra={"maxLength": _QUERY_CHARS})]
    queries: Any = Annotated[list[text], Field(max_length=8 * most, json_schema_extra={"maxItems": most})]
    own: Mapping[str, Any] = {name: (field.rebuild_annotation(), field) for name, field in schema.model_fields.items()}
    return create_model(schema.__name__, queries=(queries, ...), **own)


def _instructed(messages: Sequence[Message], searches: int) -> Sequence[Message]:
    last = messages[-1]
    instruction = f"\n\n{prompt('search').text}\nSearches: at most {searches}."
    return (*messages[:-1], last.model_copy(update={"parts": (*last.parts, instruction)}))


def _checked(parsed: object, schema: type[Reply]) -> Reply:
    if not isinstance(parsed, schema):
        raise TypeError(f"the gateway returned no {schema.__name__}")
    return parsed


def _echoed(call: ToolCall, query: str | None) -> ToolCall:
    # Servers parse the arguments of earlier turns; what the model garbled would be refused there.
    return call.model_copy(update={"arguments": json.dumps({"query": query or ""})})
