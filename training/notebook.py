"""The progress of a long stage, as an append-only file of JSON lines that survives a kill at any moment."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any

from tracejury.training.ranks import is_first_process
from tracejury.training.recipe import RecipeError
from tracejury.training.rows import write_json


class Notebook:
    """An append-only file of finished pieces of work: one line each, on disk before the next piece begins.

    A line that a kill left half-written is cut off when the file is opened again, and its work is repeated.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._cut_half_line()
        self._file = path.open("a", encoding="utf-8")

    def __enter__(self) -> Notebook:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()

    def add(self, *entries: Mapping[str, Any]) -> None:
        """Append entries that belong together, and wait until they are on disk."""
        self._file.write("".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in entries))
        self._file.flush()
        os.fsync(self._file.fileno())

    def entries(self) -> Iterator[dict[str, Any]]:
        """Yield the entries in the order of writing."""
        with self.path.open(encoding="utf-8") as lines:
            for line in lines:
                yield json.loads(line)

    def _cut_half_line(self) -> None:
        if not self.path.is_file():
            return
        content = self.path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            with self.path.open("r+b") as file:
                file.truncate(whole)


class StageChangedError(RecipeError):
    """A folder holds a stage that was begun with other inputs."""

    def __init__(self, folder: Path, changed: Sequence[str]) -> None:
        super().__init__(
            f"{folder}: was begun with different {' and '.join(changed)}. Give another --out, or remove the "
            "folder to begin anew."
        )
        self.folder = folder
        self.changed = tuple(changed)


def set_aside(folder: Path) -> Path:
    """Move a stage's folder into `stale/` beside it, where nothing reads it; return its new place."""
    places = (folder.parent / "stale" / f"{folder.name}-{n}" for n in count(1))
    place = next(place for place in places if not place.exists())
    place.parent.mkdir(exist_ok=True)
    folder.rename(place)
    return place


def claim(folder: Path, inputs: Mapping[str, Any], *, restarts: bool = False) -> dict[str, Any] | None:
    """Claim `folder` for a stage with these inputs; return the stage's manifest where it has finished already.

    Args:
        folder: The stage's folder.
        inputs: What the stage is made from.
        restarts: The stage begins anew where it has not finished, so that other inputs may take its place.

    Raises:
        StageChangedError: The folder holds a stage that was begun with other inputs.
        RecipeError: The folder has a manifest, and nothing says what it was made from.
    """
    folder.mkdir(parents=True, exist_ok=True)
    record, manifest = folder / "inputs.json", folder / "manifest.json"
    current = json.loads(json.dumps(inputs, default=str))
    if manifest.is_file() and not record.is_file():
        raise RecipeError(
            f"{folder}: holds a manifest.json without the inputs.json that says what it was made from. Give another "
            "--out, or remove the folder."
        )
    before = json.loads(record.read_text(encoding="utf-8")) if record.is_file() else None
    changed = [] if before is None else sorted(k for k in {*current, *before} if before.get(k) != current.get(k))
    if changed and (manifest.is_file() or not restarts):
        raise StageChangedError(folder, changed)
    if (before is None or changed) and is_first_process():
        write_json(record, current)
    return json.loads(manifest.read_text(encoding="utf-8")) if manifest.is_file() else None
