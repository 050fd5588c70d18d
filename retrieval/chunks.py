"""Cutting documents into passages: whole sentences, with offsets into the document."""

from __future__ import annotations

from collections.abc import Iterator

from tracejury.retrieval.records import Document, Passage
from tracejury.traces import split_sentences

# Changes when the rule below changes: passages of another rule have other ids, and the index is rebuilt.
CHUNKING = "sentences-2"
TARGET_CHARS = 700
"""MiniLM reads 256 word pieces; longer passages would be judged by their beginnings."""
MAX_CHARS = 1000
_FLOOR_CHARS = 120


def chunk(document: Document, target: int = TARGET_CHARS, limit: int = MAX_CHARS) -> list[Passage]:
    """Cut a document into passages of whole sentences.

    Args:
        document: What a source yielded.
        target: Characters at which a passage is closed.
        limit: Characters that no passage exceeds; only a single sentence longer than this is cut, at a space.

    Returns:
        Passages in order, without overlap; `passage.text == document.text[passage.start:passage.end]`.
    """
    spans = list(_packed(document.text, target, limit))
    if len(spans) > 1 and spans[-1][1] - spans[-1][0] < _FLOOR_CHARS and spans[-1][1] - spans[-2][0] <= limit:
        spans[-2:] = [(spans[-2][0], spans[-1][1])]
    return [
        Passage(
            source=document.source,
            title=document.title,
            text=document.text[start:end],
            citation=document.citation,
            url=document.url,
            date=document.date,
            license=document.license,
            superseded_by=document.superseded_by,
            key=document.key,
            start=start,
            end=end,
        )
        for start, end in spans
    ]


def _packed(text: str, target: int, limit: int) -> Iterator[tuple[int, int]]:
    first: int | None = None
    last = 0
    for start, end in _bounded(text, limit):
        if first is not None and end - first > (target if last - first >= _FLOOR_CHARS else limit):
            yield first, last
            first = None
        if first is None:
            first = start
        last = end
    if first is not None:
        yield first, last


def _bounded(text: str, limit: int) -> Iterator[tuple[int, int]]:
    for start, end in split_sentences(text):
        while end - start > limit:
            cut = max(
                text.rfind(" ", start + limit // 2, start + limit), text.rfind("\n", start + limit // 2, start + limit)
            )
            cut = cut if cut > 0 else start + limit
            yield start, cut
            start = cut + 1 if text[cut].isspace() else cut
        if start < end:
            yield start, end
