"""Finding out whether an index is whole: every passage is there, unchanged, and found by its own vector."""

from __future__ import annotations

import random
from collections.abc import Iterator

from tracejury.retrieval.index_storage import BrokenIndexError, IndexStorage, lexical_folder
from tracejury.retrieval.lexical import Lexical
from tracejury.retrieval.manifest import IndexManifest, SourceEntry, digest
from tracejury.retrieval.rows import PAGE, ids_in, passage_of
from tracejury.traces import Record

_PROBES = 50


class IndexFault(Record):
    """Something wrong with an index, or left over in it."""

    source: str
    what: str
    serious: bool
    """False: a left-over that harms nothing."""
    mended: str | None = None
    """What a repair did about it."""


def faults(storage: IndexStorage, manifest: IndexManifest) -> Iterator[IndexFault]:
    """Look at every source of an index, and at what a build that was cut off left behind."""
    for entry in manifest.sources.values():
        serious = _wrong_with(storage, entry)
        if serious:
            yield IndexFault(source=entry.name, what=serious, serious=True)
        for number in storage.generations(entry.name):
            if number > entry.generation:
                yield IndexFault(
                    source=entry.name,
                    what="an unfinished build; `tracejury index build` takes it up where it stopped",
                    serious=False,
                )


def _wrong_with(storage: IndexStorage, entry: SourceEntry) -> str | None:
    # Whatever Chroma raises on a damaged database is the finding; it has no common class for it.
    try:
        return _compared(storage, entry)
    except BrokenIndexError as broken:
        return str(broken)
    except Exception as broken:  # noqa: BLE001
        return f"Chroma cannot read it: {broken}"


def _compared(storage: IndexStorage, entry: SourceEntry) -> str | None:
    collection = storage.collection(entry.name, entry.generation)
    ids = ids_in(collection)
    if digest(ids) != entry.digest:
        return f"holds {len(ids)} passages, not the {entry.passages} of the manifest"
    for offset in range(0, len(ids), PAGE):
        page = collection.get(limit=PAGE, offset=offset, include=["documents", "metadatas"])
        for passage_id, text, fields in zip(page["ids"], page["documents"] or (), page["metadatas"] or (), strict=True):
            if passage_of(text, fields).id != passage_id:
                return f"passage {passage_id} is not what was indexed"
    probes = random.Random(0).sample(sorted(ids), min(_PROBES, len(ids)))
    vectors = collection.get(ids=probes, include=["embeddings"])
    nearest = collection.query(
        query_embeddings=vectors["embeddings"], n_results=min(5, len(ids)), include=["distances"]
    )
    # Passages of the same words have the same vector: one of them answers for all.
    missed = sum(row[0] > 1e-4 for row in nearest["distances"] or ())
    # The graph search is approximate, and misses one now and then; of a damaged graph it misses most.
    if missed > len(probes) // 10:
        return f"{missed} of {len(probes)} passages are not found by their own vectors"
    folder = lexical_folder(storage, entry)
    if folder.is_dir() and set(Lexical.load(folder).ids) != ids:
        return "the BM25 tables are of other passages"
    return None
