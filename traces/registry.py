"""Finding what is registered: built-ins and strangers' packages come through the same entry points."""

from __future__ import annotations

import difflib
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")


class UnknownNameError(LookupError):
    """Nothing is registered under this name. The message lists what is, and what comes near."""


class Entry(NamedTuple):
    """One registered thing."""

    name: str
    package: str
    version: str
    target: str


class Registry(Generic[T]):
    """The factories of one entry point group, re-created from (name, params) so that runs replay."""

    def __init__(self, group: str, what: str) -> None:
        self.group = group
        self.what = what

    @cached_property
    def _points(self) -> dict[str, EntryPoint]:
        return {point.name: point for point in entry_points(group=self.group)}

    def entries(self) -> list[Entry]:
        """List what is registered, by name, without importing any of it."""
        return [
            Entry(p.name, p.dist.name if p.dist else "?", p.dist.version if p.dist else "?", p.value)
            for p in sorted(self._points.values(), key=lambda p: p.name)
        ]

    def make(self, name: str, /, **params: object) -> T:
        """Make the thing called `name`.

        Raises:
            UnknownNameError: Nothing of this name is installed.
        """
        point = self._points.get(name)
        if point is None:
            near = difflib.get_close_matches(name, self._points, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else "."
            raise UnknownNameError(f"no {self.what} called {name!r}{hint} Known: {', '.join(sorted(self._points))}")
        instance: T = point.load()(**params)
        return instance
