"""Paths that say what stands at them, or that nothing of a question does."""

from __future__ import annotations

from tracejury.traces.tables.names import plain

NO_ARMS = {"gold", "correct", "expected", "reference", "ground_truth", "groundtruth", "raw", "full", "clean", "model"}
_MESSAGES = {
    "messages", "conversations", "conversation", "convo", "dialogue", "dialog", "chat", "turns", "choices", "contents",
    "history", "origin_prompt",
}  # fmt: skip
API_FIELDS = {
    "body",
    "response",
    "result",
    "error",
    "object",
    "created",
    "usage",
    "method",
    "url",
    "system_fingerprint",
}


def is_named_gold(path: str) -> bool:
    """Whether a name says that a reference, and no reply, stands there."""
    return any(word in plain(path) for word in ("gold", "correct", "expected", "reference", "truth"))


def inside_messages(path: str) -> bool:
    """Whether a path leads into a conversation."""
    return bool(_MESSAGES & {part.lower() for part in path.split(".")})
