"""Two open corpora in the JSON-lines form in which they are shared: MedQuAD (NIH) and the OpenStax nursing books."""

from __future__ import annotations

from tracejury.retrieval.sources.jsonl import Jsonl


class MedQuad(Jsonl):
    """The answers of MedQuAD (Ben Abacha and Demner-Fushman 2019): patient-level pages of nine NIH sites.

    The questions are left out: they are what a benchmark asks.
    """

    name = "medquad"
    license = "CC BY 4.0"

    def __init__(self, path: str) -> None:
        super().__init__(
            path,
            name=MedQuad.name,
            license=MedQuad.license,
            fields={
                "title": "{focus}: {qtype}",
                "text": "answer",
                "citation": "{source}, {focus}: {qtype}, {url} (MedQuAD, 2019)",
            },
        )


class OpenStax(Jsonl):
    """Passages of the OpenStax nursing textbooks."""

    name = "openstax"
    license = "CC BY 4.0"

    def __init__(self, path: str) -> None:
        super().__init__(
            path,
            name=OpenStax.name,
            license=OpenStax.license,
            fields={
                "title": "{module_title}: {section}",
                "citation": "OpenStax, {book}, {module_title}, {section}, {book_url}",
                "url": "book_url",
            },
        )
