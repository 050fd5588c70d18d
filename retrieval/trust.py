"""Who vouches for a source: what its passages may do in a verdict."""

from __future__ import annotations

from functools import cache

from tracejury.retrieval.records import Trust
from tracejury.retrieval.sources import register

# They read whatever file they are given, so their name says nothing of who wrote it.
_FILE_READERS = frozenset({"csv", "documents", "jsonl"})
_PACKAGE = "tracejury"


def source_trust(factory: str, stated: Trust | None = None) -> Trust:
    """Return the trust of a source.

    Args:
        factory: The registered name that it is made from; "" for an object handed over in code.
        stated: What the user wrote, which decides. None: the references that ship with tracejury are trusted; files and
            folders, other packages' sources and objects are listed.
    """
    if stated is not None:
        return stated
    return Trust.FULL if _ships(factory) and factory not in _FILE_READERS else Trust.LISTED


@cache
def _ships(factory: str) -> bool:
    return any((entry.name, entry.package) == (factory, _PACKAGE) for entry in register.entries())
