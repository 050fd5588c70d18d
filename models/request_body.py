"""The body of a chat request: messages and fields in the form that the endpoint takes."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from pydantic import BaseModel

from tracejury.models.adaptations import Adaptations
from tracejury.models.fences import Fence, render
from tracejury.models.letters import TOP_LOGPROBS
from tracejury.models.records import ChatRequest, Endpoint, Message

# Keywords that OpenAI's strict mode refuses; other servers use them to keep replies short.
_NOT_STRICT = ("maxLength", "minLength", "default")


class ChatBody(NamedTuple):
    """A chat request without its model."""

    messages: list[dict[str, Any]]
    fields: dict[str, Any]

    @property
    def prompt(self) -> str:
        """The text of all messages."""
        return "\n".join(message["content"] for message in self.messages)


def chat_body(
    request: ChatRequest, messages: tuple[Message, ...], fence: Fence, adaptations: Adaptations, max_tokens: int
) -> ChatBody:
    """Return the body of a request.

    Args:
        request: The request.
        messages: Its messages, or those of its repair.
        fence: The fence of its trace for the endpoint's model.
        adaptations: What the endpoint was found to refuse.
        max_tokens: The limit of the reply.
    """
    endpoint, schema = request.endpoint, request.schema
    reply_format = adaptations.reply_format or endpoint.reply_format
    if schema is not None and reply_format != "json_schema":
        messages = _with_schema_in_words(messages, schema)
    rendered = render(messages, fence.tag, fence.look_alikes)
    if not adaptations.has_system_role:
        rendered = _without_system_role(rendered)
    is_openai = _is_openai(endpoint)
    fields: dict[str, Any] = {
        adaptations.limit_field or ("max_completion_tokens" if is_openai else "max_tokens"): (
            min(max_tokens, adaptations.most_tokens) if adaptations.most_tokens else max_tokens
        ),
        "temperature": request.temperature,
        "seed": request.seed,
        **({"logprobs": True, "top_logprobs": TOP_LOGPROBS} if request.letters else {}),
        **endpoint.params,
    }
    if schema is not None:
        fields["response_format"] = response_format(reply_format, schema, is_openai or adaptations.is_plain_schema)
    if request.tools:
        fields["tools"] = list(request.tools)
        fields["tool_choice"] = "auto" if request.may_call_tools else "none"
    for name in adaptations.left_out:
        fields.pop(name, None)
    # `temperature: null` in a panel removes the field, for models that refuse it.
    return ChatBody(rendered, {name: value for name, value in fields.items() if value is not None})


@lru_cache(maxsize=256)
def response_format(kind: str, schema: type[BaseModel], is_plain: bool) -> dict[str, Any] | None:
    """Return the request's `response_format`; None: the endpoint only takes text.

    Args:
        kind: `json_schema`, `json_object` or `text`.
        schema: The type of the reply.
        is_plain: Leave out the keywords that OpenAI's strict mode refuses.
    """
    if kind == "text":
        return None
    if kind == "json_object":
        return {"type": "json_object"}
    import openai

    parameters = openai.pydantic_function_tool(schema)["function"]["parameters"]
    if is_plain:
        parameters = _without(parameters, _NOT_STRICT)
    return {"type": "json_schema", "json_schema": {"name": schema.__name__, "schema": parameters, "strict": True}}


def _is_openai(endpoint: Endpoint) -> bool:
    """Whether the endpoint is OpenAI's own service; the embedded server has no address here."""
    host = urlsplit(endpoint.address).hostname or ""
    return endpoint.kind == "openai" and f".{host}".endswith((".openai.com", ".openai.azure.com"))


def _with_schema_in_words(messages: tuple[Message, ...], schema: type[BaseModel]) -> tuple[Message, ...]:
    """Append the JSON schema to the last message for endpoints without schema replies; prefixes stay the same."""
    last = messages[-1]
    schema_json = json.dumps(schema.model_json_schema(), separators=(",", ":"))
    instruction = f"\n\nReply with one JSON object that fits this schema:\n{schema_json}"
    return (*messages[:-1], Message(role=last.role, parts=(*last.parts, instruction)))


def _without_system_role(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Put system messages at the beginning of the first other message."""
    system = [message["content"] for message in messages if message["role"] == "system"]
    first, *rest = [message for message in messages if message["role"] != "system"]
    return [{"role": "user", "content": "\n\n".join([*system, first["content"]])}, *rest]


def _without(node: Any, keywords: tuple[str, ...]) -> Any:
    if isinstance(node, dict):
        return {k: _without(v, keywords) for k, v in node.items() if k not in keywords or isinstance(v, dict)}
    if isinstance(node, list):
        return [_without(v, keywords) for v in node]
    return node
