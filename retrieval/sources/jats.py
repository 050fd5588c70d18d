"""Articles and chapters in JATS and its sister for books: PubMed Central, and StatPearls from the NCBI Bookshelf."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from tracejury.retrieval.records import Document
from tracejury.retrieval.sources.corpus import CorpusFacts
from tracejury.retrieval.sources.xml_corpus import XmlCorpus
from tracejury.retrieval.sources.xml_text import block_text, first_text

_SKIPPED = (
    "title",
    "sec",
    "fig",
    "ref-list",
    "object-id",
    "graphic",
    "media",
    "inline-graphic",
    "table-wrap-foot",
)
_NO_CONTENT = frozenset(
    {"references", "review questions", "continuing education activity", "disclosures", "competing interests"}
)


def sections(body: Element, headings: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield (headings, text) of each section below `body` that has text of its own, in order.

    Lists of references, and the exam questions of study books, are left out: they are what a benchmark asks.
    """
    text = _own_text(body)
    if text:
        yield headings, text
    for section in body.findall("sec"):
        title = first_text(section, "title").rstrip(":. ")
        if title.casefold() not in _NO_CONTENT:
            yield from sections(section, (*headings, *([title] if title else [])))


def _own_text(body: Element) -> str:
    return "\n".join(text for part in body if part.tag not in _SKIPPED and (text := block_text(part, _SKIPPED[2:])))


def _date(meta: Element) -> str | None:
    for date in meta.iter("pub-date"):
        year = first_text(date, "year")
        if year:
            parts = [year, *(first_text(date, part).zfill(2) for part in ("month", "day") if first_text(date, part))]
            return "-".join(p for p in parts if p.isdigit())
    return None


class Pmc(XmlCorpus):
    """Open-access articles of PubMed Central, one document a section. A retracted article is marked superseded."""

    facts = CorpusFacts(
        "NCBI, PubMed Central open-access subset", "by each article's own licence", is_shape_tested=True
    )
    license = "each article's own"
    suffixes, roots, format = (".nxml", ".xml"), ("article", "pmc-articleset"), "JATS"

    def __init__(self, path: str, name: str = "pmc") -> None:
        super().__init__(path, name)

    def documents_of(self, root: Element, file: str) -> Iterator[Document]:
        """Yield the sections of a file's articles."""
        for article in [root] if root.tag == "article" else root.iter("article"):
            yield from self._article(article)

    def _article(self, article: Element) -> Iterator[Document]:
        meta = article.find("front/article-meta")
        if meta is None:
            return
        ids = {e.get("pub-id-type", ""): (e.text or "").strip() for e in meta.findall("article-id")}
        pmc = (ids.get("pmc") or ids.get("pmcid") or "").removeprefix("PMC")
        title, date = first_text(meta, "title-group/article-title"), _date(meta)
        journal = first_text(
            article, "front/journal-meta/journal-title-group/journal-title", "front/journal-meta/journal-title"
        )
        parts = [
            title,
            f"{journal} {date or ''}".strip(),
            f"PMC{pmc}" if pmc else "",
            f"doi:{ids['doi']}" if "doi" in ids else "",
        ]
        license_ = first_text(meta, "permissions/license") or self.license
        retracted = article.get("article-type") == "retraction" or any(
            e.get("related-article-type") in ("retraction-forward", "retracted-article")
            for e in meta.iter("related-article")
        )
        key = f"PMC{pmc}" if pmc else ids.get("doi") or title
        blocks = [b for b in (meta.find("abstract"), article.find("body")) if b is not None]
        for block in blocks:
            first = ("Abstract",) if block.tag == "abstract" else ()
            for headings, text in sections(block, first):
                yield Document(
                    source=self.name,
                    title=": ".join((title, *headings)),
                    text=text,
                    citation=". ".join(p.rstrip(".") for p in parts if p),
                    url=f"https://pmc.ncbi.nlm.nih.gov/articles/PMC{pmc}/" if pmc else None,
                    date=date,
                    license=license_[:200],
                    superseded_by="retracted" if retracted else None,
                    key=f"{key}/{'/'.join(headings)}",
                )


class StatPearls(XmlCorpus):
    """Chapters of StatPearls in the NXML of the NCBI Bookshelf, one document a section, with its headings."""

    facts = CorpusFacts(
        "StatPearls Publishing, NCBI Bookshelf", "not allowed without asking: CC BY-NC-ND 4.0", is_shape_tested=False
    )
    license = "CC BY-NC-ND 4.0"
    suffixes, roots, format = (".nxml",), ("book-part-wrapper", "book-part", "book"), "NXML"

    def __init__(self, path: str, name: str = "statpearls", edition: str | None = None) -> None:
        super().__init__(path, name, edition)

    def documents_of(self, root: Element, file: str) -> Iterator[Document]:
        """Yield the sections of a file's chapters."""
        for part in [root] if root.tag == "book-part" else root.iter("book-part"):
            yield from self._chapter(part, file)

    def _chapter(self, part: Element, file: str) -> Iterator[Document]:
        title = first_text(part, "book-part-meta/title-group/title")
        meta, body = part.find("book-part-meta"), part.find("body")
        if body is None or meta is None or not title:
            return
        chapter = part.get("id") or file.rpartition("/")[2].removesuffix(".nxml")
        date = _date(meta)
        for headings, text in sections(body):
            yield Document(
                source=self.name,
                title=": ".join((title, *headings)),
                text=text,
                citation=f"StatPearls, {title}. StatPearls Publishing {self.edition or date or ''}".strip(),
                date=date,
                license=self.license,
                key=f"{chapter}/{'/'.join(headings)}",
            )
