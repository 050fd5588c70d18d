"""What is registered by another package: who it is from, what it must look like, and the error that names it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple, TypeVar

from pydantic import ValidationError

from tracejury.traces.containment import contained, is_users_interrupt
from tracejury.traces.time_limits import OverTimeError, call_within

T = TypeVar("T")

OWN_PACKAGE = "tracejury"


class Contract(NamedTuple):
    """What an object of an entry point group must have."""

    attributes: Mapping[str, type]
    method: str
    arguments: int
    """Number of positional arguments that the method is called with."""


class Plugin(NamedTuple):
    """One registered object, as messages name it."""

    what: str
    """`judge`, `reader`, ..."""
    name: str
    package: str
    target: str
    """The entry point's value, `module:object`."""

    def __str__(self) -> str:
        return f"{self.what} {self.name!r} of package {self.package!r} ({self.target})"

    @property
    def foreign(self) -> bool:
        """Whether another package than tracejury registers it."""
        return self.package != OWN_PACKAGE

    def fault(self, reason: object) -> PluginError:
        """Return the error that says `reason` of this object; an exception is named with its type."""
        if isinstance(reason, ValidationError):
            faults = (f"{'.'.join(map(str, error['loc']))}: {error['msg']}" for error in reason.errors())
            reason = f"{reason.title} is not valid: {'; '.join(faults)}"
        text = f"{type(reason).__name__}: {reason}" if isinstance(reason, BaseException) else str(reason)
        return PluginError(f"{self}: {text}")

    @contextmanager
    def faults_named(self) -> Iterator[None]:
        """Turn whatever the block raises into a `PluginError` that names the package; what it prints is no output."""
        try:
            with contained():
                yield
        except PluginError:
            raise
        except BaseException as error:
            if is_users_interrupt(error):
                raise
            raise self.fault(error) from error

    def call(self, work: Callable[[], T], limit_s: float, purpose: str = "") -> T:
        """Return `work()`, under a time limit.

        Args:
            work: Calls the object.
            limit_s: The limit, in seconds.
            purpose: Ends the message about the limit, such as "to be imported and made".

        Raises:
            PluginError: It took too long or raised; the message names the package.
        """
        with self.faults_named():
            try:
                return call_within(limit_s, work)
            except OverTimeError:
                raise self.fault(f"took longer than {limit_s:g} s {purpose}".rstrip()) from None

    def check(self, instance: object, contract: Contract) -> None:
        """Check that `instance` has what the group's contract asks for.

        Raises:
            PluginError: It has not; the message names the attribute or the method.
        """
        for attribute, kind in contract.attributes.items():
            with self.faults_named():
                value = getattr(instance, attribute, None)
            if not isinstance(value, kind):
                description = "missing" if value is None else repr(value)
                raise self.fault(f"`{attribute}` must be a {kind.__name__}; it is {description}")
        with self.faults_named():
            method = getattr(instance, contract.method, None)
        if not callable(method):
            raise self.fault(f"it has no method `{contract.method}`")
        try:
            inspect.signature(method).bind(*range(contract.arguments))
        except (TypeError, ValueError) as unfit:
            raise self.fault(f"`{contract.method}` cannot be called as the contract says: {unfit}") from unfit


class PluginError(ValueError):
    """A registered object cannot be loaded, is not what its group asks for, or broke.

    The message names the object, its package and its entry point.
    """


class UnfitParamsError(PluginError, TypeError):
    """A factory of another package does not take the parameters that it was given."""
