"""Rows of programs that nest their records deeply, put into plain fields: HELM's request states, ChatGPT's exports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def plain_row(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a row of a known program with plain fields; any other row as it is."""
    if "instance" in row and isinstance(row["instance"], Mapping) and isinstance(row.get("result"), Mapping):
        return _helm(row)
    if "current_node" in row and isinstance(row.get("mapping"), Mapping):
        return _chatgpt(row)
    return row


def _helm(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a request state of HELM: its instance is the question, its references the options, one of them correct."""
    instance, request = row["instance"], row.get("request") or {}
    references = [r for r in instance.get("references") or () if isinstance(r, Mapping)]
    texts = [(r.get("output") or {}).get("text") for r in references]
    correct = [text for r, text in zip(references, texts, strict=True) if "correct" in (r.get("tags") or ())]
    options = row.get("output_mapping") or (texts if len(texts) > 1 else None)
    completions = [c for c in row["result"].get("completions") or () if isinstance(c, Mapping)]
    return {
        "id": instance.get("id"),
        "question": (instance.get("input") or {}).get("text"),
        "options": options,
        "gold": correct[0] if len(correct) == 1 else correct or None,
        "split": instance.get("split"),
        "model": request.get("model"),
        "sample": row.get("train_trial_index") or None,
        "prompt_sent": request.get("prompt"),
        "completions": [c.get("text") for c in completions],
    }


def _chatgpt(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return an exported conversation as messages: the branch that ends at its current node."""
    nodes: Mapping[str, Any] = row["mapping"]
    messages: list[dict[str, Any]] = []
    name, passed = row.get("current_node"), set[object]()
    while isinstance(node := nodes.get(str(name)), Mapping) and name not in passed:
        passed.add(name)
        message = node.get("message")
        if isinstance(message, Mapping):
            content = message.get("content") or {}
            parts = [part for part in content.get("parts") or () if isinstance(part, str)]
            role = (message.get("author") or {}).get("role")
            text = "\n".join(parts).strip()
            if text and role in ("user", "assistant"):
                messages.insert(0, {"role": role, "content": text})
        name = node.get("parent")
    return {
        "id": row.get("conversation_id") or row.get("id"),
        "title": row.get("title"),
        "model": row.get("default_model_slug"),
        "messages": messages,
    }
