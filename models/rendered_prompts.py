"""Rendered prompts, stored with every call; a part that prompts share is stored once, by its hash.

A message is split after every fenced text. Rules, vignette, earlier steps and passages come before what differs by
judge, so the judges of a step share all parts but the last, and the steps of a trace share most of them.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from tracejury.models.tables import model_prompt, model_prompt_part

_AFTER_FENCE = re.compile(r"(?<=</data_[0-9a-f]{12}>)")
_ROWS_PER_QUERY = 500


class PromptMessage(NamedTuple):
    """A message as it was sent, with its fences."""

    role: str
    content: str


class SplitPrompt(NamedTuple):
    """A prompt as it is stored."""

    layout: str
    """JSON: for each message, its role and the ids of its parts."""
    parts: dict[str, str]
    """Id -> text."""


def split_prompt(messages: Sequence[Mapping[str, Any]]) -> SplitPrompt:
    """Return a prompt in the form that is stored; a message that calls tools is stored as its calls."""
    parts: dict[str, str] = {}
    layout = []
    for message in messages:
        # Postgres stores no NUL, and a reply that is repaired may have one.
        content = message["content"] or json.dumps(message.get("tool_calls") or "", ensure_ascii=False).strip('"')
        texts = [text for text in _AFTER_FENCE.split(content.replace("\0", "")) if text]
        ids = [hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32] for text in texts]
        parts.update(zip(ids, texts, strict=True))
        layout.append([message["role"], ids])
    return SplitPrompt(json.dumps(layout, separators=(",", ":")), parts)


def read_prompts(connection: Connection, call_ids: Collection[str]) -> dict[str, tuple[PromptMessage, ...]]:
    """Return call id -> its prompt, for those calls that have one: calls of earlier versions have none."""
    layouts: dict[str, list[Any]] = {}
    for chunk in _chunks(sorted(call_ids)):
        rows = connection.execute(select(model_prompt).where(model_prompt.c.call_id.in_(chunk)))
        layouts |= {row.call_id: json.loads(row.layout) for row in rows}
    part_ids = sorted({part for layout in layouts.values() for _, ids in layout for part in ids})
    texts: dict[str, str] = {}
    for chunk in _chunks(part_ids):
        rows = connection.execute(select(model_prompt_part).where(model_prompt_part.c.id.in_(chunk)))
        texts |= {row.id: row.text for row in rows}
    return {
        call_id: tuple(PromptMessage(role, "".join(texts[part] for part in ids)) for role, ids in layout)
        for call_id, layout in layouts.items()
    }


def _chunks(ids: Sequence[str]) -> list[Sequence[str]]:
    return [ids[i : i + _ROWS_PER_QUERY] for i in range(0, len(ids), _ROWS_PER_QUERY)]
