"""JSON lines, one object each, with the place of every line for messages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tracejury.storage import read_utf8


def json_objects(path: Path, one: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (FILE:LINE, object) of a file of JSON lines; empty lines are passed over.

    Args:
        path: The file.
        one: What one object stands for, for the message: `opinion`.

    Raises:
        ValueError: A line is no JSON object; the message names it.
    """
    # Split at line feeds alone: other line separators of Unicode may stand inside a JSON string.
    for number, line in enumerate(read_utf8(path).split("\n"), 1):
        if not line.strip():
            continue
        place = f"{path}:{number}"
        try:
            value = json.loads(line)
        except ValueError as error:
            raise ValueError(f"{place}: not JSON ({error}); correct the line") from error
        if not isinstance(value, dict):
            raise ValueError(f"{place}: not a JSON object; one {one} is one object")
        yield place, value
