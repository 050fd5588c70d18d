"""A fake way to a model: it returns replies that a test prepares, or the smallest reply that fits the schema."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel

from tracejury.models import Message

Reply = TypeVar("Reply", bound=BaseModel)


class FakeAsk:
    """An `Ask` without a model.

    Args:
        replies: What to return, in order: instances of the schema, dictionaries that fit it, or exceptions to raise,
            such as `CallFailed`. When they run out, and without any, the smallest reply that fits the schema.
        max_tokens: What a judge may read as the limit of a reply.
        seed: What a judge may read as its seed.
    """

    def __init__(
        self,
        replies: Iterable[BaseModel | Mapping[str, Any] | Exception] = (),
        *,
        max_tokens: int = 512,
        seed: int = 0,
    ) -> None:
        self._replies = list(replies)
        self.max_tokens = max_tokens
        self.seed = seed
        self.prompts: list[tuple[Message, ...]] = []
        """The messages of every call."""

    async def __call__(self, messages: Sequence[Message], schema: type[Reply]) -> Reply:
        """Return the next reply; see `Ask`."""
        self.prompts.append(tuple(messages))
        reply = self._replies.pop(0) if self._replies else smallest(schema.model_json_schema())
        if isinstance(reply, Exception):
            raise reply
        return schema.model_validate(reply.model_dump() if isinstance(reply, BaseModel) else reply)


def smallest(schema: Mapping[str, Any], root: Mapping[str, Any] | None = None) -> Any:
    """Return a small JSON value that fits a JSON schema of the kind that Pydantic writes."""
    root = root or schema
    if "$ref" in schema:
        return smallest(root["$defs"][schema["$ref"].rpartition("/")[2]], root)
    if "default" in schema:
        return schema["default"]
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    if choices := schema.get("anyOf") or schema.get("allOf") or schema.get("oneOf"):
        return smallest(choices[0], root)
    match schema.get("type"):
        case "object":
            required, fields = schema.get("required", ()), schema.get("properties", {})
            return {name: smallest(fields[name], root) for name in required}
        case "array":
            return [smallest(schema["items"], root)] * schema.get("minItems", 0)
        case "string":
            return "x" * schema.get("minLength", 0)
        case "integer" | "number":
            return schema.get("minimum", schema.get("exclusiveMinimum", -1) + 1)
        case "boolean":
            return False
    return None
