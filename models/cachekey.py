"""The response cache's key."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache

from pydantic import BaseModel

from tracejury.models.records import ChatRequest, Endpoint, Message


def cache_key(request: ChatRequest, messages: tuple[Message, ...]) -> str:
    """Return the SHA-256 of address, model, messages before fencing, schema, parameters and sample.

    The fence is not part of it: the same question to the same model has the same answer tomorrow and in another run.
    The address is: two servers may call different weights by the same name.
    """
    endpoint = request.endpoint
    contents = [[m.role, [p if isinstance(p, str) else [p.label, p.text] for p in m.parts]] for m in messages]
    parts: list[object] = [
        *(endpoint.kind, _address(endpoint), endpoint.model, endpoint.reply_format, endpoint.params, contents),
        _schema(request.schema) if request.schema else None,
        *(request.max_tokens, request.temperature, request.sample, request.seed),
    ]
    if request.letters:  # a reply without their log-probabilities does not answer a request for them
        parts.append([*request.letters])
    if request.tools:
        turns = [[[c.model_dump() for c in m.tool_calls], m.tool_call_id] for m in messages]
        parts.append([list(request.tools), request.may_call_tools, turns])
    text = json.dumps(parts, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _address(endpoint: Endpoint) -> str | None:
    """Return the address; None for the embedded server, whose port differs from start to start."""
    return endpoint.address.rstrip("/") if endpoint.kind == "openai" else None


@lru_cache(maxsize=256)
def _schema(schema: type[BaseModel]) -> str:
    return json.dumps(schema.model_json_schema(), sort_keys=True)
