"""Replies in the shapes that servers and models send: usable ones in odd clothes, and broken ones.

A shape is what the mode `shape:NAME` of the model server sends. GOOD is the JSON of a good reply.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from aiohttp import web

from servers.replies import completion

Content = Callable[[str, dict[str, Any]], Any]


def _with(**changes: Any) -> Content:
    return lambda good, reply: json.dumps(reply | changes)


def _text(template: str) -> Content:
    return lambda good, reply: template.replace("GOOD", good)


# The message's content, from a good reply (as text, and as an object). All of them can be read.
READABLE: dict[str, Content] = {
    "fence": _text("```json\nGOOD\n```"),
    "fence and braces in prose": _text("Here is {my} review:\n\n```json\nGOOD\n```\n\n{Ask} me."),
    "think": _text("<think>\nthe step {x} is fine\n</think>\nGOOD"),
    "think with a draft": lambda good, reply: f"<think>{json.dumps(reply | {'label': 'error'})}</think>{good}",
    "think without a beginning": _text('Okay, it must look like {"label": ...}. Fine.\n</think>\n\nGOOD'),
    "thinking": _text("<thinking>I check {a}.</thinking>\nGOOD"),
    "bracketed think": _text("[THINK]I check {a}.[/THINK]GOOD"),
    "harmony": _text(
        "<|channel|>analysis<|message|>We need {json}.<|end|>"
        "<|start|>assistant<|channel|>final<|message|>GOOD<|return|>"
    ),
    "twice": _text("GOOD\nGOOD"),
    "second thoughts": lambda good, reply: f"{json.dumps(reply | {'label': 'error'})}\n\nOn reflection:\n\n{good}",
    "list": _text("[GOOD]"),
    "wrapped": _text('{"response": GOOD}'),
    "JSON in a string": lambda good, reply: json.dumps(good),
    "comma too many": lambda good, reply: good[:-1] + ",}",
    "Python": lambda good, reply: str(reply),
    "curly quotes": lambda good, reply: good.replace('"', "\u201d"),
    "line break in a string": lambda good, reply: good.replace("ok", "o\nk"),
    "spaces": _text("\u00a0\ufeffGOOD\u00a0"),
    "label in capitals": lambda good, reply: json.dumps(reply | {"label": str(reply["label"]).upper()}),
    "half a surrogate": lambda good, reply: good.replace("ok", "\\ud83d ok"),
    "NUL": lambda good, reply: good.replace("ok", "\\u0000 ok"),
    "field too many": _with(explanation="x"),
    "key twice": lambda good, reply: good[:-1] + ', "label": ' + json.dumps(reply["label"]) + "}",
    "parts": lambda good, reply: [{"type": "thinking", "thinking": "{"}, {"type": "text", "text": good}],
}

# Neither can be read, nor are they failures of the endpoint: they are repaired once.
UNREADABLE: dict[str, Content] = {
    "label alone": lambda good, reply: str(reply["label"]),
    "number": lambda good, reply: 7,
    "NaN": lambda good, reply: good.replace('"ok"', "NaN"),
    "deep nesting": lambda good, reply: "[" * 100_000,
}


def _message(**fields: Any) -> Callable[[dict[str, Any], str], None]:
    def change(body: dict[str, Any], good: str) -> None:
        filled = {k: json.loads(json.dumps(v).replace('"GOOD"', json.dumps(good))) for k, v in fields.items()}
        body["choices"][0]["message"] = {"role": "assistant", "content": None} | filled

    return change


def _usage(usage: Any) -> Callable[[dict[str, Any], str], None]:
    return lambda body, good: body.update(usage=usage)


def _tokens(prompt: Any, reply: Any, **more: Any) -> Callable[[dict[str, Any], str], None]:
    return _usage({"prompt_tokens": prompt, "completion_tokens": reply, **more})


# Changes of a whole completion with a good reply in it. All of them can be read.
COMPLETIONS: dict[str, Callable[[dict[str, Any], str], None]] = {
    "tool call": _message(tool_calls=[{"id": "c", "type": "function", "function": {"name": "f", "arguments": "GOOD"}}]),
    "function call": _message(function_call={"name": "f", "arguments": "GOOD"}),
    "reasoning only": _message(reasoning_content="GOOD"),
    "other reasoning only": _message(content="", reasoning="GOOD"),
    "reasoning beside": _message(content="GOOD", reasoning_content="Hmm {x}."),
    "no role": lambda body, good: body["choices"][0]["message"].pop("role"),
    "no finish reason": lambda body, good: body["choices"][0].update(finish_reason=None),
    "usage null": _usage(None),
    "usage a list": _usage([1]),
    "usage in text": _tokens("2000", "40"),
    "usage in fractions": _tokens(2000.5, 40.5),
    "usage NaN": _tokens(float("nan"), float("nan")),
    "usage infinite": _tokens(float("inf"), 40),
    "usage negative": _tokens(-5, -40),
    "usage immense": _tokens(10**30, 10**30),
    "usage of words": _tokens("many", None),
    "usage of the rest": _tokens(12, 40),
    "usage without details": _tokens(2000, 40, prompt_tokens_details=None),
    "usage with odd details": _tokens(2000, 40, prompt_tokens_details={"cached_tokens": 10**9}),
}

# Whole bodies with status 200 that are no completion.
BODIES: dict[str, bytes] = {
    "null": b"null",
    "array": b"[]",
    "string": b'"ok"',
    "nothing": b"",
    "error": b'{"error": {"message": "upstream overloaded", "code": 503}}',
    "error in text": b'{"error": "model is loading"}',
    "web page": b"<html><body>nginx welcome</body></html>",
    "stream": b'data: {"id": "x"}\n\ndata: [DONE]\n\n',
    "deep body": b'{"choices": ' + b"[" * 100_000,
    "choice with an error": b'{"choices": [{"index": 0, "error": {"code": 502, "message": "up"}}]}',
    "other JSON": b'{"status": "fine"}',
}


def response(name: str, body: dict[str, Any], good: str, prompt: str, key: str | None) -> web.Response:
    """Return the response of a shape."""
    if name == "key in an error":
        message = f"Incorrect API key provided: {key}"
        return web.json_response({"error": {"message": message, "code": "upstream_error"}})
    if name == "key as a finish reason":
        return web.json_response(completion(body, good, prompt, finish=str(key)))
    if name == "other encoding":
        text = json.dumps(completion(body, good.replace("ok", "\u00e9"), prompt), ensure_ascii=False)
        return web.Response(body=text.encode("latin-1"), content_type="application/json")
    if name in BODIES:
        return web.Response(body=BODIES[name], content_type="application/json")
    whole = completion(body, good, prompt)
    if name == "usage of thousands of digits":
        text = json.dumps(whole).replace('"prompt_tokens": ', '"prompt_tokens": ' + "9" * 5000)
        return web.Response(text=text, content_type="application/json")
    if name in COMPLETIONS:
        COMPLETIONS[name](whole, good)
    else:
        whole["choices"][0]["message"]["content"] = (READABLE | UNREADABLE)[name](good, json.loads(good))
    return web.Response(text=json.dumps(whole), content_type="application/json")
