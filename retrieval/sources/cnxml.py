"""Textbooks of OpenStax: the CNXML of their repositories, or passages as JSON lines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

from tracejury.retrieval.records import Document
from tracejury.retrieval.sources.corpora import OpenStax
from tracejury.retrieval.sources.corpus import CorpusFacts
from tracejury.retrieval.sources.xml_corpus import XmlCorpus
from tracejury.retrieval.sources.xml_text import block_text, first_text

_SKIPPED = ("title", "section", "name", "media", "image", "exercise", "metadata", "glossary")
_EXERCISES = (
    *("multiple-choice", "review-questions", "short-answer", "critical-thinking", "fill-in-the-blank", "matching"),
    *("true-false", "art-exercise", "check-your-understanding", "references", "free-response", "section-quiz"),
)
"""Classes of sections that ask the reader or list references."""


class OpenStaxCnxml(XmlCorpus):
    """Modules of OpenStax books, one document a section; glossary entries are one each. Exercises are left out."""

    facts = CorpusFacts(
        "OpenStax, Rice University", "allowed with attribution where the book is CC BY", is_shape_tested=True
    )
    suffixes, roots, format = (".cnxml",), ("document",), "CNXML"

    def __init__(
        self, path: str, name: str = "openstax", license: str = "each book's own", edition: str | None = None
    ) -> None:
        super().__init__(path, name, edition)
        self.license = license

    def documents_of(self, root: Element, file: str) -> Iterator[Document]:
        """Yield a module's sections and glossary entries."""
        # `name` and the root's `id` are those of CNXML 0.5.
        title = first_text(root, "title", "metadata/title", "name")
        module = first_text(root, "metadata/content-id") or root.get("id") or Path(file).parent.name
        if (content := root.find("content")) is not None:
            for headings, text in _sections(content, ()):
                yield self._document(title, headings, text, module)
        for entry in root.iter("definition"):
            term, meaning = first_text(entry, "term"), entry.find("meaning")
            if term and meaning is not None:
                yield self._document(title, ("Glossary", term), f"{term}: {block_text(meaning)}", module)

    def _document(self, title: str, headings: tuple[str, ...], text: str, module: str) -> Document:
        return Document(
            source=self.name,
            title=": ".join((title, *headings)),
            text=text,
            citation=", ".join(
                ("OpenStax", title, *headings, f"module {module}", *([self.edition] if self.edition else ()))
            ),
            license=self.license,
            key=f"{module}/{'/'.join(headings)}",
        )


def _sections(content: Element, headings: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    parts = (block_text(part, _SKIPPED[2:]) for part in content if part.tag not in _SKIPPED)
    if text := "\n".join(part for part in parts if part):
        yield headings, text
    for section in content.findall("section"):
        if section.get("class", "") not in _EXERCISES:
            title = first_text(section, "title", "name")
            yield from _sections(section, (*headings, *([title] if title else [])))


def openstax(
    path: str, license: str = "", name: str = "openstax", edition: str | None = None
) -> OpenStax | OpenStaxCnxml:
    """Return OpenStax's books from JSON lines of passages, or from the CNXML of a book's repository.

    Args:
        path: A `.jsonl` or `.jsonl.gz` file; or a folder, archive or address with CNXML modules.
        license: Of CNXML, the book's licence, which its repository states.
        name: Of CNXML, what the source is called in the index.
        edition: Of CNXML, the edition, for citations.
    """
    if path.removesuffix(".gz").endswith(".jsonl"):
        return OpenStax(path)
    return OpenStaxCnxml(path, name, license or "each book's own", edition)
