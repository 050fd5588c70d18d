"""The border for replies: whatever a server sends becomes a completion with checked fields, or a typed fault."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from tracejury.models.keys import redact
from tracejury.models.records import ToolCall
from tracejury.models.request_ids import answers_another_prompt
from tracejury.models.tool_calls import tool_calls_of

_FINISH_REASONS = frozenset({"stop", "length", "content_filter", "tool_calls", "function_call", "eos", "error"})
_MOST_DIGITS = 30
# A lone surrogate cannot be encoded, and Postgres stores no NUL.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class Completion(NamedTuple):
    """A reply of a chat endpoint."""

    text: str
    """The content; the arguments of a tool call, or the reasoning, where there is no content."""
    finish_reason: str | None = None
    usage: object = None
    """The `usage` field, unchecked; see `read_usage`."""
    refusal: str | None = None
    """The model's own words for its refusal."""
    reasoning: str = ""
    """The separate reasoning of a thinking model."""
    problem: str | None = None
    """Why the reply has no usable text."""
    logprobs: object = None
    """`choices[0].logprobs`, unchecked."""
    tool_calls: tuple[ToolCall, ...] = ()

    @property
    def is_filtered(self) -> bool:
        """Whether the provider's content filter withheld the reply."""
        return self.finish_reason == "content_filter"


class NotACompletionError(Exception):
    """A response with a good status that is no chat completion.

    Args:
        detail: The problem, in a line.
        code: The number or the name of the error in the body, where there is one.
        is_web_page: The body is HTML: the address is probably not that of an API.
    """

    def __init__(self, detail: str, code: object = None, *, is_web_page: bool = False) -> None:
        super().__init__(redact(detail))
        self.code = code
        self.is_web_page = is_web_page


class OtherRequestError(NotACompletionError):
    """A response is the reply to another request of this process."""


def storable(text: str) -> str:
    """Return `text` without keys and without characters that a database refuses."""
    return redact(_UNSTORABLE.sub("\ufffd", text))


def read_completion(raw: bytes, prompt: str) -> Completion:
    """Return the completion in the body of the response to a request with this prompt.

    Raises:
        NotACompletionError: The body is garbled, an error, or of another kind, or answers another request.
    """
    body = _decoded(raw)
    if answers_another_prompt(body.get("id"), prompt):
        raise OtherRequestError("the server answered with the reply to another request")
    return completion_of(body)


def completion_of(body: Mapping[str, Any]) -> Completion:
    """Return the completion in a body that is a JSON object.

    Raises:
        NotACompletionError: The body is an error, or of another kind.
    """
    choices = body.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], Mapping) else {}
    error = choice.get("error") or body.get("error")
    message = choice.get("message")
    if error and not (isinstance(message, Mapping) and message.get("content")):
        raise _reported(error)
    if "choices" not in body:
        raise NotACompletionError(f"the response is no chat completion: {_excerpt_of(body)}")
    if isinstance(message, str):
        message = {"content": message}
    if not isinstance(message, Mapping):
        return Completion("", None, body.get("usage"), problem=f"the response has no message: {_excerpt_of(body)}")
    reasoning = storable(_text_of(message.get("reasoning_content") or message.get("reasoning")))
    text = storable(_text_of(message.get("content")) or _tool_arguments(message))
    refusal = message.get("refusal")
    finish = choice.get("finish_reason")
    finish = finish if finish in _FINISH_REASONS else storable(str(finish)[:40]) if finish else None
    if not text and finish != "length":
        # Some servers put the whole reply of a thinking model into the reasoning.
        text = reasoning
    problem = None if text else "the reply is empty"
    refusal = storable(refusal[:500]) if isinstance(refusal, str) and refusal else None
    calls = tool_calls_of(message)
    return Completion(text, finish, body.get("usage"), refusal, reasoning, problem, choice.get("logprobs"), calls)


def _decoded(raw: bytes) -> Mapping[str, Any]:
    try:
        body = json.loads(raw.decode("utf-8", "replace"), parse_int=_number)
    except (ValueError, RecursionError) as error:
        start = raw[:2000].lstrip().lower()
        if start.startswith((b"<!doctype", b"<html", b"<head", b"<body")):
            detail = f"the address answered with a web page: {_excerpt(raw)}"
            raise NotACompletionError(detail, is_web_page=True) from None
        if start.startswith(b"data:"):
            raise NotACompletionError("the server streams although no stream was requested") from None
        detail = "no JSON" if isinstance(error, json.JSONDecodeError) else f"{type(error).__name__}"
        raise NotACompletionError(f"garbled response ({detail}): {_excerpt(raw)}") from None
    if not isinstance(body, Mapping):
        raise NotACompletionError(f"the response is no chat completion: {_excerpt(raw)}")
    return body


def _number(digits: str) -> float:
    """Return a number of the body; Python refuses to read whole ones of thousands of digits."""
    return int(digits) if len(digits) < _MOST_DIGITS else float(digits)


def _reported(error: object) -> NotACompletionError:
    """Return the error that a body with a good status reports."""
    if not isinstance(error, Mapping):
        return NotACompletionError(f"an error with status 200: {str(error)[:500]}")
    code = error.get("code") or error.get("type")
    detail = f"an error with status 200: {str(error.get('message') or error)[:500]}"
    return NotACompletionError(detail if code is None else f"{detail} ({str(code)[:60]})", code)


def _text_of(content: object) -> str:
    """Return the text of a message's content: a string, a list of parts, or any other JSON value."""
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        parts = [part if isinstance(part, str) else _part_text(part) for part in content]
        return "".join(parts)
    return json.dumps(content, ensure_ascii=False)


def _part_text(part: object) -> str:
    text = part.get("text") if isinstance(part, Mapping) and part.get("type") not in ("thinking", "reasoning") else None
    return text if isinstance(text, str) else ""


def _tool_arguments(message: Mapping[str, Any]) -> str:
    """Return the arguments of the message's first tool call, or an empty string."""
    calls = message.get("tool_calls")
    call = calls[0] if isinstance(calls, list) and calls and isinstance(calls[0], Mapping) else message
    function = call.get("function") or message.get("function_call")
    return _text_of(function.get("arguments")) if isinstance(function, Mapping) else ""


def _excerpt_of(body: Mapping[str, Any]) -> str:
    return _excerpt(str(dict(body))[:300].encode())


def _excerpt(raw: bytes) -> str:
    text = " ".join(raw[:300].decode("utf-8", "replace").split())
    return storable(text[:120]) or "an empty body"
