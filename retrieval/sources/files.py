"""Files that sources read: which they are, what version they have, and what is too much."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from tracejury.storage import file_digest
from tracejury.traces import Problem


def existing_file(path: str, what: str) -> Path:
    """Return the path of a file that is there.

    Raises:
        FileNotFoundError: It is not; the message says what was wanted.
    """
    file = Path(path).expanduser()
    if not file.is_file():
        raise FileNotFoundError(f"{file}: no such file; give the path of {what}")
    return file


def file_version(path: Path) -> str:
    """Return a version that changes with the file's content."""
    return "sha256:" + file_digest(path)[:12]


def files_version(paths: Iterable[Path]) -> str:
    """Return a version that changes with any of the files, by name and content."""
    total = hashlib.sha256()
    for path in sorted(paths):
        try:
            version = file_version(path)
        except OSError:
            # Reading it tells what is wrong; once it can be read, the version changes.
            version = "cannot be read"
        total.update(f"{path.name}\0{version}\n".encode("utf-8", "surrogateescape"))
    return "sha256:" + total.hexdigest()[:12]


def too_large(path: Path, max_mb: float) -> Problem | None:
    """Return the problem with a file over `max_mb` megabytes, or None."""
    size = path.stat().st_size / 1e6
    if size <= max_mb:
        return None
    return Problem(
        file=str(path),
        reason=f"{size:.0f} MB, over the limit of {max_mb:g} MB for one file",
        hint=f"split it, or raise the limit: --set max_mb={int(size) + 1}",
    )
