"""The index: passages of the knowledge sources in Chroma, one collection a source, under one manifest."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from pydantic import JsonValue

from tracejury.retrieval.build import Progress, aliases_of, build_source
from tracejury.retrieval.embedders import identity_of, open_embedder
from tracejury.retrieval.index_storage import BrokenIndexError, IndexStorage, lexical_folder, open_storage, writing
from tracejury.retrieval.lexical import Lexical
from tracejury.retrieval.manifest import BuildReport, IndexManifest, SourceEntry
from tracejury.retrieval.recipes import SourceRecipe, load_recipe
from tracejury.retrieval.records import Passage, Source, Trust
from tracejury.retrieval.rows import passage_of, passages_in
from tracejury.retrieval.verify import IndexFault, faults
from tracejury.traces import UnknownNameError

if TYPE_CHECKING:
    from chromadb.api.models.Collection import Collection

    from tracejury.models import Embedder

DEFAULT_PATH = "./tracejury.index"
DEFAULT_EMBEDDER = "minilm"


class Index:
    """An opened index: a snapshot. What another process builds meanwhile is seen by the next `Index.open`.

    Opening reads the manifest and nothing else; Chroma, the embedder and the BM25 tables come with their first use.
    All methods may be called from several threads.
    """

    def __init__(self, storage: IndexStorage, embedder: str | Embedder | None) -> None:
        self.storage = storage
        self._lock = threading.RLock()
        self._lexical: dict[tuple[int, str], Lexical] = {}
        self._manifest = storage.load()
        self._embedder: str | Embedder = embedder or (self._manifest.embedder if self._manifest else DEFAULT_EMBEDDER)
        if self._manifest and self._manifest.sources and self._manifest.embedder != self.embedder_name:
            raise BrokenIndexError(
                f"{storage.where} was built with the embedder {self._manifest.embedder!r}, not {self.embedder_name!r}: "
                "vectors of two models cannot be compared. Name the same embedder, or build another index"
            )
        self._hold()

    @classmethod
    def open(cls, path: str | Path | None = None, embedder: str | Embedder | None = None) -> Index:
        """Open an index, or prepare to build one.

        Args:
            path: A folder, or the http(s) address of a Chroma server. None: `TRACEJURY_INDEX`, else
                `./tracejury.index`.
            embedder: A name that `open_embedder` knows, or an embedder. None: the one that the index was built with,
                `minilm` for a new one.

        Raises:
            BrokenIndexError: The index was built with another embedder, or its manifest cannot be read.
        """
        where = str(path) if path is not None else os.environ.get("TRACEJURY_INDEX") or DEFAULT_PATH
        return cls(open_storage(where), embedder)

    @property
    def embedder_name(self) -> str:
        """The embedder's name, without loading it."""
        return self._embedder if isinstance(self._embedder, str) else self._embedder.name

    @property
    def embedder(self) -> Embedder:
        """The embedder, loaded on first use.

        Raises:
            BrokenIndexError: Its weights are not those that the index was built with.
        """
        with self._lock:
            if isinstance(self._embedder, str):
                opened = open_embedder(self._embedder)
                built_with = self._manifest and self._manifest.sources and self._manifest.embedder_identity
                if built_with and built_with != (identity := identity_of(opened)):
                    raise BrokenIndexError(
                        f"{self.storage.where} was built with {built_with}, and {self._embedder!r} is now {identity}: "
                        "bring back those weights, or build another index"
                    )
                self._embedder = opened
            return self._embedder

    def manifest(self) -> IndexManifest:
        """Return the manifest as it was when the index was opened, or after the last build through this object."""
        return self._manifest or IndexManifest(embedder=self.embedder_name)

    def entry(self, source: str) -> SourceEntry:
        """Return a source's entry in the manifest.

        Raises:
            UnknownNameError: The source is not indexed; the message says how to build it.
        """
        entries = self.manifest().sources
        if source not in entries:
            raise UnknownNameError(
                f"{self.storage.where} has no source {source!r}; it has {', '.join(sorted(entries)) or 'none'}. "
                f"Build it with `tracejury index build {source}`"
            )
        return entries[source]

    def build(
        self,
        source: str | SourceRecipe | Source,
        params: Mapping[str, JsonValue] | None = None,
        *,
        force: bool = False,
        trust: Trust | None = None,
        progress: Progress = lambda passages, of: None,
    ) -> BuildReport:
        """Index a source, or bring it up to date. Passages that are there already are kept, with their vectors.

        Args:
            source: A registered name, a YAML recipe or the name of a shipped one, made with `params`; a recipe as
                `load_recipe` reads it; or an object.
            params: What the registered factory is called with.
            force: Read the source even if its version is the one that is indexed.
            trust: Says whether its passages may ground verdicts; put in the place of the recipe's. None: what was
                said of this source before, else `source_trust`.
            progress: Called with the number of passages done so far, and of all as far as it can be told.

        Returns:
            What was added, removed and kept, and what could not be read.

        Raises:
            IndexLockedError: Another process is building this index.
        """
        recipe = load_recipe(source, params) if isinstance(source, str) else source
        instance = recipe.make() if isinstance(recipe, SourceRecipe) else recipe
        if not isinstance(recipe, SourceRecipe):
            recipe = SourceRecipe()
        if trust is not None:
            recipe = recipe.model_copy(update={"trust": trust})
        with writing(self.storage):
            # What another process has built since this index was opened must not be lost.
            manifest = self.storage.load() or IndexManifest(embedder=self.embedder_name)
            report, self._manifest = build_source(
                self.storage, manifest, instance, recipe, lambda: self.embedder, force=force, progress=progress
            )
            self._hold()
        return report

    def remove(self, source: str) -> None:
        """Take a source out of the index."""
        with writing(self.storage):
            manifest = self.storage.load() or self.manifest()
            left = {name: entry for name, entry in manifest.sources.items() if name != source}
            self._manifest = manifest.model_copy(update={"sources": left})
            self.storage.save(self._manifest)
            for generation in self.storage.generations(source):
                self.storage.drop(source, generation)

    def verify(self, repair: bool = False, progress: Progress = lambda passages, of: None) -> list[IndexFault]:
        """Find out whether the index is whole.

        Args:
            repair: Build what is broken anew (embeddings come from the cache); a source that was handed over as an
                object is taken out instead, since nobody but its owner can make it again.
            progress: As in `build`.

        Returns:
            What is wrong or left over, and what was done about it.
        """
        faults_seen = list(faults(self.storage, self.manifest()))
        return [self._mended(f, progress) if repair and f.serious else f for f in faults_seen]

    def _mended(self, fault: IndexFault, progress: Progress) -> IndexFault:
        entry = self.entry(fault.source)
        self.remove(fault.source)
        if not entry.factory:
            return fault.model_copy(update={"mended": "taken out of the index; build it again from your code"})
        report = self.build(entry.factory, entry.params, trust=entry.stated_trust, progress=progress)
        return fault.model_copy(update={"mended": f"built anew: {report.passages} passages"})

    def nearest(self, source: str, vectors: NDArray[np.float32], k: int) -> list[list[tuple[str, float]]]:
        """Find the `k` nearest passages to each vector.

        Args:
            source: An indexed source.
            vectors: (n, dim), L2-normalised.
            k: How many a vector.

        Returns:
            For each vector, pairs (passage id, cosine) from the nearest on.
        """
        entry = self.entry(source)
        collection = self._collection(entry)
        result = collection.query(
            query_embeddings=vectors, n_results=max(1, min(k, entry.passages)), include=["distances"]
        )
        distances = result["distances"] or []
        return [
            [(i, 1.0 - float(d)) for i, d in zip(ids, row, strict=True)]
            for ids, row in zip(result["ids"], distances, strict=True)
        ]

    def passages(self, source: str, ids: Iterable[str]) -> dict[str, Passage]:
        """Return passages of a source by id; ids that it does not hold are absent."""
        wanted_ids = list(dict.fromkeys(ids))
        if not wanted_ids:
            return {}
        entry = self.entry(source)
        page = self._collection(entry).get(ids=wanted_ids, include=["documents", "metadatas"])
        rows = zip(page["ids"], page["documents"] or (), page["metadatas"] or (), strict=True)
        return {i: passage_of(text, fields, entry.trust) for i, text, fields in rows}

    def lexical(self, source: str) -> Lexical:
        """Return the BM25 tables of a source; made on first use, and kept beside the index."""
        entry = self.entry(source)
        with self._lock:
            tables = (entry.generation, entry.digest)
            if tables not in self._lexical:
                folder = lexical_folder(self.storage, entry)
                there = (folder / "ids.json").is_file()
                passages = passages_in(self._collection(entry))
                self._lexical[tables] = Lexical.load(folder) if there else Lexical.build(passages, folder)
            return self._lexical[tables]

    def aliases(self, source: str) -> dict[str, list[str]]:
        """Return the other names that a source knows: name -> brands, generics, abbreviations."""
        return aliases_of(self._collection(self.entry(source)))

    def _hold(self) -> None:
        for entry in self.manifest().sources.values():
            self.storage.hold(entry.name, entry.generation)

    def _collection(self, entry: SourceEntry) -> Collection:
        with self._lock:
            return self.storage.collection(entry.name, entry.generation)
