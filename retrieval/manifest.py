"""The index's manifest: what is in it, made of what, under which licence. Runs record it; builds replace it whole."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Literal

from pydantic import Field, JsonValue

from tracejury.retrieval.records import Trust
from tracejury.retrieval.trust import source_trust
from tracejury.traces import Problem, Record


class SourceEntry(Record):
    """One source as indexed."""

    name: str
    factory: str
    """The registered name that it is re-created from, with `params`; "" for an object handed over in code."""
    params: dict[str, JsonValue] = Field(default_factory=dict)
    chunking: str
    license: str
    version: str
    documents: int
    passages: int
    digest: str
    """Hash of the sorted passage ids: two indexes with the same digest hold the same passages."""
    generation: int
    """The collection that is valid; an older one may still serve readers, a newer one is unfinished."""
    built: str
    """ISO 8601, UTC."""
    problems: int = 0
    stated_trust: Trust | None = None
    """What the user said of the source; None: nothing."""

    @property
    def trust(self) -> Trust:
        """What the source's passages may do in a verdict."""
        return source_trust(self.factory, self.stated_trust)


class IndexManifest(Record):
    """The whole index."""

    format: Literal[1] = 1
    embedder: str
    embedder_identity: str | None = None
    """What its vectors hang on: the model with a hash of its weights. None: built before this was kept."""
    dim: int = 0
    sources: dict[str, SourceEntry] = Field(default_factory=dict)


class BuildReport(Record):
    """What a build did."""

    source: str
    passages: int
    trust: Trust = Trust.FULL
    added: int = 0
    removed: int = 0
    kept_passages: int = 0
    renewed: int = 0
    """Passages of the same text under another title, citation, date or licence, or superseded meanwhile."""
    unchanged: bool = False
    """The source's version is the one that is indexed already: nothing was read."""
    resumed: int = 0
    """Passages found finished in a build that had been cut off."""
    problems: tuple[Problem, ...] = ()
    seconds: float = 0.0


class SourceChange(Record):
    """What changed in one source between two manifests."""

    name: str
    change: Literal["added", "removed", "changed"]
    fields: dict[str, tuple[JsonValue, JsonValue]] = Field(default_factory=dict)
    """Field -> (before, after)."""


def digest(ids: Iterable[str]) -> str:
    """Return a hash of passage ids, whatever their order."""
    return hashlib.sha256("\n".join(sorted(ids)).encode()).hexdigest()[:16]


def diff(before: IndexManifest, after: IndexManifest) -> list[SourceChange]:
    """Say what changed between two manifests, by source; the index itself is called `index`."""
    changes = []
    heads = {
        field: (getattr(before, field), getattr(after, field))
        for field in ("format", "embedder", "embedder_identity", "dim")
        if getattr(before, field) != getattr(after, field)
    }
    if heads:
        changes.append(SourceChange(name="index", change="changed", fields=heads))
    for name in sorted(before.sources.keys() | after.sources.keys()):
        old, new = before.sources.get(name), after.sources.get(name)
        if old is None or new is None:
            changes.append(
                SourceChange(
                    name=name,
                    change="added" if old is None else "removed",
                    fields={"passages": (old.passages if old else 0, new.passages if new else 0)},
                )
            )
        elif _identity(old) != _identity(new):
            fields = {
                field: (getattr(old, field), getattr(new, field))
                for field in _SHOWN_FIELDS
                if getattr(old, field) != getattr(new, field)
            }
            changes.append(SourceChange(name=name, change="changed", fields=fields))
    return changes


_SHOWN_FIELDS = ("version", "license", "trust", "documents", "passages", "digest", "built", "problems", "params")


def _identity(entry: SourceEntry) -> tuple[str, ...]:
    return entry.digest, entry.version, entry.license, entry.trust
