"""Replies by a JSON schema: the request's `response_format`, the parsing of the reply, the request for a repair."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import openai
from pydantic import BaseModel, ValidationError

from tracejury.models.letters import TOP_LOGPROBS
from tracejury.models.records import ChatRequest, Data, Endpoint, Message

_THINKING = re.compile(r"\A\s*<think>.*?</think>", re.DOTALL)
# Keywords that OpenAI's strict mode refuses; other servers use them to keep replies short.
_NOT_STRICT = ("maxLength", "minLength", "default")
_REPLY_IN_REPAIR = 2000
"""Characters of an unusable reply that its repair repeats."""


@lru_cache(maxsize=256)
def reply_format(kind: str, schema: type[BaseModel], own_openai: bool) -> dict[str, Any] | None:
    """Return the request's `response_format`; None: the endpoint only takes text."""
    if kind == "text":
        return None
    if kind == "json_object":
        return {"type": "json_object"}
    parameters = openai.pydantic_function_tool(schema)["function"]["parameters"]
    if own_openai:
        parameters = _without(parameters, _NOT_STRICT)
    return {"type": "json_schema", "json_schema": {"name": schema.__name__, "schema": parameters, "strict": True}}


def format_for(endpoint: Endpoint, schema: type[BaseModel] | None) -> dict[str, Any] | None:
    """Return `response_format` for a request to `endpoint`."""
    if schema is None:
        return None
    host = urlsplit(endpoint.address).hostname or ""
    # The embedded server has no address here, and its grammar keeps the lengths.
    own_openai = endpoint.kind == "openai" and host.endswith(("openai.com", "openai.azure.com"))
    return reply_format(endpoint.reply_format, schema, own_openai)


def body_fields(request: ChatRequest) -> dict[str, Any]:
    """Return the fields of the request's body besides model and messages."""
    endpoint = request.endpoint
    own_openai = endpoint.base_url is None and endpoint.kind == "openai"
    fields: dict[str, Any] = {
        "max_completion_tokens" if own_openai else "max_tokens": request.max_tokens,
        "temperature": request.temperature,
        "seed": request.seed,
        "response_format": format_for(endpoint, request.schema),
        **({"logprobs": True, "top_logprobs": TOP_LOGPROBS} if request.letters else {}),
        **endpoint.params,
    }
    # `temperature: null` in a panel removes the field, for models that refuse it.
    return {name: value for name, value in fields.items() if value is not None}


def with_schema_in_words(
    endpoint: Endpoint, messages: tuple[Message, ...], schema: type[BaseModel] | None
) -> tuple[Message, ...]:
    """Append the JSON schema to the last message for endpoints without schema replies; prefixes stay the same."""
    if schema is None or endpoint.reply_format == "json_schema":
        return messages
    last = messages[-1]
    schema_json = json.dumps(schema.model_json_schema(), separators=(",", ":"))
    return (
        *messages[:-1],
        Message(
            role=last.role, parts=(*last.parts, f"\n\nReply with one JSON object that fits this schema:\n{schema_json}")
        ),
    )


def parse(text: str, schema: type[BaseModel]) -> BaseModel:
    """Return the reply as an instance of `schema`.

    Thinking before the object and a code fence or prose around it are allowed; the object itself is not mended.

    Raises:
        ValidationError: No object in `text` fits.
    """
    try:
        return schema.model_validate_json(text)
    except ValidationError as error:
        inner = _THINKING.sub("", text)
        start, end = inner.find("{"), inner.rfind("}")
        if start < 0 or end < start or (start == 0 and end == len(text) - 1):
            raise
        try:
            return schema.model_validate_json(inner[start : end + 1])
        except ValidationError:
            raise error from None


def repair(messages: tuple[Message, ...], reply: str, problem: str) -> tuple[Message, ...]:
    """Return the messages of a second request, with the unusable reply and the problem with it."""
    excerpt = reply
    if len(reply) > _REPLY_IN_REPAIR:
        excerpt = f"{reply[:_REPLY_IN_REPAIR]} [{len(reply) - _REPLY_IN_REPAIR} more characters]"
    return (
        *messages,
        # A reply may repeat the text that it judges, so it is data like that text.
        Message(role="assistant", parts=(Data(label="reply", text=excerpt or "(empty)"),)),
        Message(
            role="user",
            parts=(f"That reply cannot be used: {problem}\nReply again to the task above, with the JSON object only.",),
        ),
    )


def problem_of(error: ValidationError) -> str:
    """Return the problem in one line, without the input (which the repair shows anyway)."""
    parts = (f"{'.'.join(map(str, e['loc'])) or 'the reply'}: {e['msg']}" for e in error.errors(include_url=False)[:5])
    return "; ".join(parts)


def _without(node: Any, keywords: tuple[str, ...]) -> Any:
    if isinstance(node, dict):
        return {k: _without(v, keywords) for k, v in node.items() if k not in keywords or isinstance(v, dict)}
    if isinstance(node, list):
        return [_without(v, keywords) for v in node]
    return node
