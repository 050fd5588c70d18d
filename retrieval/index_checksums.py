"""Checksums of an index's files: native code that reads a cut file ends the process, so they are held to them first."""

from __future__ import annotations

import hashlib
import json
import struct
from pathlib import Path
from typing import Any

CHECKSUMS = "checksums.json"
_REWRITTEN = ("length.bin", "header.bin")
"""Files of which Chroma writes unused bytes anew when it opens them: their size is all that stays."""
_VECTORS, _HEADER = "data_level0.bin", struct.Struct("<i4Q")
"""Vectors with their links; hnswlib's header: version, offset, places, used places, bytes a place."""
_BLOCK = 1 << 20


def write_checksums(folder: Path) -> None:
    """Write the sizes and hashes of a finished generation's vector files beside them."""
    body = {str(path.relative_to(folder)): _sums(path) for path in _vector_files(folder)}
    (folder / CHECKSUMS).write_text(json.dumps(body, indent=1) + "\n", "utf-8")


def changed_file(folder: Path) -> str | None:
    """Return what is wrong with the first file that is not as it was written; None: all are, or nothing is known."""
    path = folder / CHECKSUMS
    if not path.is_file():
        # An index of an earlier version, or one that is being built.
        return None
    try:
        expected: dict[str, dict[str, Any]] = json.loads(path.read_text("utf-8"))
    except ValueError:
        return f"{path} cannot be read"
    for name, sums in expected.items():
        file = folder / name
        if not file.is_file():
            return f"{file} is missing"
        if _sums(file) != sums:
            return f"{file} was changed or cut after it was written"
    return None


def _vector_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix in (".bin", ".pickle"))


def _sums(path: Path) -> dict[str, Any]:
    size = path.stat().st_size
    if path.name in _REWRITTEN:
        return {"size": size}
    left, digest = _bytes_used(path, size), hashlib.sha256()
    with path.open("rb") as file:
        while left > 0 and (block := file.read(min(left, _BLOCK))):
            digest.update(block)
            left -= len(block)
    return {"size": size, "sha256": digest.hexdigest()}


def _bytes_used(path: Path, size: int) -> int:
    """Return how much of a file means something: places without a vector hold whatever was in memory."""
    header = path.parent / "header.bin"
    if path.name != _VECTORS or not header.is_file() or header.stat().st_size < _HEADER.size:
        return size
    used_places, bytes_a_place = _HEADER.unpack(header.read_bytes()[: _HEADER.size])[3:]
    return min(size, int(used_places) * int(bytes_a_place))
