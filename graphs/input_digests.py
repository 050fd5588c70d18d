"""Digests of a batch's files, so that a run is not resumed over inputs that have changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from tracejury.storage import file_digest


def input_digests(paths: Iterable[str | Path]) -> dict[str, str]:
    """Return path -> SHA-256 of a file, or of the names and contents of a folder's files. Other inputs have none."""
    return {str(path): _digest(Path(path)) for path in paths if Path(path).exists()}


def _digest(path: Path) -> str:
    if path.is_file():
        return file_digest(path)
    files = sorted(part for part in path.rglob("*") if part.is_file())
    lines = (f"{part.relative_to(path).as_posix()} {_digest(part)}\n" for part in files)
    return hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()
