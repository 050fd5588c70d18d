"""What the corpora in XML share: each file is parsed on its own, and a broken one costs only itself."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import ClassVar
from xml.etree.ElementTree import Element

from tracejury.retrieval.records import Document
from tracejury.retrieval.sources.archives import members
from tracejury.retrieval.sources.corpus import Corpus
from tracejury.retrieval.sources.xml_files import parse_plain, records
from tracejury.traces import Problem

_MOST_MB, _MOST_STREAMED_MB = 200, 1000
"""Sizes of a file, unpacked: read as one tree, and record by record (PubMed's reach 250)."""


class XmlCorpus(Corpus, ABC):
    """A corpus of XML files."""

    suffixes: ClassVar[tuple[str, ...]]
    """Endings of its files, `.gz` taken off."""
    roots: ClassVar[tuple[str, ...]]
    """Names that a file's root may have."""
    format: ClassVar[str]
    """What the format is called, for problems."""
    record: ClassVar[str | None] = None
    """The element that files hold many of, if they are too large to be held as one tree."""

    def documents(self) -> Iterator[Document | Problem]:
        """Stream the documents of all files."""
        for member in members(self.path, self.suffixes, _MOST_MB if self.record is None else _MOST_STREAMED_MB):
            if isinstance(member, Problem):
                yield member
                continue
            if self.record is not None:
                for part in records(member.content, member.name, self.record, self.format):
                    yield from [part] if isinstance(part, Problem) else self.documents_of(part, member.name)
                continue
            root = parse_plain(member.content, member.name, self.roots, self.format)
            if isinstance(root, Problem):
                yield root
                continue
            yield from self.documents_of(root, member.name)

    @abstractmethod
    def documents_of(self, root: Element, file: str) -> Iterator[Document]:
        """Yield the documents of one file or record, whose elements have their plain names."""
