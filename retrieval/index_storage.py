"""Where an index lives: a folder with embedded Chroma, or a Chroma server. Nothing else here knows the difference.

Chroma's embedded client allows one process at a time to write, and another process that reads meanwhile gets stale or
failing answers (measured, 1.5.9). So a collection is written once: each build of a source fills a new generation beside
the valid one, in a Chroma folder of its own, and the manifest is then replaced in one move. Readers in any number of
processes keep the generation that they opened, however often it is built meanwhile: they hold its folder with a shared
lock, and what is held is not deleted. A build that is killed leaves the valid one as it was.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from filelock import FileLock, Timeout

from tracejury.models import cache_dir
from tracejury.retrieval.guarded_storage import guard_storage
from tracejury.retrieval.index_checksums import CHECKSUMS, changed_file, write_checksums
from tracejury.retrieval.lexical import TITLE_WEIGHT
from tracejury.retrieval.manifest import IndexManifest, SourceEntry
from tracejury.retrieval.rows import pages_in
from tracejury.storage import replacing_file, replacing_folder
from tracejury.traces import Contract, Registry

try:
    import fcntl
except ImportError:  # Windows, where nothing is held; an open file cannot be deleted there either
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from chromadb.api import ClientAPI
    from chromadb.api.models.Collection import Collection

_HNSW = {"hnsw": {"space": "cosine", "ef_construction": 200, "ef_search": 200}}
_MANIFEST_COLLECTION = "tracejury-manifest"


class IndexLockedError(OSError):
    """Another process is building this index."""


class BrokenIndexError(OSError):
    """The index cannot be read as it is. The message says how to mend it."""


class IndexStorage(Protocol):
    """Keeps the manifest, and one Chroma collection for each source and generation."""

    where: str
    local: Path
    """A folder of this machine for what is kept beside Chroma: BM25 tables, aliases, the lock."""

    def load(self) -> IndexManifest | None:
        """Return the manifest, or None where there is no index yet."""
        ...

    def save(self, manifest: IndexManifest) -> None:
        """Replace the manifest in one move."""
        ...

    def hold(self, source: str, generation: int) -> None:
        """Keep a generation from being deleted for as long as this object lives, where that can be had."""
        ...

    def collection(self, source: str, generation: int, create: bool = False) -> Collection:
        """Open a source's collection."""
        ...

    def begin(self, source: str, base: int | None) -> int:
        """Return the generation to build into: an unfinished one, else a new one with the passages of `base`."""
        ...

    def drop(self, source: str, generation: int) -> None:
        """Delete a generation, if it is there and nobody is known to read it."""
        ...

    def generations(self, source: str) -> list[int]:
        """List the generations that are there, finished or not."""
        ...


def open_storage(where: str) -> IndexStorage:
    """Open `where`: a folder or the http(s) address of a Chroma server, or `ENGINE:WHERE` for an installed engine.

    Engines are entry points of the group `tracejury.indexes`; `chroma` is the one that ships. An engine is a factory
    `(where: str) -> IndexStorage`, whose collections offer what is used of Chroma's: `count`, `get`, `query`, `upsert`,
    `delete`.
    """
    name, separator, rest = where.partition(":")
    if separator and name in {entry.name for entry in indexes.entries()}:
        return indexes.make(name, where=rest)
    return open_chroma(where)


def open_chroma(where: str) -> IndexStorage:
    """Open a folder, or the http(s) address of a Chroma server."""
    # A command line that takes the address for a path folds its slashes.
    address = re.fullmatch(r"(https?):/+(.+)", where)
    return ServerStorage(f"{address[1]}://{address[2]}") if address else FolderStorage(Path(where))


indexes: Registry[IndexStorage] = Registry(
    "tracejury.indexes",
    "index engine",
    Contract({"where": str}, "load", arguments=0),
    lambda storage, plugin: guard_storage(storage, plugin, (BrokenIndexError, IndexLockedError)),
)


@contextlib.contextmanager
def writing(storage: IndexStorage) -> Iterator[None]:
    """Hold the index's write lock. The system lets go of it when the process ends, however it ends.

    Raises:
        IndexLockedError: Another process holds it; the message names that process.
    """
    storage.local.mkdir(parents=True, exist_ok=True)
    lock, owner = FileLock(storage.local / ".lock"), storage.local / ".lock-owner"
    try:
        lock.acquire(timeout=0)
    except Timeout:
        pid = owner.read_text("utf-8").strip() if owner.is_file() else "?"
        raise IndexLockedError(
            f"{storage.where}: process {pid} is building this index; wait until it is done. Reading needs no wait."
        ) from None
    try:
        owner.write_text(f"{os.getpid()}\n", "utf-8")
        yield
    finally:
        lock.release()


class FolderStorage:
    """An index in a folder: `manifest.json`, and `SOURCE/GENERATION/` with a Chroma database each."""

    def __init__(self, path: Path) -> None:
        self.local = path.expanduser().resolve()
        if self.local.is_file():
            raise BrokenIndexError(f"{path} is a file, and an index is a folder: name another path")
        self.where = str(self.local)
        self._clients: dict[Path, ClientAPI] = {}
        self._holds: dict[Path, _Hold] = {}

    def load(self) -> IndexManifest | None:
        """Read `manifest.json`."""
        path = self.local / "manifest.json"
        if not path.is_file():
            return None
        return _parsed(path.read_text("utf-8"), str(path))

    def save(self, manifest: IndexManifest) -> None:
        """Write the manifest to disk: a reader sees the old one or the new one."""
        with replacing_file(self.local / "manifest.json", durable=True) as partial:
            partial.write_text(manifest.model_dump_json(indent=1), "utf-8")
        for entry in manifest.sources.values():
            folder = self._folder(entry.name, entry.generation)
            if folder.is_dir() and not (folder / CHECKSUMS).is_file():
                write_checksums(folder)

    def hold(self, source: str, generation: int) -> None:
        """Lock the generation's folder. A file system that knows no locks does without."""
        path = self._folder(source, generation)
        if path not in self._holds:
            with contextlib.suppress(OSError):
                self._holds[path] = _Hold(path)

    def collection(self, source: str, generation: int, create: bool = False) -> Collection:
        """Open the one collection of `SOURCE/GENERATION/`."""
        path = self._folder(source, generation)
        if path not in self._clients:
            if not create and not (path / "chroma.sqlite3").is_file():
                raise BrokenIndexError(f"{path}: the collection is gone; run `tracejury index verify --repair`")
            if not create and (fault := changed_file(path)):
                raise BrokenIndexError(f"{fault}; run `tracejury index verify --repair`")
            import chromadb
            from chromadb.config import Settings

            self._clients[path] = chromadb.PersistentClient(path, settings=Settings(anonymized_telemetry=False))
        return _collection(self._clients[path], collection_name(source), create)

    def begin(self, source: str, base: int | None) -> int:
        """Take up an unfinished generation, or copy `base` (fast: files, not embeddings) under the next number."""
        there = self.generations(source)
        folders = {g: self._folder(source, g) for g in there if base is None or g > base}
        # A source that was taken out of the index may have readers yet: theirs is not an unfinished build.
        unfinished = [g for g, path in folders.items() if not _in_use(path)]
        if unfinished:
            return max(unfinished)
        number = max([base or 0, *there]) + 1
        if base is not None:
            old = self._folder(source, base)
            with replacing_folder(self._folder(source, number)) as partial:
                shutil.copytree(old, partial, ignore=shutil.ignore_patterns("bm25-*", CHECKSUMS), dirs_exist_ok=True)
        return number

    def drop(self, source: str, generation: int) -> None:
        """Delete the generation's folder. One that another reader holds stays, for a later build to delete."""
        path = self._folder(source, generation)
        client: Any = self._clients.pop(path, None)
        if client is not None:
            client.close()
        hold = self._holds.pop(path, None)
        if hold is not None:
            hold.release()
        if path.is_dir() and not _in_use(path):
            shutil.rmtree(path, ignore_errors=True)

    def generations(self, source: str) -> list[int]:
        """List the numbered folders of the source."""
        folder = self.local / collection_name(source)
        return sorted(int(p.name) for p in folder.iterdir() if p.name.isdigit()) if folder.is_dir() else []

    def _folder(self, source: str, generation: int) -> Path:
        return self.local / collection_name(source) / str(generation)


class _Hold:
    """A shared lock on a folder. It goes with the object, or with the process, however that ends."""

    def __init__(self, folder: Path) -> None:
        descriptor = os.open(folder, os.O_RDONLY)  # an OSError on Windows
        self.release = weakref.finalize(self, os.close, descriptor)
        fcntl.flock(descriptor, fcntl.LOCK_SH)


def _in_use(folder: Path) -> bool:
    """Whether anybody, this process included, holds the folder."""
    if not fcntl:
        return False
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as refused:
        # Any other refusal comes of a file system that knows no locks.
        return isinstance(refused, BlockingIOError)
    finally:
        os.close(descriptor)
    return False


class ServerStorage:
    """An index on a Chroma server (`chroma run`): many machines read it, and one at a time writes."""

    def __init__(self, url: str) -> None:
        self.where = url.rstrip("/")
        self.local = cache_dir() / "index" / hashlib.sha256(self.where.encode()).hexdigest()[:16]
        self._opened: ClientAPI | None = None

    @property
    def _client(self) -> ClientAPI:
        if self._opened is None:
            import chromadb
            from chromadb.config import Settings

            at = urlsplit(self.where)
            try:
                self._opened = chromadb.HttpClient(
                    host=at.hostname or "localhost",
                    port=at.port or (443 if at.scheme == "https" else 8000),
                    ssl=at.scheme == "https",
                    settings=Settings(anonymized_telemetry=False),
                )
            except ValueError as refused:
                raise BrokenIndexError(
                    f"{self.where}: no Chroma server answers; start one with `chroma run --path FOLDER`"
                ) from refused
        return self._opened

    def load(self) -> IndexManifest | None:
        """Read the manifest from the server's own collection for it."""
        from chromadb.errors import NotFoundError

        try:
            stored = self._client.get_collection(_MANIFEST_COLLECTION, embedding_function=None)
        except NotFoundError:
            return None
        documents = stored.get(ids=["manifest"])["documents"]
        return _parsed(documents[0], self.where) if documents else None

    def save(self, manifest: IndexManifest) -> None:
        """Replace the manifest's record."""
        stored = self._client.get_or_create_collection(_MANIFEST_COLLECTION, embedding_function=None)
        # Chroma stores nothing without a vector; this one is never searched.
        stored.upsert(ids=["manifest"], documents=[manifest.model_dump_json()], embeddings=[[1.0]])

    def hold(self, source: str, generation: int) -> None:
        """Do nothing: a server keeps what is replaced for one build more, and no longer."""

    def collection(self, source: str, generation: int, create: bool = False) -> Collection:
        """Open `SOURCE.GENERATION` on the server."""
        return _collection(self._client, f"{collection_name(source)}.{generation}", create)

    def begin(self, source: str, base: int | None) -> int:
        """Take up an unfinished generation, or copy `base` with its vectors under the next number."""
        unfinished = [g for g in self.generations(source) if base is None or g > base]
        if unfinished:
            return max(unfinished)
        number = (base or 0) + 1
        fresh = self.collection(source, number, create=True)
        if base is not None:
            old = self.collection(source, base)
            for page in pages_in(old, ("embeddings", "documents", "metadatas")):
                fresh.upsert(
                    ids=page["ids"],
                    embeddings=page["embeddings"],
                    documents=page["documents"],
                    metadatas=page["metadatas"],
                )
        return number

    def drop(self, source: str, generation: int) -> None:
        """Delete the collection."""
        from chromadb.errors import NotFoundError

        with contextlib.suppress(NotFoundError):
            self._client.delete_collection(f"{collection_name(source)}.{generation}")

    def generations(self, source: str) -> list[int]:
        """List the collections of the source."""
        stem = collection_name(source) + "."
        names = [c.name for c in self._client.list_collections()]
        return sorted(int(n[len(stem) :]) for n in names if n.startswith(stem) and n[len(stem) :].isdigit())


def lexical_folder(storage: IndexStorage, entry: SourceEntry) -> Path:
    """Return where the BM25 tables of a source's generation are kept."""
    return storage.local / collection_name(entry.name) / str(entry.generation) / f"bm25-{TITLE_WEIGHT}-{entry.digest}"


def collection_name(source: str) -> str:
    """Return a name that Chroma accepts (3 to 63 of `a-zA-Z0-9-_`), the same for the same source, one for each."""
    safe = "".join(c if (c.isalnum() and c.isascii()) or c in "-_" else "-" for c in source)[:40].strip("-_")
    if safe == source and len(safe) >= 3:
        return safe
    return f"s-{safe}-{hashlib.sha256(source.encode()).hexdigest()[:8]}".replace("--", "-")


def _collection(client: ClientAPI, name: str, create: bool) -> Collection:
    from chromadb.errors import NotFoundError

    if create:
        return client.get_or_create_collection(name, embedding_function=None, configuration=_HNSW)
    try:
        return client.get_collection(name, embedding_function=None)
    except NotFoundError:
        raise BrokenIndexError(f"no collection {name!r}; run `tracejury index verify --repair`") from None


def _parsed(text: str, where: str) -> IndexManifest:
    try:
        return IndexManifest.model_validate_json(text)
    except ValueError as bad:
        raise BrokenIndexError(f"{where}: not a manifest of this version ({bad}); build the index anew") from bad
