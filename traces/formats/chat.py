"""Chat logs in the OpenAI style: JSON lines with `messages`, or with completions and the messages they answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tracejury.traces.contracts import Reader, ReadItem
from tracejury.traces.formats.exchanges import checked, fetch, plain_content, question_of, take_apart, trace_of
from tracejury.traces.formats.lines import Line, invalid, json_lines
from tracejury.traces.formats.place import Placed, files_under
from tracejury.traces.records import Problem

_HINT = 'a line has "messages" that end with the assistant\'s, or "choices"; see --map for where other fields stand'


class Chat(Placed):
    """The last user message is the question, the assistant's reply to it the trace.

    Reasoning is taken from `reasoning_content`, `reasoning`, parts of type reasoning, or `<think>` tags; where there is
    any, it is the trace's text and the reply's own words are kept in `meta.final`. Understood are `messages` with the
    reply in them, a completion (`choices`, several of them as samples), and lines of a batch output (`response.body`).
    Other fields are taken from the line or its `metadata` under their own names, or from where `fields` says.
    """

    name = "chat"
    summary = "OpenAI-style JSON lines: messages, reasoning_content, <think>; --map gold=..."

    def __init__(self, fields: Mapping[str, str] | None = None) -> None:
        self.fields = checked(fields)

    def read(self, path: Path) -> Iterator[ReadItem]:
        """Yield each line's question, then the replies to it."""
        for file in files_under(path, "*.jsonl"):
            for line in json_lines(file):
                self.at(file, line.number if isinstance(line, Line) else line.line)
                if isinstance(line, Problem):
                    yield line
                else:
                    yield from self._line(file, line)

    def _line(self, file: Path, line: Line) -> Iterator[ReadItem]:
        data = line.data
        replies = _replies(data)
        text = self._field(data, "text") if "text" in self.fields else None
        if isinstance(text, str):
            replies = [{"message": {"content": text}}]
        if not replies:
            yield self.problem("there is no assistant message and no choice", _HINT)
            return
        prompt = self._field(data, "stem") or _prompt(data)
        if not isinstance(prompt, str) or not prompt.strip():
            hint = "name the field that holds the question, such as --map stem=prompt"
            yield self.problem("there is no user message to take the question from", hint)
            return
        try:
            yield from self._records(data, prompt, replies)
        except ValidationError as error:
            yield invalid(file, line.number, error, _HINT)

    def _records(self, data: dict[str, Any], prompt: str, replies: list[dict[str, Any]]) -> Iterator[ReadItem]:
        get = self._field
        question = question_of(
            prompt,
            get(data, "options"),
            get(data, "gold"),
            explanation=get(data, "explanation"),
            source=str(get(data, "source") or "chat"),
            split=get(data, "split"),
            key=str(get(data, "id") or ""),
        )
        yield question
        body = _body(data)
        for number, reply in enumerate(replies):
            message = reply.get("message") or {}
            content, thought = plain_content(message.get("content"))
            reasoning = message.get("reasoning_content") or message.get("reasoning") or thought
            yield trace_of(
                question,
                take_apart(content, reasoning if isinstance(reasoning, str) else None),
                answer=get(data, "answer"),
                model=str(get(data, "model") or body.get("model") or "unknown"),
                arm=str(get(data, "arm") or "base"),
                sample=get(data, "sample") or reply.get("index", number),
                finish_reason=reply.get("finish_reason"),
                # Usage counts all choices together.
                prompt_tokens=_usage(body, "prompt_tokens") if len(replies) == 1 else None,
                completion_tokens=_usage(body, "completion_tokens") if len(replies) == 1 else None,
                meta={name: get(data, name) for name in ("teacher", "hint_used")} | {"key": data.get("custom_id")},
            )

    def _field(self, data: dict[str, Any], name: str) -> Any:
        return fetch(data, name, self.fields, name, f"metadata.{name}")


def _body(data: Mapping[str, Any]) -> Mapping[str, Any]:
    response = data.get("response")
    body = response.get("body", response) if isinstance(response, Mapping) else data
    return body if isinstance(body, Mapping) else {}


def _usage(body: Mapping[str, Any], name: str) -> int | None:
    usage = body.get("usage")
    value = usage.get(name) if isinstance(usage, Mapping) else None
    return value if isinstance(value, int) else None


def _messages(data: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    request = data.get("request")
    for holder in (data, request if isinstance(request, Mapping) else {}, _body(data)):
        messages = holder.get("messages")
        if isinstance(messages, list):
            return [m for m in messages if isinstance(m, Mapping)]
    return []


def _replies(data: Mapping[str, Any]) -> list[dict[str, Any]]:
    choices = _body(data).get("choices")
    if isinstance(choices, list) and choices:
        return [dict(c) for c in choices if isinstance(c, Mapping) and isinstance(c.get("message"), Mapping)]
    messages = _messages(data)
    return [{"message": dict(messages[-1])}] if messages and messages[-1].get("role") == "assistant" else []


def _prompt(data: Mapping[str, Any]) -> str | None:
    user_messages = [m for m in _messages(data) if m.get("role") == "user"]
    return plain_content(user_messages[-1].get("content"))[0] if user_messages else None


def chat(fields: Mapping[str, str] | None = None) -> Reader:
    """Make the `chat` reader; `fields` maps a field to the dotted path where a line has it."""
    return Chat(fields)
