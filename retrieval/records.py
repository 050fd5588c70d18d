"""Passages of clinical references, and what searching them returns."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from functools import cached_property
from typing import Protocol

from pydantic import Field, computed_field

from tracejury.traces import Named, Problem, Record, content_id


class Trust(StrEnum):
    """What passages of a source may do."""

    FULL = "full"
    """Ground verdicts, for and against a claim."""
    LISTED = "listed"
    """Be found, shown and quoted. They ground nothing until the user writes `trust: full`."""


class Document(Record):
    """One page, section or label of a reference, before chunking."""

    source: str
    title: str
    text: str
    citation: str
    """What a clinician accepts: organisation, title, year, DOI / PMID / edition, page."""
    url: str | None = None
    date: str | None = None
    """ISO date or year of the reference."""
    license: str
    superseded_by: str | None = None
    key: str = ""
    """The source's own id of the document."""


class Passage(Named):
    """A chunk of a document; `text == document.text[start:end]`."""

    source: str
    title: str
    text: str
    citation: str
    url: str | None = None
    date: str | None = None
    license: str
    superseded_by: str | None = None
    key: str = ""
    trust: Trust = Trust.FULL
    """Of its source, as it was when the passage was found; ledgers from before it was kept had no other."""
    start: int = 0
    end: int = 0

    @computed_field  # type: ignore[prop-decorator]
    @cached_property
    def id(self) -> str:
        """Hash of source, document key, offsets and text."""
        return content_id("p", self.source, self.key, self.start, self.end, self.text)


class Hit(Record):
    """A passage found, with the score that ranked it (higher is better) and where the finders had it."""

    passage: Passage
    score: float
    query: str
    ranks: dict[str, int] = Field(default_factory=dict)
    """Finder name -> rank from 1, for instance {"dense": 2, "bm25": 7}."""
    claims: tuple[str, ...] = ()
    """Handles of the claims that it was found for; none: it was found for the step as a whole, or by a search."""
    is_later: bool = False
    """Whether the passage is dated after the question, where both dates are known."""


class Withheld(Record):
    """A passage kept out of a case because it gives away the benchmark's own question."""

    passage_id: str
    reason: str
    similarity: float


class ClaimQuery(Record):
    """What to look for on behalf of one claim of a step."""

    claim: str
    """The claim's handle."""
    text: str


class Query(Record):
    """What to look for, and the question that it must not give away."""

    text: str
    claims: tuple[ClaimQuery, ...] = ()
    """Looked for instead of `text`, one by one; the passages of all share one budget."""
    step: str = ""
    """The step's own words; relevance and reranking go by them."""
    stem: str = ""
    explanation: str | None = None
    """The gold explanation: known to the guard against leaks alone."""
    date: str | None = None
    """The question's date; passages that are later are marked."""


class Finding(Record):
    """What was found for one query, best first, and what was kept out."""

    hits: tuple[Hit, ...] = ()
    withheld: tuple[Withheld, ...] = ()


class Source(Protocol):
    """A knowledge source. Entry point group `tracejury.sources`; the entry is a factory `(**params) -> Source`."""

    name: str
    license: str
    version: str
    """Changes when the content changes; it goes into the index manifest."""

    def documents(self) -> Iterator[Document | Problem]:
        """Stream the documents; what cannot be read is yielded as a `Problem` and costs only itself."""
        ...
