"""The special tokens of the model that an endpoint serves, where its tokenizer is on this machine.

They are read from the header of a GGUF file, or from the tokenizer files of a Hugging Face folder. A server turns such
a text into one token with a meaning of its own (a change of role, an end of text) even inside a message, so fences
break it in everything that is data (`tracejury.models.fences`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from tracejury.models.local.gguf_header import gguf_tokens
from tracejury.models.local.weights import is_fetched, weights_path
from tracejury.models.records import Endpoint

FILES = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json")
"""The files of a folder that name special or added tokens."""
_LISTS = ("added_tokens", "added_tokens_decoder")
_SPECIAL_KEYS = ("_token", "special_tokens")
_CONTROL = frozenset({2, 3})
_USER_DEFINED = 4
# Tokenizers list the elements of HTML as words of their own, and texts use them as such.
_HTML = re.compile(
    r"</?(?:a|abbr|b|blockquote|body|br|caption|cite|code|col|dd|del|div|dl|dt|em|font|footer|h[1-6]|head|header|hr|html|i"
    r"|img|ins|li|link|main|mark|meta|nav|ol|p|pre|q|section|small|span|strike|strong|style|sub|sup|table|tbody|td|tfoot"
    r"|th|thead|title|tr|tt|u|ul|var)\s*/?>",
    re.IGNORECASE,
)
_SHAPE = re.compile(r"(?:[<\[{|\uff5c\uff1c\u27e8\u3008\u300c\u3010\u00ab]|\]~|(?P<sign>[^\w\s]|_)(?P=sign)).*[\W_]")
_SIGN = re.compile(r"[\W_]")
_MOST_CHARS = 200


class TokenizerError(ValueError):
    """The tokenizer that an endpoint names cannot be read."""


class SpecialToken(NamedTuple):
    """A token that a tokenizer treats apart from its words."""

    text: str
    is_control: bool
    """The tokenizer calls it special; False: it was added, as are tool marks, but also ordinary words."""

    @property
    def is_distinct(self) -> bool:
        """Whether its shape keeps it out of ordinary text.

        It has a letter or a digit and no line break, begins with a bracket or with the same sign twice, and ends with a
        sign (`<x_y>`, `[[X]]`, `]~b]`, `__end__`). One that is only added must also be more than a letter or a number
        in single brackets (`[1]`, `<b>`), and no element of HTML.
        """
        letters = _SIGN.sub("", self.text)
        if not letters or len(self.text) > _MOST_CHARS or not _SHAPE.fullmatch(self.text):
            return False
        is_letter_in_brackets = len(letters) == 1 and len(self.text) <= 3
        return self.is_control or not (is_letter_in_brackets or letters.isdigit() or _HTML.fullmatch(self.text))


def special_tokens(endpoint: Endpoint) -> tuple[str, ...]:
    """Return the special tokens of the model that `endpoint` serves, as far as no ordinary text has them.

    They come from the endpoint's `tokenizer`, else from its `model` where that is a GGUF file or a folder on this
    machine; () where neither is known.

    Raises:
        TokenizerError: The files are missing or cannot be read.
    """
    path = _tokenizer_path(endpoint)
    if path is None:
        return ()
    try:
        tokens = _tokens_at(path)
    except (OSError, ValueError) as unreadable:
        raise TokenizerError(
            f"endpoint {endpoint.name!r}: the tokenizer at {path} cannot be read: {unreadable}"
        ) from None
    return tuple(dict.fromkeys(token.text for token in tokens if token.is_distinct))


def _tokenizer_path(endpoint: Endpoint) -> Path | None:
    if endpoint.tokenizer is not None:
        return Path(endpoint.tokenizer).expanduser()
    if endpoint.kind == "embedded":
        return weights_path(endpoint.model) if is_fetched(endpoint.model) else None
    path = Path(endpoint.model).expanduser()
    return path if (path.suffix == ".gguf" and path.is_file()) or _files_in(path) else None


def _files_in(folder: Path) -> list[Path]:
    return [file for name in FILES if (file := folder / name).is_file()]


def _tokens_at(path: Path) -> list[SpecialToken]:
    files = _files_in(path) if path.is_dir() else [path]
    if not files:
        raise ValueError(f"the folder has none of {', '.join(FILES)}")
    stats = [(file, file.stat()) for file in files]
    return [token for file, stat in stats for token in _tokens_of_file(file, stat.st_size, stat.st_mtime_ns)]


@lru_cache(maxsize=32)
def _tokens_of_file(path: Path, size: int, modified_ns: int) -> tuple[SpecialToken, ...]:
    """Return the special and the added tokens of a file, read once as long as neither size nor time changes."""
    if path.suffix == ".json":
        found = [*_tokens_in(json.loads(path.read_bytes()))]
    else:
        found = [(text, type_ in _CONTROL) for text, type_ in gguf_tokens(path, (*_CONTROL, _USER_DEFINED))]
    # A server finds a token within a text whatever blanks stand beside it.
    return tuple(SpecialToken(text.strip().strip("\u2581"), is_control) for text, is_control in found)


def _tokens_in(content: Any, is_control: bool = False) -> Iterator[tuple[str, bool]]:
    """Yield text and specialness of the tokens that a tokenizer's JSON file names, whatever its layout.

    A token is `{"content": text, "special": bool}`, a text under a key such as `eos_token` or
    `additional_special_tokens`, or a key whose value is its id (`added_tokens.json`).
    """
    if isinstance(content, str) and is_control:
        yield content, True
    elif isinstance(content, list):
        for item in content:
            yield from _tokens_in(item, is_control)
    elif isinstance(content, dict) and isinstance(text := content.get("content"), str):
        yield text, is_control or content.get("special") is True
    elif isinstance(content, dict):
        for key, value in content.items():
            if type(value) is int:
                yield key, False
            elif key in _LISTS:
                yield from _tokens_in([*value.values()] if isinstance(value, dict) else value)
            elif key.endswith(_SPECIAL_KEYS):
                yield from _tokens_in(value, is_control=True)
