"""Checks of the files that a command will write, made before it computes anything."""

from __future__ import annotations

from pathlib import Path

import typer


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


def need_output_folder(*paths: Path | None) -> None:
    """Check that each path can be a folder to write into: it is one, or it does not exist yet.

    Raises:
        NotADirectoryError: It, or a folder on the way to it, is a file.
    """
    for path in paths:
        blocking = next((p for p in (path, *path.parents) if p.exists()), None) if path is not None else None
        if blocking is not None and not blocking.is_dir():
            where = "" if blocking == path else f"{path}: "
            raise NotADirectoryError(f"{where}{blocking} is a file; name a folder")


def output_folder(path: Path | None) -> Path | None:
    """Check a folder as an option is read; a callback for `typer.Option`.

    Raises:
        BadParameter: It cannot be a folder.
    """
    try:
        need_output_folder(path)
    except NotADirectoryError as blocked:
        raise typer.BadParameter(str(blocked)) from blocked
    return path
