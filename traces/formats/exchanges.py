"""Records made from a question and a reply whose fields stand wherever a file has them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from tracejury.traces.answers import extract_answer
from tracejury.traces.formats.shapes import gold_key, lift, options_of, split_prompt
from tracejury.traces.records import Question, Trace

FIELDS = (
    "id",
    "stem",
    "options",
    "gold",
    "explanation",
    "source",
    "split",
    "model",
    "arm",
    "sample",
    "text",
    "answer",
    "teacher",
    "hint_used",
)
"""What `--map FIELD=NAME` may name on its left side."""

_THINK = re.compile(r"<think(?:ing)?>(.*?)(?:</think(?:ing)?>|\Z)", re.DOTALL | re.IGNORECASE)


class Reply(NamedTuple):
    """A reply taken apart: the reasoning to be judged, and the closing words where they stand apart from it."""

    text: str
    final: str | None


def take_apart(content: str, reasoning: str | None) -> Reply:
    """Return the reasoning of a reply: what the server gave apart, what stands in think tags, or the whole reply.

    Some templates open the tag in the prompt, so a reply may close one that it never opened.
    """
    if reasoning and reasoning.strip():
        return Reply(reasoning, content)
    if re.search(r"</think(?:ing)?>", content, re.IGNORECASE) and not re.search(r"<think", content, re.IGNORECASE):
        content = f"<think>{content}"
    thoughts = [m.group(1).strip() for m in _THINK.finditer(content)]
    if any(thoughts):
        return Reply("\n\n".join(t for t in thoughts if t), _THINK.sub(" ", content).strip())
    return Reply(_THINK.sub("", content) if thoughts else content, None)


def plain_content(content: object) -> tuple[str, str | None]:
    """Return the text and the reasoning of a message's content: a string, or a list of parts."""
    if isinstance(content, str):
        return content, None
    parts = content if isinstance(content, list) else []
    text = "\n".join(str(p.get("text", "")) for p in parts if isinstance(p, Mapping) and "text" in p)
    thoughts = [str(p.get("reasoning") or p.get("thinking") or "") for p in parts if isinstance(p, Mapping)]
    return text, "\n\n".join(t for t in thoughts if t) or None


def checked(fields: Mapping[str, str] | None) -> dict[str, str]:
    """Return a mapping of fields, or say which of its names is not a field.

    Raises:
        ValueError: A name on the left side is none of `FIELDS`.
    """
    unknown = [name for name in fields or () if name not in FIELDS]
    if unknown:
        raise ValueError(f"--map knows no field {unknown[0]!r}; it knows {', '.join(FIELDS)}")
    return dict(fields or {})


def fetch(data: Mapping[str, Any], name: str, fields: Mapping[str, str], *defaults: str) -> object:
    """Return the value of a field: where `fields` says that it stands, else at the first default that holds one.

    A place that begins with a colon is the value itself: `arm=:distilled` for a file of one arm.
    """
    if name in fields and fields[name].startswith(":"):
        return fields[name][1:]
    if name in fields:
        return lift(data, fields[name])
    return next((v for path in defaults if (v := lift(data, path)) is not None and v != ""), None)


def question_of(prompt: str, options: object, gold: object, **more: Any) -> Question:
    """Make a question of a prompt; options that are not given are looked for in it."""
    option_texts, stem = options_of(options), prompt.strip()
    if not option_texts:
        stem, option_texts = split_prompt(prompt)
    return Question(stem=stem, options=option_texts, gold=gold_key(gold, option_texts), **more)


def trace_of(question: Question, reply: Reply, answer: object = None, **more: Any) -> Trace:
    """Make a trace of a reply; its answer is looked for in the closing words first."""
    key = gold_key(answer, question.options)
    for part in (reply.final, reply.text):
        if key is None and part:
            key = extract_answer(part, question.options)
    meta = {k: v for k, v in more.pop("meta", {}).items() if v is not None}
    if reply.final is not None:
        meta["final"] = reply.final
    return Trace(question_id=question.id, text=reply.text, answer=key, meta=meta, **more)
