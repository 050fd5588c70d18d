"""SHA-256 of weight files, computed once for as long as a file stays as it is."""

from __future__ import annotations

import hashlib
from pathlib import Path

_digests: dict[tuple[str, int, int, int], str] = {}


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file; this process computes it again only where size or times of the file changed."""
    stat = path.stat()
    # The time of the last change of the entry cannot be set back, unlike that of the contents.
    key = (str(path.resolve()), stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
    if key not in _digests:
        with path.open("rb") as stream:
            _digests[key] = hashlib.file_digest(stream, "sha256").hexdigest()
    return _digests[key]
