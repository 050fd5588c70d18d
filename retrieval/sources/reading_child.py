"""The process that reads documents: `python -m tracejury.retrieval.sources.reading_child`, one path a line.

For each it writes lines of JSON: `{"place": ..., "text": ...}` a page, then `{"end": true}` or `{"reason": ..., "hint":
...}`. It has a limit of memory, so that a file that unpacks to gigabytes costs itself and not the run.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from tracejury.retrieval.sources.reading import UnreadableError, read_docx, read_html, read_pdf

READERS = {".pdf": read_pdf, ".docx": read_docx, ".html": read_html, ".htm": read_html}


def main() -> None:
    """Read until standard input ends."""
    _limit_memory(int(sys.argv[1]) << 20)
    for line in sys.stdin:
        path = Path(json.loads(line))
        try:
            for place, text in READERS[path.suffix.lower()](path):
                _say({"place": place, "text": text})
            _say({"end": True})
        except UnreadableError as bad:
            _say({"reason": bad.reason, "hint": bad.hint})
        except OSError as refused:
            reason = f"cannot be read: {refused.strerror or refused}"
            _say({"reason": reason, "hint": "check its permissions and the disk"})


def _limit_memory(limit_bytes: int) -> None:
    try:
        import resource
    except ModuleNotFoundError:  # Windows
        return
    resource.setrlimit(resource.RLIMIT_DATA, (limit_bytes, limit_bytes))


def _say(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
