"""What the large corpora share: a path or an address, and what may be done with the content."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from tracejury.retrieval.sources.files import file_version, files_version
from tracejury.retrieval.sources.remote import is_address, local_copy


class CorpusFacts(NamedTuple):
    """What a user should know before a corpus is fetched."""

    publisher: str
    redistribution: str
    """Whether copies of it may be passed on."""
    is_shape_tested: bool
    """Whether the reader was held against a real file of the publisher; else against files written for its tests."""


class Corpus:
    """A corpus at a path or an address.

    Args:
        path: A folder, an archive, a file, or the http(s) address of an archive or file.
        name: What the source is called in the index.
        edition: The edition, for citations; None: as the files say.
    """

    facts: CorpusFacts
    license: str

    def __init__(self, path: str, name: str, edition: str | None = None) -> None:
        self.name = name
        self.edition = edition
        self.address = str(path)
        if not is_address(self.address) and not Path(path).expanduser().exists():
            raise FileNotFoundError(f"{path}: no such file or folder; give a folder, an archive, a file or an address")

    @cached_property
    def path(self) -> Path:
        """Where the files are; what has an address is fetched first, and goes on where it was cut off."""
        return local_copy(self.address) if is_address(self.address) else Path(self.address).expanduser()

    @cached_property
    def version(self) -> str:
        """A hash of the files, with the edition."""
        files = (f for f in self.path.rglob("*") if f.is_file())
        version = files_version(files) if self.path.is_dir() else file_version(self.path)
        return f"{self.edition} {version}" if self.edition else version
