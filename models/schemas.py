"""Replies in a schema: what the endpoint is asked for, how the reply is read, how a repair is asked for."""

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
# Keywords that OpenAI's own strict mode refuses; other servers use them to keep replies short.
_NOT_STRICT = ("maxLength", "minLength", "default")
_SHOWN = 2000


@lru_cache(maxsize=256)
def reply_format(kind: str, schema: type[BaseModel], own_openai: bool) -> dict[str, Any] | None:
    """Return the request's `response_format`; None where the endpoint only takes text."""
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
    # The embedded server has no address of its own here, and keeps the lengths.
    own_openai = endpoint.kind == "openai" and host.endswith(("openai.com", "openai.azure.com"))
    return reply_format(endpoint.reply_format, schema, own_openai)


def body_fields(request: ChatRequest) -> dict[str, Any]:
    """Return the fields of the request's body beside model and messages."""
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
    # `temperature: null` in a panel takes the field out, for models that refuse it.
    return {name: value for name, value in fields.items() if value is not None}


def told(endpoint: Endpoint, messages: tuple[Message, ...], schema: type[BaseModel] | None) -> tuple[Message, ...]:
    """Return `messages`, with the schema in words where the endpoint does not take one. It goes last: prefixes stay."""
    if schema is None or endpoint.reply_format == "json_schema":
        return messages
    last = messages[-1]
    wanted = json.dumps(schema.model_json_schema(), separators=(",", ":"))
    return (
        *messages[:-1],
        Message(
            role=last.role, parts=(*last.parts, f"\n\nReply with one JSON object that fits this schema:\n{wanted}")
        ),
    )


def parse(text: str, schema: type[BaseModel]) -> BaseModel:
    """Return the reply as an instance of `schema`.

    Thinking in front and a code fence or words around the object are tolerated; the object itself is not mended.

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
    """Return the messages that ask once more, with the reply that was not usable and what is wrong with it."""
    shown = reply if len(reply) <= _SHOWN else f"{reply[:_SHOWN]} [{len(reply) - _SHOWN} more characters]"
    return (
        *messages,
        # A reply may repeat what it was told to judge, so it is data like that.
        Message(role="assistant", parts=(Data(label="reply", text=shown or "(empty)"),)),
        Message(
            role="user",
            parts=(f"That reply cannot be used: {problem}\nReply again to the task above, with the JSON object only.",),
        ),
    )


def problem_of(error: ValidationError) -> str:
    """Return what is wrong, in one line, without the input (which is shown anyway)."""
    parts = (f"{'.'.join(map(str, e['loc'])) or 'the reply'}: {e['msg']}" for e in error.errors(include_url=False)[:5])
    return "; ".join(parts)


def _without(node: Any, keywords: tuple[str, ...]) -> Any:
    if isinstance(node, dict):
        return {k: _without(v, keywords) for k, v in node.items() if k not in keywords or isinstance(v, dict)}
    if isinstance(node, list):
        return [_without(v, keywords) for v in node]
    return node
