"""The vocabulary in the header of a GGUF file, read entry by entry; the weights behind it are not touched.

The layout is that of the GGUF specification, versions 2 and 3: magic, version, number of tensors, number of entries,
then each entry as key, type and value, little-endian.
"""

from __future__ import annotations

import struct
from collections.abc import Collection
from pathlib import Path
from typing import IO

_TOKENS, _TYPES = "tokenizer.ggml.tokens", "tokenizer.ggml.token_type"
_VERSIONS = (2, 3)
_STRING, _ARRAY = 8, 9
_BYTES_OF = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
"""Bytes of a value of each type of fixed size."""
_MOST_BYTES = 1 << 24
"""Bytes of the longest text that a header may hold, a chat template for instance."""
_MOST_ITEMS = 1 << 24
_MOST_DEPTH = 4


class GGUFHeaderError(ValueError):
    """A file has no header of a GGUF that can be read."""


def gguf_tokens(path: Path, types: Collection[int]) -> list[tuple[str, int]]:
    """Return the tokens of these types with their types, in the order of their ids; [] where the header has none.

    Args:
        path: The file.
        types: `tokenizer.ggml.token_type`: 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte.

    Raises:
        GGUFHeaderError: The file is no GGUF, or its header is cut off or of an unknown version.
        OSError: It cannot be read.
    """
    with path.open("rb") as stream:
        if stream.read(4) != b"GGUF":
            raise GGUFHeaderError(f"{path} is not a GGUF file (it does not begin with 'GGUF')")
        header = _Header(stream, path)
        if (version := header.number(4)) not in _VERSIONS:
            raise GGUFHeaderError(f"{path} is of GGUF version {version}; versions 2 and 3 can be read")
        header.number(8)
        texts: list[bytes] = []
        token_types: tuple[int, ...] = ()
        for _ in range(header.number(8)):
            key, kind = header.text().decode("utf-8", "replace"), header.number(4)
            if key == _TOKENS:
                texts = header.texts(kind)
            elif key == _TYPES:
                token_types = header.integers(kind)
            else:
                header.skip(kind)
            if texts and token_types:
                break
    # Without types nothing tells a control token from a word.
    return [
        (text.decode("utf-8", "replace"), type_)
        for text, type_ in zip(texts, token_types, strict=False)
        if type_ in types
    ]


class _Header:
    """Reads one value after the other."""

    def __init__(self, stream: IO[bytes], path: Path) -> None:
        self._stream = stream
        self._path = path
        self._size = path.stat().st_size

    def number(self, width: int) -> int:
        return int.from_bytes(self._bytes(width), "little")

    def text(self) -> bytes:
        return self._bytes(self._bounded(self.number(8), _MOST_BYTES))

    def texts(self, kind: int) -> list[bytes]:
        item, count = self._array(kind)
        if item != _STRING:
            raise self._broken(f"{_TOKENS} holds no texts")
        return [self.text() for _ in range(count)]

    def integers(self, kind: int) -> tuple[int, ...]:
        item, count = self._array(kind)
        if item not in (4, 5):
            raise self._broken(f"{_TYPES} holds no whole numbers")
        return struct.unpack(f"<{count}i", self._bytes(4 * count))

    def skip(self, kind: int, depth: int = 0) -> None:
        if kind == _STRING:
            self._forward(self.number(8))
        elif kind in _BYTES_OF:
            self._forward(_BYTES_OF[kind])
        elif kind == _ARRAY and depth < _MOST_DEPTH:
            item, count = self._array(kind)
            if item in _BYTES_OF:
                self._forward(_BYTES_OF[item] * count)
                return
            for _ in range(count):
                self.skip(item, depth + 1)
        else:
            raise self._broken(f"a value of type {kind}")

    def _array(self, kind: int) -> tuple[int, int]:
        if kind != _ARRAY:
            raise self._broken("a value where a list is due")
        return self.number(4), self._bounded(self.number(8), _MOST_ITEMS)

    def _forward(self, length: int) -> None:
        if self._stream.tell() + length > self._size:
            raise self._broken("it is cut off")
        self._stream.seek(length, 1)

    def _bytes(self, length: int) -> bytes:
        value = self._stream.read(length)
        if len(value) != length:
            raise self._broken("it is cut off")
        return value

    def _bounded(self, number: int, most: int) -> int:
        if number > most:
            raise self._broken(f"a length of {number}")
        return number

    def _broken(self, problem: str) -> GGUFHeaderError:
        return GGUFHeaderError(f"the header of {self._path} cannot be read: {problem}")
