"""PubMed's yearly baseline and daily updates: abstracts in XML, `pubmed26n0001.xml.gz` and the like."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from tracejury.retrieval.records import Document
from tracejury.retrieval.sources.corpus import CorpusFacts
from tracejury.retrieval.sources.xml_corpus import XmlCorpus
from tracejury.retrieval.sources.xml_text import block_text, first_text


class PubMedBaseline(XmlCorpus):
    """Abstracts of PubMed, one document each; those without an abstract are left out, retracted ones are marked."""

    facts = CorpusFacts(
        "NLM, PubMed baseline", "abstracts may be under their publishers' copyright", is_shape_tested=True
    )
    license = "NLM terms; abstracts may be copyrighted"
    suffixes, roots, format, record = (".xml",), ("PubmedArticleSet",), "PubMed", "PubmedArticle"

    def __init__(self, path: str, name: str = "pubmed-baseline") -> None:
        super().__init__(path, name)

    def documents_of(self, root: Element, file: str) -> Iterator[Document]:
        """Yield the abstract of a record."""
        if (document := self._document(root)) is not None:
            yield document

    def _document(self, record: Element) -> Document | None:
        article = record.find("MedlineCitation/Article")
        abstract = article.find("Abstract") if article is not None else None
        pmid = first_text(record, "MedlineCitation/PMID")
        if article is None or abstract is None:
            return None
        parts = [(e.get("Label", ""), " ".join(block_text(e).split())) for e in abstract.findall("AbstractText")]
        text = "\n".join(f"{label}: {words}" if label else words for label, words in parts if words)
        if not text:
            return None
        title = first_text(article, "ArticleTitle")
        journal = first_text(article, "Journal/ISOAbbreviation", "Journal/Title")
        published = article.find("Journal/JournalIssue/PubDate")
        date = _date(published) if published is not None else ""
        doi = next((e.text for e in article.findall("ELocationID") if e.get("EIdType") == "doi" and e.text), "")
        author = first_text(article, "AuthorList/Author/LastName", "AuthorList/Author/CollectiveName")
        who = f"{author} et al." if len(article.findall("AuthorList/Author")) > 1 else author
        citation = [who, title, f"{journal} {date}".strip(), f"PMID {pmid}", f"doi:{doi}" if doi else ""]
        return Document(
            source=self.name,
            title=title,
            text=text,
            citation=". ".join(p.rstrip(".") for p in citation if p),
            url=f"https://pubmed.ncbi.nlm.nih.gov/{pmid}/",
            date=date or None,
            license=self.license,
            superseded_by=_retraction(record),
            key=pmid,
        )


def _date(published: Element) -> str:
    whole = " ".join(first_text(published, part) for part in ("Year", "Month", "Day")).strip()
    return whole or first_text(published, "MedlineDate")


def _retraction(record: Element) -> str | None:
    for notice in record.iter("CommentsCorrections"):
        if notice.get("RefType") == "RetractionIn":
            return f"retracted: {first_text(notice, 'RefSource')}"
    kinds = [e.text for e in record.iter("PublicationType")]
    return "retracted" if "Retracted Publication" in kinds else None
