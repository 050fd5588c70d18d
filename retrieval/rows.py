"""Passages as Chroma keeps them: the text as the document, the rest as flat metadata."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tracejury.retrieval.records import Passage, Trust

if TYPE_CHECKING:
    from chromadb.api.models.Collection import Collection

# Chroma 1.5 takes at most 5,461 records in one call, and a page of this size stays far below.
PAGE = 1000


def metadata(passage: Passage) -> dict[str, str | int]:
    """Return all but id, text and trust, which is the source's; Chroma has no None, so what is absent is left out."""
    fields = passage.model_dump(exclude={"id", "text", "trust"})
    return {name: value for name, value in fields.items() if value is not None}


def passage_of(text: str, fields: Mapping[str, Any], trust: Trust = Trust.FULL) -> Passage:
    """Make the passage again; its id is computed from its content, so a damaged row cannot pass for the original."""
    return Passage(text=text, trust=trust, **fields)


def ids_in(collection: Collection) -> set[str]:
    """Return the ids that a collection holds."""
    return set(collection.get(include=[])["ids"])


def pages_in(collection: Collection, include: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    """Yield what a collection holds, some rows at a time, in no order that anybody promises."""
    # Chroma counts off what `offset` leaves out: the last page of a million took 4 s, and takes .1 s by its ids.
    ids = collection.get(include=[])["ids"]
    for begin in range(0, len(ids), PAGE):
        yield collection.get(ids=ids[begin : begin + PAGE], include=list(include))


def passages_in(collection: Collection) -> Iterator[Passage]:
    """Stream a collection's passages."""
    for page in pages_in(collection, ("documents", "metadatas")):
        for text, fields in zip(page["documents"], page["metadatas"], strict=True):
            yield passage_of(text, fields)
