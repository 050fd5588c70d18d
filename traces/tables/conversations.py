"""Conversations in a row: what was asked, and the replies, in the shapes of chat logs, APIs and their batch files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from tracejury.traces.tables.json_values import json_in
from tracejury.traces.tables.replies import Reply, message_reasoning, plain_content, take_apart

_LISTS = (
    "messages",
    "conversations",
    "conversation",
    "convo",
    "dialogue",
    "dialog",
    "chat",
    "turns",
    "history",
    "origin_prompt",
)
_ANSWER_TEXT = re.compile(r'\s*\{\s*"(?:id|object|choices|candidates|created|model|type|role)"')
_ROLES = {
    "human": "user", "user": "user", "patient": "user", "prompter": "user",
    "gpt": "assistant", "chatgpt": "assistant", "assistant": "assistant", "bot": "assistant", "model": "assistant",
    "bing": "assistant", "bard": "assistant", "ai": "assistant",
    "system": "system", "developer": "system",
}  # fmt: skip


class ChatReply(NamedTuple):
    """One reply of a model."""

    reply: Reply
    finish_reason: str | None = None
    sample: int | None = None
    model: str | None = None
    refusal: str | None = None
    """What the model said in place of a reply."""


class Exchange(NamedTuple):
    """What a row says of a conversation."""

    prompt: str | None = None
    """The last message of the user."""
    replies: tuple[ChatReply, ...] = ()
    earlier_turns: int = 0
    """Replies before the last one, which are not read."""
    model: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    error: str | None = None
    """What the API said in place of a reply, in its own words."""


def exchange_in(row: Mapping[str, Any]) -> Exchange | None:
    """Return the conversation in a row; None where it holds none.

    Read are `messages` (OpenAI, Anthropic), `conversations` (ShareGPT), completions (`choices`), answers of OpenAI's
    Responses API (`output`), Gemini's `candidates`, and the input and output lines of the providers' batch files.
    """
    body = _body(row)
    holders = (row, body, *(_mapping(row.get(name)) for name in ("request", "input", "params")))
    messages = next((found for holder in holders if (found := _messages(holder))), [])
    error = _error(row)
    replies = _replies(body)
    if not messages and not replies and error is None:
        return None
    user_messages = [text for role, text in messages if role == "user"]
    answered = [i for i, (role, _) in enumerate(messages) if role == "assistant"]
    earlier = 0
    if not replies and messages and messages[-1][0] == "assistant":
        replies = [ChatReply(_reply(messages[-1][1]))]
        earlier = len(answered) - 1
    usage = _mapping(body.get("usage"))
    alone = len(replies) == 1
    return Exchange(
        prompt=plain_content(user_messages[-1].get("content"))[0] if user_messages else None,
        replies=tuple(replies),
        earlier_turns=earlier,
        model=next((str(m) for m in (row.get("model"), body.get("model"), body.get("modelVersion")) if m), None),
        # Usage counts all choices together.
        prompt_tokens=_count(usage, "prompt_tokens", "input_tokens") if alone else None,
        completion_tokens=_count(usage, "completion_tokens", "output_tokens") if alone else None,
        error=error if not replies else None,
    )


def _body(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the answer itself: of a batch's line, what stands in `response.body`, `response` or `result.message`."""
    for outer in ("response", "result"):
        part = row.get(outer)
        if isinstance(part, Mapping):
            inner = _mapping(next((part[n] for n in ("body", "message") if isinstance(part.get(n), Mapping)), part))
            if any(name in inner for name in ("choices", "content", "output", "candidates", "error", "messages")):
                return {"message": inner} if inner is part.get("message") and "type" not in inner else inner
    body = row.get("body")
    if isinstance(body, Mapping):
        return _mapping(body)
    return row if _is_answer(row) else _answer_inside(row) or row


def _answer_inside(row: Mapping[str, Any], depth: int = 2) -> Mapping[str, Any] | None:
    """Return an API's answer that a row keeps in a field of any name, as an object or as JSON text."""
    for value in row.values():
        part = json_in(value) if isinstance(value, str) and _ANSWER_TEXT.match(value) else value
        if isinstance(part, Mapping):
            if _is_answer(part):
                return part
            if depth > 1 and (inner := _answer_inside(part, depth - 1)) is not None:
                return inner
    return None


def _is_answer(body: Mapping[str, Any]) -> bool:
    """Whether an object is an answer of OpenAI's, Anthropic's or Gemini's API, and no options of a question."""
    choices = body.get("choices")
    if isinstance(choices, list) and any(
        isinstance(c, Mapping) and isinstance(c.get("message"), Mapping) for c in choices
    ):
        return True
    if body.get("role") == "assistant" and body.get("type") == "message":
        return True
    candidates = body.get("candidates")
    return isinstance(candidates, list) and any(isinstance(c, Mapping) and "content" in c for c in candidates)


def _messages(holder: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    for name in (*_LISTS, "prompt", "chosen"):
        turns = _parsed(holder.get(name))
        if isinstance(turns, list) and turns and all(isinstance(turn, Mapping) for turn in turns):
            read = [_turn(turn) for turn in turns]
            return [turn for turn in read if turn is not None]
    if isinstance(contents := holder.get("contents"), list):
        return [
            (_ROLES.get(str(c.get("role", "user")), "user"), {"content": c.get("parts")})
            for c in contents
            if isinstance(c, Mapping)
        ]
    if isinstance(holder.get("input"), list) and all(isinstance(m, Mapping) and "role" in m for m in holder["input"]):
        return [turn for m in holder["input"] if (turn := _turn(m)) is not None]
    return []


def _parsed(value: object) -> object:
    """Return a conversation that a table keeps as text; any other value as it is."""
    if isinstance(value, str) and value.lstrip().startswith("[{"):
        return json_in(value) or value
    return value


def _turn(turn: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]] | None:
    role = _ROLES.get(str(turn.get("role") or turn.get("from") or turn.get("speaker") or "").lower())
    content = next(
        (turn[name] for name in ("content", "value", "text", "utterance", "prompt") if turn.get(name) is not None), None
    )
    return None if role is None else (role, {**turn, "content": content})


def _replies(body: Mapping[str, Any]) -> list[ChatReply]:
    choices = body.get("choices")
    if isinstance(choices, list) and choices and all(isinstance(c, Mapping) for c in choices):
        return [reply for i, choice in enumerate(choices) if (reply := _choice(choice, i)) is not None]
    if isinstance(output := body.get("output"), list) and any(isinstance(o, Mapping) and "type" in o for o in output):
        thoughts = [plain_content([part])[1] for part in output]
        contents = [o.get("content") for o in output if isinstance(o, Mapping) and o.get("type") == "message"]
        text = "\n".join(plain_content(content)[0] for content in contents)
        return [ChatReply(take_apart(text, "\n\n".join(t for t in thoughts if t)), body.get("status"))]
    if isinstance(candidates := body.get("candidates"), list):
        return [
            ChatReply(take_apart(*plain_content(_mapping(c.get("content")).get("parts"))), c.get("finishReason"), i)
            for i, c in enumerate(candidates)
            if isinstance(c, Mapping)
        ]
    for name in ("message", "output", "completion"):
        if isinstance(message := body.get(name), Mapping) and message.get("role") == "assistant":
            return [ChatReply(_reply(message), body.get("done_reason"))]
    completion = _messages({"messages": body.get("completion")})
    if completion and completion[-1][0] == "assistant":
        return [ChatReply(_reply(completion[-1][1]))]
    if body.get("role") == "assistant" and body.get("type") == "message":
        return [ChatReply(_reply(body), body.get("stop_reason"))]
    return []


def _choice(choice: Mapping[str, Any], number: int) -> ChatReply | None:
    index = choice.get("index")
    sample = index if isinstance(index, int) else number
    message = choice.get("message")
    if isinstance(message, Mapping):
        refusal = str(message["refusal"]) if message.get("refusal") else None
        return ChatReply(
            _reply(message), "refusal" if refusal else choice.get("finish_reason"), sample, refusal=refusal
        )
    text = choice.get("text")
    # Options may be called choices and have a text too; a completion says why it ended.
    if not isinstance(text, str) or not {"finish_reason", "logprobs"} & choice.keys():
        return None
    return ChatReply(take_apart(text), choice.get("finish_reason"), sample)


def _reply(message: Mapping[str, Any]) -> Reply:
    content, thought = plain_content(message.get("content"))
    return take_apart(content, message_reasoning(message) or thought)


def _error(row: Mapping[str, Any]) -> str | None:
    """Return the API's own words where a line of a batch file holds an error."""
    response, result = _mapping(row.get("response")), _mapping(row.get("result"))
    status = response.get("status_code")
    body = _mapping(response.get("body"))
    for error in (row.get("error"), body.get("error"), result.get("error"), response.get("error")):
        if isinstance(error, Mapping):
            inner = _mapping(error.get("error")) or error
            words = [
                str(part) for part in (status, inner.get("code") or inner.get("type"), inner.get("message")) if part
            ]
            return ": ".join(words)
        if isinstance(error, str) and error:
            return error
    if result.get("type") in ("expired", "canceled", "errored"):
        return str(result["type"])
    if isinstance(status, int) and status >= 400:
        return str(status)
    return None


def _count(usage: Mapping[str, Any], *names: str) -> int | None:
    value = next((usage[name] for name in names if name in usage), None)
    return value if isinstance(value, int) and value >= 0 else None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
