"""Files of a corpus: a folder, a tar or zip archive, or one file, read one at a time and never unpacked to disk."""

from __future__ import annotations

import gzip
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from tracejury.traces import Problem

_BROKEN = (OSError, EOFError, tarfile.TarError, zipfile.BadZipFile, zlib.error)


class Member(NamedTuple):
    """One file of a corpus."""

    name: str
    content: bytes


def members(path: Path, suffixes: Sequence[str], most_mb: int = 200) -> Iterator[Member | Problem]:
    """Yield the files of a corpus whose names end in one of `suffixes`, `.gz` taken off.

    A zip inside a zip, in which DailyMed ships its labels, is read, too. A file that is broken or over `most_mb` is a
    problem and costs only itself.
    """
    try:
        if path.is_dir():
            for file in sorted(path.rglob("*")):
                if file.is_file() and not file.is_symlink():
                    yield from _of_file(file, suffixes, most_mb)
        elif tarfile.is_tarfile(path):
            with tarfile.open(path) as archive:
                for entry in archive:
                    if entry.isfile() and entry.name.endswith(tuple(suffixes)):
                        stream = archive.extractfile(entry)
                        yield from _checked(
                            f"{path}/{entry.name}", entry.size, stream.read if stream else bytes, most_mb
                        )
        elif zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as zipped:
                yield from _of_zip(zipped, str(path), suffixes, most_mb, depth=2)
        else:
            yield from _of_file(path, suffixes, most_mb)
    except _BROKEN as broken:
        yield Problem(file=str(path), reason=f"breaks off here: {broken}", hint="fetch the file again")


def _of_zip(
    zipped: zipfile.ZipFile, where: str, suffixes: Sequence[str], most_mb: int, depth: int
) -> Iterator[Member | Problem]:
    for entry in zipped.infolist():
        name = f"{where}/{entry.filename}"
        if entry.filename.endswith(tuple(suffixes)):
            yield from _checked(name, entry.file_size, lambda entry=entry: zipped.read(entry), most_mb)
        elif entry.filename.endswith(".zip") and depth > 1:
            with zipped.open(entry) as stream, zipfile.ZipFile(stream) as inner:
                yield from _of_zip(inner, name, suffixes, most_mb, depth - 1)


def _of_file(file: Path, suffixes: Sequence[str], most_mb: int) -> Iterator[Member | Problem]:
    if not file.name.removesuffix(".gz").endswith(tuple(suffixes)):
        return
    if file.suffix == ".gz":
        with gzip.open(file) as stream:
            content = stream.read(most_mb * 1_000_000 + 1)
        yield from _checked(str(file), len(content), lambda: content, most_mb)
    else:
        yield from _checked(str(file), file.stat().st_size, file.read_bytes, most_mb)


def _checked(name: str, size: int, read: object, most_mb: int) -> Iterator[Member | Problem]:
    if size > most_mb * 1_000_000:
        yield Problem(file=name, reason=f"over {most_mb} MB unpacked", hint="split it")
    elif callable(read):
        yield Member(name, read())
