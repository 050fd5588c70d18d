"""SHA-256 of files."""

from __future__ import annotations

import hashlib
from pathlib import Path

_digests: dict[tuple[str, int, int, int], str] = {}


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def cached_file_digest(path: Path) -> str:
    """Return the SHA-256 of a file; this process computes it again only where size or times of the file changed.

    For weights, which are large. A small file may change twice within one tick of the file system's clock.
    """
    stat = path.stat()
    # The time of the last change of the entry cannot be set back, unlike that of the contents.
    key = (str(path.resolve()), stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
    if key not in _digests:
        _digests[key] = file_digest(path)
    return _digests[key]
