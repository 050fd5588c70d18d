"""Adult reference ranges of common laboratory tests, each with the open textbook that states it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from importlib.resources import files

import yaml

from tracejury.retrieval.records import Document
from tracejury.traces import Problem


class ReferenceRanges:
    """22 tests. One document a test, in a sentence of our own; the figures are the book's."""

    name = "reference-ranges"
    license = "CC BY 4.0"

    def __init__(self) -> None:
        self._text = (files("tracejury.retrieval.sources") / "reference_ranges.yaml").read_text("utf-8")
        self.version = hashlib.sha256(self._text.encode()).hexdigest()[:12]

    def documents(self) -> Iterator[Document | Problem]:
        """Yield one document a test."""
        listed = yaml.safe_load(self._text)
        for entry in listed["ranges"]:
            book = listed["books"][entry["book"]]
            groups = [f"{entry[group]} in {group}" for group in ("adults", "men", "women") if group in entry]
            yield Document(
                source=self.name,
                title=f"{entry['name']}: reference range",
                text=f"{entry['name']} in {entry['specimen']}: the normal reference range is {', '.join(groups)}.",
                citation=f"{book['citation']} ({entry['stated']})",
                url=book["url"],
                license=self.license,
                key=entry["name"],
            )
