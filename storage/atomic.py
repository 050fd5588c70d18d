"""Write a file or a folder beside its place and move it there: a reader sees the old content or the new one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing_file(path: Path, *, durable: bool = False) -> Iterator[Path]:
    """Yield a path beside `path` to write to; the file takes the place of `path` when the block ends without an error.

    After an error `path` is as it was, and the unfinished file is removed. A killed process leaves only the unfinished
    file, which the next write replaces.

    Args:
        path: The file to write; its folder must exist.
        durable: Flush the file to disk before the move, so that a power cut leaves the old file or the new one.
    """
    partial = _partial(path)
    try:
        yield partial
        if durable:
            with partial.open("rb+") as stream:
                os.fsync(stream.fileno())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


@contextmanager
def replacing_folder(folder: Path) -> Iterator[Path]:
    """Yield an empty folder beside `folder`; it takes the place of `folder` when the block ends without an error.

    An old folder is deleted just before the move: a process that is killed between the two leaves none, and never a
    mixture. What an earlier killed process left unfinished is deleted first.
    """
    partial = _partial(folder)
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        yield partial
        shutil.rmtree(folder, ignore_errors=True)
        partial.rename(folder)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


def _partial(path: Path) -> Path:
    return path.with_name(f"{path.name}.partial")
