"""Drug labels of DailyMed in SPL (Structured Product Labeling), singly or in the archives of a full release."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from tracejury.retrieval.records import Document
from tracejury.retrieval.sources.corpus import CorpusFacts
from tracejury.retrieval.sources.xml_corpus import XmlCorpus
from tracejury.retrieval.sources.xml_text import block_text, first_text

_NOT_CLINICAL = frozenset({"51945-4", "48780-1", "42230-3", "60561-8", "53413-1"})
"""LOINC codes: package picture, product data, patient leaflet, other, whom to call."""


class DailyMed(XmlCorpus):
    """Labels of human drugs, one document a section of the label."""

    facts = CorpusFacts("NLM, DailyMed", "allowed: labels are in the public domain", is_shape_tested=False)
    license = "public domain (FDA labels)"
    suffixes, roots, format = (".xml",), ("document",), "SPL"

    def __init__(self, path: str, name: str = "dailymed") -> None:
        super().__init__(path, name)

    def documents_of(self, root: Element, file: str) -> Iterator[Document]:
        """Yield the sections of a label."""
        effective = root.find("effectiveTime")
        day = effective.get("value", "") if effective is not None else ""
        date = "-".join(part for part in (day[:4], day[4:6], day[6:8]) if part) or None
        set_id = root.find("setId")
        label = set_id.get("root", "") if set_id is not None else ""
        drug = _drug(root)
        maker = first_text(root, "author/assignedEntity/representedOrganization/name")
        cited = (f"{drug} label", maker, f"DailyMed {date or ''}".strip(), f"set {label}")
        for headings, text in _sections(root.find("component/structuredBody")):
            yield Document(
                source=self.name,
                title=": ".join((drug, *headings)),
                text=text,
                citation=". ".join(part.rstrip(".") for part in cited if part),
                url=f"https://dailymed.nlm.nih.gov/dailymed/drugInfo.cfm?setid={label}" if label else None,
                date=date,
                license=self.license,
                key=f"{label}/{'/'.join(headings)}",
            )


def _drug(root: Element) -> str:
    """Return the product's name, its generic name behind it where the label gives another one."""
    product = root.find(".//manufacturedProduct/manufacturedProduct")
    name = product.find("name") if product is not None else None
    words = " ".join(" ".join(name.itertext() if name is not None else ()).split()) or first_text(root, "title")
    generic = first_text(root, ".//genericMedicine/name")
    return f"{words} ({generic})" if generic and generic.casefold() not in words.casefold() else words


def _sections(body: Element | None, headings: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    for section in body.findall("component/section") if body is not None else ():
        code = section.find("code")
        if code is not None and code.get("code") in _NOT_CLINICAL:
            continue
        title = first_text(section, "title")
        path = (*headings, *([title] if title else []))
        text = section.find("text")
        if text is not None and (words := block_text(text, ("renderMultiMedia",))):
            yield path, words
        yield from _sections(section, path)
