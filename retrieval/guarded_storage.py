"""Index engines of other packages behind the guard that they are called through."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from tracejury.retrieval.manifest import IndexManifest
from tracejury.traces import READING_LIMIT, Guarded, Plugin

if TYPE_CHECKING:
    from tracejury.retrieval.index_storage import IndexStorage

T = TypeVar("T")


class GuardedStorage(Guarded):
    """An index engine of another package: each call has a time limit, and its faults name the package.

    Errors of the contract (`BrokenIndexError`, `IndexLockedError`) stay what they are.
    """

    def __init__(self, instance: Any, plugin: Plugin, contract_errors: tuple[type[Exception], ...]) -> None:
        super().__init__(instance, plugin)
        self._contract_errors = contract_errors
        self.local = Path(self._checked("local", self._limited(lambda: instance.local), str | Path))

    def load(self) -> IndexManifest | None:
        """Return the manifest, or None."""
        manifest: IndexManifest | None = self._checked("load", self._limited(self._instance.load), IndexManifest | None)
        return manifest

    def save(self, manifest: IndexManifest) -> None:
        """Replace the manifest."""
        self._limited(lambda: self._instance.save(manifest))

    def hold(self, source: str, generation: int) -> None:
        """Keep a generation."""
        self._limited(lambda: self._instance.hold(source, generation))

    def collection(self, source: str, generation: int, create: bool = False) -> GuardedCollection:
        """Open a collection, guarded too."""
        opened = self._limited(lambda: self._instance.collection(source, generation, create))
        return GuardedCollection(opened, self.plugin, self._limited)

    def begin(self, source: str, base: int | None) -> int:
        """Return the generation to build into."""
        return int(self._checked("begin", self._limited(lambda: self._instance.begin(source, base)), int))

    def drop(self, source: str, generation: int) -> None:
        """Delete a generation."""
        self._limited(lambda: self._instance.drop(source, generation))

    def generations(self, source: str) -> list[int]:
        """List the generations."""
        return list(self._checked("generations", self._limited(lambda: list(self._instance.generations(source))), list))

    def _limited(self, work: Callable[[], T]) -> T:
        raised: list[Exception] = []

        def attempt() -> T | None:
            try:
                return work()
            except self._contract_errors as error:
                raised.append(error)
                return None

        result: Any = self.call(attempt, READING_LIMIT * self.limit_s)
        if raised:
            raise raised[0]
        return result  # type: ignore[no-any-return]

    def _checked(self, method: str, answer: Any, kind: Any) -> Any:
        if not isinstance(answer, kind):
            raise self.plugin.fault(f"`{method}` returned {type(answer).__name__}")
        return answer


class GuardedCollection:
    """A collection of a guarded engine: its methods are limited and their faults named."""

    def __init__(self, collection: Any, plugin: Plugin, limited: Callable[[Callable[[], Any]], Any]) -> None:
        self._collection = collection
        self._plugin = plugin
        self._limited = limited

    def __getattr__(self, name: str) -> Any:
        member = self._limited(lambda: getattr(self._collection, name))
        if not callable(member):
            return member
        return lambda *args, **fields: self._limited(lambda: member(*args, **fields))


def guard_storage(storage: IndexStorage, plugin: Plugin, contract_errors: tuple[type[Exception], ...]) -> IndexStorage:
    """Return the engine behind its guard."""
    guarded: Any = GuardedStorage(storage, plugin, contract_errors)
    return guarded  # type: ignore[no-any-return]
