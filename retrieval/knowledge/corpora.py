"""Two open corpora in the JSON-lines form in which they are shared: MedQuAD (NIH) and the OpenStax nursing books."""

from __future__ import annotations

from tracejury.retrieval.knowledge.jsonl import Jsonl


def medquad(path: str) -> Jsonl:
    """Return the answers of MedQuAD (Ben Abacha and Demner-Fushman 2019), patient-level pages of nine NIH sites.

    The questions are left out: they are what a benchmark asks.

    Args:
        path: `medquad_passages.jsonl.gz`.
    """
    return Jsonl(
        path,
        name="medquad",
        license="CC BY 4.0",
        fields={
            "title": "{focus}: {qtype}",
            "text": "answer",
            "citation": "{source}, {focus}: {qtype}, {url} (MedQuAD, 2019)",
        },
    )


def openstax(path: str) -> Jsonl:
    """Return the passages of OpenStax nursing textbooks.

    Args:
        path: `openstax_nursing_passages.jsonl.gz`.
    """
    return Jsonl(
        path,
        name="openstax",
        license="CC BY 4.0",
        fields={
            "title": "{module_title}: {section}",
            "citation": "OpenStax, {book}, {module_title}, {section}, {book_url}",
            "url": "book_url",
        },
    )
