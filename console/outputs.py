"""Checks of the files that a command will write, made before it computes anything."""

from __future__ import annotations

from pathlib import Path


def need_folders(*paths: Path | None) -> None:
    """Check that the folder of each file exists and that none of them is a folder itself.

    Raises:
        FileNotFoundError: A folder does not exist.
        IsADirectoryError: A file's name is that of a folder.
    """
    for path in paths:
        if path is None:
            continue
        if path.is_dir():
            raise IsADirectoryError(f"{path} is a folder; name a file")
        if not path.parent.is_dir():
            raise FileNotFoundError(f"{path}: the folder {path.parent} does not exist; make it first")
