"""What an endpoint refuses, learnt from its errors: the next request leaves it out or asks for it in another way."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from tracejury.models.records import Endpoint
from tracejury.traces import Record

ReplyFormat = Literal["json_schema", "json_object", "text"]

_LIMITS = ("max_tokens", "max_completion_tokens")
_UNKNOWN = ("unrecognized", "unrecognised", "unknown", "unexpected", "extra", "not permitted", "not allowed")
_SCHEMA_WORDS = ("json_schema", "json schema", "response_format", "guided", "grammar", "structured output")
_ROLE_WORDS = (
    "system role",
    "system message",
    "role 'system'",
    'role "system"',
    "roles must alternate",
    "role: system",
)
_TOO_MANY = ("too large", "too high", "less than or equal", "at most", "maximum allowed")
_LIMIT_NUMBER = re.compile(
    r"(?:at most|maximum[^.\d]{0,40}|less than or equal to|<=|up to)\D{0,12}(\d{2,7})"
    r"|> (?P<more>\d{2,7}), which is the maximum"
)


class Adaptations(Record):
    """How requests to an endpoint differ from what its panel says, because the endpoint refused that."""

    reply_format: ReplyFormat | None = None
    """Instead of the panel's; None: the panel's."""
    is_plain_schema: bool = False
    """Leave out the keywords of JSON schema that bound lengths."""
    limit_field: str | None = None
    """The name of the field that limits the reply's tokens; None: by the host."""
    most_tokens: int | None = None
    """The largest limit of a reply that the server takes."""
    left_out: tuple[str, ...] = ()
    """Fields that are not sent."""
    has_system_role: bool = True
    """Otherwise the system message stands at the beginning of the first user message."""
    thinking_tokens: int = 0
    """Tokens added to the limit of a reply, for a model that thinks before it answers."""

    def lines(self, endpoint: Endpoint) -> tuple[str, ...]:
        """Return the differences as lines for people, none where there are none."""
        return tuple(self._lines(endpoint))

    def _lines(self, endpoint: Endpoint) -> Iterator[str]:
        if self.reply_format and self.reply_format != endpoint.reply_format:
            yield f"reply_format {self.reply_format} instead of {endpoint.reply_format}"
        if self.is_plain_schema:
            yield "schemas without bounds of length"
        if self.limit_field:
            yield f"the reply's limit is called {self.limit_field}"
        if self.most_tokens:
            yield f"replies of at most {self.most_tokens} tokens"
        if self.left_out:
            yield f"without {', '.join(self.left_out)}"
        if not self.has_system_role:
            yield "the system message inside the first user message"
        if self.thinking_tokens:
            yield f"{self.thinking_tokens} more tokens a reply, for the model's thinking"


def adapt(adaptations: Adaptations, endpoint: Endpoint, fields: Mapping[str, Any], error: object) -> Adaptations | None:
    """Return the adaptations that avoid a refusal; None: the refusal is not about something that can be left out.

    Args:
        adaptations: Those that the refused request was made with.
        endpoint: The endpoint.
        fields: The fields of the refused request besides model and messages.
        error: The body of the refusal: OpenAI's `{"message", "param", "code"}`, FastAPI's `{"detail": [...]}`, or text.
    """
    text = str(error).lower()
    refused = _named_field(error, fields, text)
    change: dict[str, Any] | None = None
    if refused in _LIMITS:
        change = _limit(adaptations, refused, text)
    elif refused == "response_format" or (fields.get("response_format") and any(w in text for w in _SCHEMA_WORDS)):
        change = _reply_format(adaptations, endpoint, text)
    elif refused is not None:
        change = {"left_out": (*adaptations.left_out, *_with_companions(refused, fields))}
    elif adaptations.has_system_role and any(words in text for words in _ROLE_WORDS):
        change = {"has_system_role": False}
    if change is None:
        return None
    adapted = adaptations.model_copy(update=change)
    return None if adapted == adaptations else adapted


def _named_field(error: object, fields: Mapping[str, Any], text: str) -> str | None:
    """Return the field of the request that the refusal names."""
    names = []
    if isinstance(error, Mapping):
        names.append(error.get("param"))
        details = error.get("detail")
        for entry in details if isinstance(details, list) else ():
            location = entry.get("loc") if isinstance(entry, Mapping) else None
            names += location[-1:] if isinstance(location, list) else ()
    for name in names:
        root = str(name).partition(".")[0]
        if root in fields:
            return root
    # The longest first: `max_tokens` is no part of `max_completion_tokens`, but `seed` is a part of longer words.
    for name in sorted(fields, key=len, reverse=True):
        if re.search(rf"(?<![\w]){re.escape(name.lower())}(?![\w])", text):
            return name
    # "does not support tool calling", '"auto" tool choice requires --enable-auto-tool-choice'.
    return "tools" if "tools" in fields and re.search(r"\b(?:tool|function)[ _-](?:call|choice|use)", text) else None


def _limit(adaptations: Adaptations, refused: str, text: str) -> dict[str, Any] | None:
    other = _LIMITS[1 - _LIMITS.index(refused)]
    # Two refusals in turn would go round for ever: the second one leaves the limit to the server.
    if any(words in text for words in _TOO_MANY):
        match = _LIMIT_NUMBER.search(text)
        return {"most_tokens": int(match["more"] or match[1])} if match else None
    if adaptations.limit_field is not None:
        return {"left_out": (*adaptations.left_out, refused)}
    return {"limit_field": other}


def _reply_format(adaptations: Adaptations, endpoint: Endpoint, text: str) -> dict[str, Any] | None:
    current = adaptations.reply_format or endpoint.reply_format
    if current == "json_object" and "must be 'json_schema'" in text:
        return {"reply_format": "json_schema"}
    is_about_keyword = "invalid schema" in text or "invalid_json_schema" in text or "is not permitted" in text
    if current == "json_schema" and is_about_keyword and not adaptations.is_plain_schema:
        return {"is_plain_schema": True}
    if current == "json_schema" and not any(word in text for word in _UNKNOWN):
        return {"reply_format": "json_object"}
    return {"reply_format": "text"} if current != "text" else None


def _with_companions(name: str, fields: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the field and those that make no sense without it."""
    for together in (("logprobs", "top_logprobs"), ("tools", "tool_choice")):
        if name in together:
            return tuple(field for field in together if field in fields)
    return (name,)
