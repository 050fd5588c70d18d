"""Replies of the model server: values that fit a schema, completions, errors."""

from __future__ import annotations

import hashlib
import json
import time
from typing import Any


def digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]


def instance(schema: dict[str, Any], reply: dict[str, Any], root: dict[str, Any] | None = None, name: str = "") -> Any:
    """Return a small value that fits `schema`; properties named in `reply` get its values."""
    root = root or schema
    if name in reply:
        return reply[name]
    if "$ref" in schema:
        target: Any = root
        for part in schema["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        return instance(target, reply, root, name)
    for union in ("anyOf", "oneOf"):
        if union in schema:
            return instance(next((s for s in schema[union] if s.get("type") == "null"), schema[union][0]), reply, root)
    if "allOf" in schema:
        return instance(schema["allOf"][0], reply, root, name)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type")
    if kind == "object" or "properties" in schema:
        return {k: instance(s, reply, root, k) for k, s in schema.get("properties", {}).items()}
    if kind == "array":
        return [instance(schema.get("items", {}), reply, root) for _ in range(schema.get("minItems", 0))]
    if kind in ("number", "integer"):
        return schema.get("minimum", 0)
    return {"boolean": False, "null": None}.get(str(kind), "ok"[: schema.get("maxLength", 2)])


def content(body: dict[str, Any], reply: dict[str, Any]) -> str:
    """Return the content of a good reply."""
    response_format = body.get("response_format") or {}
    if "json_schema" in response_format:
        return json.dumps(instance(response_format["json_schema"]["schema"], reply))
    return str(reply.get("text", "ok"))


def completion(
    body: dict[str, Any], text: str | None, prompt: str, finish: str = "stop", **message: Any
) -> dict[str, Any]:
    """Return a chat completion."""
    prompt_tokens = len(prompt) // 4 + 1
    spoken = body.get("max_tokens", 0) if finish == "length" else len(text or "") // 4 + 1
    return {
        "id": f"chatcmpl-{time.monotonic_ns()}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": body.get("model", "m"),
        "choices": [
            {"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": text, **message}}
        ],
        "usage": {"prompt_tokens": prompt_tokens, "completion_tokens": spoken, "total_tokens": prompt_tokens + spoken},
    }


def wrong_label(text: str) -> str:
    """Return a reply whose shape fits and whose enum values do not."""

    def twist(value: Any) -> Any:
        if isinstance(value, dict):
            return {k: ("banana" if k in ("label", "verdict", "x") else twist(v)) for k, v in value.items()}
        return value

    return json.dumps(twist(json.loads(text)))


ERRORS = {
    "400": (400, "invalid_request_error", "unsupported value"),
    "401": (401, "invalid_api_key", "Incorrect API key provided"),
    "404": (404, "model_not_found", "The model does not exist"),
    "context": (400, "context_length_exceeded", "This model's maximum context length is 10 tokens"),
    "429": (429, "rate_limit_exceeded", "Rate limit reached"),
    "429-after": (429, "rate_limit_exceeded", "Rate limit reached"),
    "500": (500, "server_error", "The server had an error"),
    "503": (503, "unavailable", "Overloaded"),
}
