"""Whole files that hold one JSON value, gone through item by item, with the line on which each item begins."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tracejury.traces.formats.lines import foreign, json_lines, unreadable
from tracejury.traces.records import Problem


class Item(NamedTuple):
    """One element of the file's list, or one entry of its object; `line` from 1."""

    line: int
    key: str | None
    value: Any


_SPACE = " \t\r\n"


def json_items(path: Path) -> Iterator[Item | Problem]:
    """Yield the elements of a JSON list, the entries of a JSON object, or the objects of JSON lines.

    Only the file's text is held in memory, never all of its items. JSON that breaks off gives what stands before the
    break, then a problem.
    """
    if path.suffix == ".jsonl":
        for line in json_lines(path):
            yield line if isinstance(line, Problem) else Item(line.number, None, line.data)
        return
    text = decoded(path)
    if isinstance(text, Problem):
        yield text
        return
    try:
        yield from _items(text, path)
    except json.JSONDecodeError as error:
        what = f"not valid JSON: {error.msg} at column {error.colno}; reading stops here"
        yield Problem(file=str(path), line=error.lineno, reason=what, hint="correct the file, or fetch it again")
    except RecursionError:
        yield Problem(file=str(path), reason="JSON nested too deeply", hint="flatten or remove the nested value")


def decoded(path: Path) -> str | Problem:
    """Return the file's text, or the problem that it is not readable UTF-8."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        return unreadable(path, error)
    if problem := foreign(path, raw):
        return problem
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        what = f"not valid UTF-8 at byte {error.start} (0x{raw[error.start]:02x})"
        at = raw.count(b"\n", 0, error.start) + 1
        return Problem(file=str(path), line=at, reason=what, hint="convert it, for instance with iconv -t UTF-8")


def _items(text: str, path: Path) -> Iterator[Item | Problem]:
    decoder = json.JSONDecoder()
    at, line, counted = _skip(text, 0), 1, 0
    if at == len(text):
        yield Problem(file=str(path), reason="the file is empty", hint="fetch it again")
        return
    opened = text[at]
    if opened not in "[{":
        raise json.JSONDecodeError("expecting a list or an object", text, at)
    closing = "]" if opened == "[" else "}"
    at = _skip(text, at + 1)
    while at < len(text) and text[at] != closing:
        line, counted = line + text.count("\n", counted, at), at
        key = None
        if opened == "{":
            key, at = decoder.raw_decode(text, at)
            at = _skip(text, at)
            if not isinstance(key, str) or text[at : at + 1] != ":":
                raise json.JSONDecodeError("expecting a name and ':'", text, at)
            at = _skip(text, at + 1)
        value, at = decoder.raw_decode(text, at)
        yield Item(line, key, value)
        at = _skip(text, at)
        if text[at : at + 1] == ",":
            at = _skip(text, at + 1)
        elif at < len(text) and text[at] != closing:
            raise json.JSONDecodeError(f"expecting ',' or '{closing}'", text, at)
    if at == len(text):
        raise json.JSONDecodeError(f"expecting '{closing}': the file ends too early", text, at)
    if (rest := _skip(text, at + 1)) < len(text):
        raise json.JSONDecodeError("something follows the end of the JSON value", text, rest)


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in _SPACE:
        at += 1
    return at
