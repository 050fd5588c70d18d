"""Building one source's collection: what is new is embedded and added, what is gone is removed, the rest is kept."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tracejury.retrieval.chunks import CHUNKING, chunk
from tracejury.retrieval.embedders import identity_of
from tracejury.retrieval.index_storage import BrokenIndexError, IndexStorage
from tracejury.retrieval.manifest import BuildReport, IndexManifest, SourceEntry, digest
from tracejury.retrieval.recipes import SourceRecipe
from tracejury.retrieval.records import Document, Passage, Source
from tracejury.retrieval.rows import PAGE, ids_in, metadata
from tracejury.traces import Problem

if TYPE_CHECKING:
    from chromadb.api.models.Collection import Collection

    from tracejury.models import Embedder

Progress = Callable[[int, int | None], None]
"""Called with the number of passages done so far, and of all as far as it can be told."""

_BATCH = 256
_ALIASES = "aliases"
_HALF = re.compile("[\ud800-\udfff]")


class EmptySourceError(ValueError):
    """The source gave no passage at all. The message says what could not be read."""


def build_source(
    storage: IndexStorage,
    manifest: IndexManifest,
    source: Source,
    recipe: SourceRecipe,
    embedder: Callable[[], Embedder],
    *,
    force: bool = False,
    progress: Progress = lambda passages, of: None,
) -> tuple[BuildReport, IndexManifest]:
    """Build `source` into its next generation, then make that the valid one. The caller holds the write lock.

    A build that is cut off leaves the valid generation alone; the next one takes up what it had finished.

    Returns:
        What was done, and the manifest now in force.

    Raises:
        EmptySourceError: Nothing could be read; the index stays as it was.
    """
    began = time.monotonic()
    old = manifest.sources.get(source.name)
    stated_trust = recipe.trust or (old.stated_trust if old and _same_recipe(old, recipe) else None)
    if old and not force and _same(old, source, recipe):
        entry = old.model_copy(update={"stated_trust": stated_trust})
        if entry != old:
            manifest = manifest.model_copy(update={"sources": {**manifest.sources, source.name: entry}})
            storage.save(manifest)
        n = old.passages
        return BuildReport(source=source.name, passages=n, kept_passages=n, unchanged=True, trust=entry.trust), manifest

    indexed = ids_in(storage.collection(source.name, old.generation)) if old else set()
    generation = storage.begin(source.name, old.generation if old else None)
    filling = _Filling(
        storage.collection(source.name, generation, create=True), embedder, progress, old.passages if old else None
    )
    filling.take_all(source)
    if not filling.seen:
        storage.drop(source.name, generation)
        raise EmptySourceError(_nothing(source, filling.problems))
    filling.remove_rest()
    keep_aliases(filling.collection, source)

    entry = SourceEntry(
        name=source.name,
        factory=recipe.source,
        params=recipe.params,
        chunking=CHUNKING,
        license=source.license,
        version=source.version,
        documents=filling.documents,
        passages=len(filling.seen),
        digest=digest(filling.seen),
        generation=generation,
        built=datetime.now(UTC).isoformat(timespec="seconds"),
        problems=len(filling.problems),
        stated_trust=stated_trust,
    )
    fresh = manifest.model_copy(
        update={
            "sources": {**manifest.sources, source.name: entry},
            "embedder_identity": identity_of(embedder()),
            "dim": embedder().dim,
        }
    )
    storage.save(fresh)
    # The generation just replaced stays one build longer: other processes may be reading it.
    for number in storage.generations(source.name):
        if number < (old.generation if old else generation):
            storage.drop(source.name, number)
    report = BuildReport(
        source=source.name,
        passages=len(filling.seen),
        trust=entry.trust,
        added=len(filling.seen - indexed),
        removed=len(indexed - filling.seen),
        kept_passages=len(filling.seen & indexed - filling.renewed),
        renewed=len(filling.renewed & indexed),
        resumed=len((filling.before & filling.seen) - indexed),
        problems=tuple(filling.problems),
        seconds=round(time.monotonic() - began, 3),
    )
    return report, fresh


class _Filling:
    """One collection being filled."""

    def __init__(
        self, collection: Collection, embedder: Callable[[], Embedder], progress: Progress, expected: int | None
    ) -> None:
        self.collection = collection
        self.embedder = embedder
        self.progress = progress
        self.expected = expected
        self.before = ids_in(collection)
        self.seen: set[str] = set()
        self.renewed: set[str] = set()
        self.problems: list[Problem] = []
        self.documents = 0

    def take_all(self, source: Source) -> None:
        """Add every passage that is not there yet, or not under the same title, citation, licence or date."""
        batch: list[Passage] = []
        for passage in self._passages(source):
            if passage.id in self.seen:
                continue
            self.seen.add(passage.id)
            batch.append(passage)
            if len(batch) >= _BATCH:
                self._add(batch)
                batch = []
                self.progress(len(self.seen), self._expected(source))
        self._add(batch)
        self.progress(len(self.seen), len(self.seen))

    def remove_rest(self) -> None:
        """Delete what the source no longer has, and see that the collection holds what it should."""
        stale = sorted(self.before - self.seen)
        for start in range(0, len(stale), PAGE):
            self.collection.delete(ids=stale[start : start + PAGE])
        count = self.collection.count()
        if count != len(self.seen):
            raise BrokenIndexError(
                f"{self.collection.name}: holds {count} passages after a build of {len(self.seen)}; "
                "run `tracejury index verify --repair` and build again"
            )

    def _passages(self, source: Source) -> Iterator[Passage]:
        for item in source.documents():
            if isinstance(item, Problem):
                self.problems.append(item)
                continue
            if problem := _unwritable(item):
                self.problems.append(problem)
                continue
            self.documents += 1
            if item.source != source.name:
                item = item.model_copy(update={"source": source.name})
            yield from chunk(item)

    def _add(self, batch: list[Passage]) -> None:
        batch = self._unlike(batch)
        if batch:
            vectors = self.embedder().embed([embedded_text(p) for p in batch])
            self.collection.upsert(
                ids=[p.id for p in batch],
                embeddings=vectors,
                documents=[p.text for p in batch],
                metadatas=[metadata(p) for p in batch],
            )

    def _expected(self, source: Source) -> int | None:
        """Return how many passages there will be: by the share of its files that a source has read, or as last time."""
        share: float = getattr(source, "share_read", 0.0)
        return round(len(self.seen) / share) if share else self.expected

    def _unlike(self, batch: list[Passage]) -> list[Passage]:
        """Return what is not there as it is in the batch; what is there otherwise is taken out for it.

        A passage's id comes from its text, so a reference that has been superseded or cited anew since keeps its id.
        """
        existing = [p.id for p in batch if p.id in self.before]
        if not existing:
            return batch
        page = self.collection.get(ids=existing, include=["metadatas"])
        there = dict(zip(page["ids"], page["metadatas"] or (), strict=True))
        changed = [p.id for p in batch if p.id in there and there[p.id] != metadata(p)]
        if changed:
            # Chroma would merge the new fields into the old ones, and never forget that something was superseded.
            self.collection.delete(ids=changed)
            self.renewed.update(changed)
        return [p for p in batch if p.id not in there or p.id in self.renewed]


def keep_aliases(collection: Collection, source: Source) -> None:
    """Keep a source's aliases (an optional method `aliases() -> {name: other names}`) with its collection."""
    aliases = getattr(source, "aliases", None)
    table = {name: list(others) for name, others in aliases().items()} if callable(aliases) else {}
    collection.modify(metadata={_ALIASES: json.dumps(table, ensure_ascii=False)})


def aliases_of(collection: Collection) -> dict[str, list[str]]:
    """Return what `keep_aliases` kept."""
    table: dict[str, list[str]] = json.loads((collection.metadata or {}).get(_ALIASES, "{}"))
    return table


def _unwritable(document: Document) -> Problem | None:
    """Return the problem of a document that no database can hold, or None."""
    fields = "\n".join(value for value in document.model_dump().values() if isinstance(value, str))
    if _HALF.search(fields):
        reason, hint = "holds half of a surrogate pair", "write the whole character"
    elif "\0" in fields:
        reason, hint = "holds a NUL character", "leave it out"
    else:
        return None
    what = f"{document.source}: {document.key or document.title}".encode("utf-8", "replace").decode()
    return Problem(file=what, reason=reason, hint=hint)


def _same(old: SourceEntry, source: Source, recipe: SourceRecipe) -> bool:
    return (old.version, old.params, old.chunking) == (source.version, recipe.params, CHUNKING)


def _same_recipe(old: SourceEntry, recipe: SourceRecipe) -> bool:
    # Who vouches for one folder has said nothing of another one under the same name.
    return (old.factory, old.params) == (recipe.source, recipe.params)


def embedded_text(passage: Passage) -> str:
    """Return what is embedded: the title gives a passage from the middle of a page its subject."""
    return f"{passage.title}\n{passage.text}"


def _nothing(source: Source, problems: list[Problem]) -> str:
    if not problems:
        return f"source {source.name!r} has no document; see that its path or query is right"
    more = f" (and {len(problems) - 3} more)" if len(problems) > 3 else ""
    return f"source {source.name!r} gave no passage: " + "; ".join(str(p) for p in problems[:3]) + more
