"""Shapes that options, answers and nested fields take in files of no fixed format."""

from __future__ import annotations

import re
from collections.abc import Mapping
from string import ascii_uppercase

_LETTERED = re.compile(r"(?:\A|\n)[ \t]*[(*]*([A-J])[)*]*[.:)][ \t*]*([^\n]+)")


def lift(data: object, path: str) -> object:
    """Return what stands at a dotted path, such as `doc.options` or `choices.0.message`; None where nothing does."""
    for part in path.split("."):
        if isinstance(data, Mapping):
            data = data.get(part)
        elif isinstance(data, list) and part.isdecimal() and int(part) < len(data):
            data = data[int(part)]
        else:
            return None
    return data


def options_of(value: object) -> dict[str, str]:
    """Return options by key, from a mapping, a list of texts, `{"text": [...], "label": [...]}` or a list of such."""
    if isinstance(value, Mapping):
        texts, labels = value.get("text"), value.get("label")
        if isinstance(texts, list) and isinstance(labels, list):
            return {str(k): str(v) for k, v in zip(labels, texts, strict=False)}
        return {str(k): str(v) for k, v in value.items() if v is not None and str(v).strip()}
    if not isinstance(value, list):
        return {}
    if all(isinstance(v, Mapping) and "text" in v for v in value):
        pairs = [(v.get("label", v.get("key")), v["text"]) for v in value]
        return {str(ascii_uppercase[i] if k is None else k): str(t) for i, (k, t) in enumerate(pairs[:26])}
    return {ascii_uppercase[i]: str(text) for i, text in enumerate(value[:26])}


def gold_key(value: object, options: Mapping[str, str]) -> str | None:
    """Return the key that a gold value means: a key, `(B)`, a 0-based index, or the option's text; else the value."""
    if isinstance(value, list):
        value = value[0] if len(value) == 1 else "".join(str(v) for v in value)
    if value is None or not str(value).strip():
        return None
    if isinstance(value, int) and not isinstance(value, bool) and options:
        keys = list(options)
        return keys[value] if str(value) not in options and 0 <= value < len(keys) else str(value)
    text = str(value).strip()
    bare = text.strip("()[]. ")
    if not options or text in options:
        return text
    if bare.upper() in options:
        return bare.upper()
    named = [key for key, option in options.items() if option.strip().casefold() == text.casefold()]
    return named[0] if len(named) == 1 else text


def split_prompt(prompt: str) -> tuple[str, dict[str, str]]:
    """Return the stem and the options of a prompt that lists them as `A. ...` lines from A on; else the prompt."""
    lines = list(_LETTERED.finditer(prompt))
    for first, match in enumerate(lines):
        run = lines[first:]
        letters = "".join(m.group(1) for m in run)
        length = next((n for n in range(len(run), 1, -1) if letters[:n] == ascii_uppercase[:n]), 0)
        if match.group(1) == "A" and length:
            options = {m.group(1): m.group(2).strip() for m in run[:length]}
            return prompt[: match.start()].strip(), options
    return prompt.strip(), {}
