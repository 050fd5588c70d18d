"""Checksums of an index's files: native code that reads a cut file ends the process, so they are held to them first."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

CHECKSUMS = "checksums.json"
_REWRITTEN = ("length.bin", "header.bin")
"""Files of which Chroma writes unused bytes anew when it opens them: their size is all that stays."""


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
    with path.open("rb") as file:
        return {"size": size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}
