"""Finding what is registered: built-ins and strangers' packages come through the same entry points."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Generic, NamedTuple, TypeVar

from tracejury.traces.plugins import Contract, Plugin, UnfitParamsError
from tracejury.traces.time_limits import plugin_time_limit_s

T = TypeVar("T")

MAKING_LIMIT = 10
"""Importing and making an object may take this many times the limit of one call: weights are loaded then."""


class UnknownNameError(LookupError):
    """Nothing is registered under this name. The message lists what is, and what comes near."""


class Entry(NamedTuple):
    """One registered thing."""

    name: str
    package: str
    version: str
    target: str


class Registry(Generic[T]):
    """The factories of one entry point group, re-created from (name, params) so that runs replay.

    Args:
        group: The entry point group.
        what: What an object of the group is, for messages.
        contract: What such an object must have.
        guard: Wraps an object of another package, so that its faults are named and end in time.
    """

    def __init__(self, group: str, what: str, contract: Contract, guard: Callable[[T, Plugin], T]) -> None:
        self.group = group
        self.what = what
        self.contract = contract
        self._guard = guard

    @cached_property
    def _points(self) -> dict[str, EntryPoint]:
        return {point.name: point for point in entry_points(group=self.group)}

    def entries(self) -> list[Entry]:
        """List what is registered, by name, without importing any of it."""
        return [
            Entry(p.name, p.dist.name if p.dist else "?", p.dist.version if p.dist else "?", p.value)
            for p in sorted(self._points.values(), key=lambda p: p.name)
        ]

    def plugin(self, name: str) -> Plugin:
        """Return what names the object in messages.

        Raises:
            UnknownNameError: Nothing of this name is installed.
        """
        point = self._point(name)
        return Plugin(self.what, name, point.dist.name if point.dist else "?", point.value)

    def make(self, name: str, /, **params: object) -> T:
        """Make the thing called `name`; that of another package is wrapped by the group's guard.

        Raises:
            UnknownNameError: Nothing of this name is installed.
            UnfitParamsError: Another package's factory does not take `params`.
            PluginError: Another package's object cannot be loaded or made; or an object is not what the group asks for.
        """
        point = self._point(name)
        plugin = self.plugin(name)
        if not plugin.foreign:
            own: T = point.load()(**params)
            plugin.check(own, self.contract)
            return own
        instance: T = _made(point, plugin, params)
        plugin.check(instance, self.contract)
        return self._guard(instance, plugin)

    def _point(self, name: str) -> EntryPoint:
        point = self._points.get(name)
        if point is None:
            near = difflib.get_close_matches(name, self._points, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else "."
            raise UnknownNameError(f"no {self.what} called {name!r}{hint} Known: {', '.join(sorted(self._points))}")
        return point


def _made(point: EntryPoint, plugin: Plugin, params: Mapping[str, object]) -> Any:
    """Import a factory of another package and call it."""

    def call() -> Any:
        factory = point.load()
        try:
            return factory(**params)
        except TypeError as error:
            raise UnfitParamsError(f"{plugin}: its params {sorted(params)} do not fit: {error}") from error

    return plugin.call(call, MAKING_LIMIT * plugin_time_limit_s(), "to be imported and made")
