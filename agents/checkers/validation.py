"""Making a checker, and the one wrapper that every checker is called through, ours and a stranger's."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence

from tracejury.agents.checkers.contracts import Checker, CheckerAsk, CheckerError, Pair, Probabilities, checkers
from tracejury.agents.clocked_ask import ClockedAsk
from tracejury.models import CallFailed
from tracejury.traces import OWN_PACKAGE, OverTimeError, OwnTime, PluginError, is_users_interrupt, plugin_time_limit_s

_ATTRIBUTES = {"kind": str, "summary": str, "needs_endpoint": bool, "can_contradict": bool, "identity": str}
_TOLERANCE = 1e-3


class ValidatedChecker:
    """A checker whose answers are checked; its errors name the package that it comes from.

    The own time of another package's checker, without that of its model calls, is limited.
    """

    def __init__(self, checker: Checker, name: str, package: str) -> None:
        self._checker = checker
        self._origin = f"checker {name!r} of package {package!r}"
        self.limit_s = plugin_time_limit_s() if package != OWN_PACKAGE else math.inf
        for attribute, kind in _ATTRIBUTES.items():
            if not isinstance(getattr(checker, attribute, None), kind):
                raise CheckerError(f"{self._origin}: `{attribute}` must be a {kind.__name__}")
        self.kind = checker.kind
        self.summary = checker.summary
        self.needs_endpoint = checker.needs_endpoint
        self.english_only = getattr(checker, "english_only", False) is True
        """Nothing counts by it where a step or its evidence is in another language."""

    @property
    def can_contradict(self) -> bool:
        """Whether it tells contradiction from silence."""
        return self._checker.can_contradict

    @property
    def identity(self) -> str:
        """The model and its weights."""
        return self._checker.identity

    async def probabilities(self, pairs: Sequence[Pair], ask: CheckerAsk | None) -> list[Probabilities]:
        """Return one `Probabilities` a pair; see `Checker`.

        Raises:
            CallFailed: The model gave no usable reply.
            CheckerError: The checker raised, or its answer is none.
        """
        if self.needs_endpoint and ask is None:
            raise CheckerError(f"{self._origin} asks a model: name its endpoint")
        if not pairs:
            return []
        try:
            answers = await self._answers(pairs, ask)
        except (CallFailed, CheckerError):
            raise
        except OverTimeError:
            raise CheckerError(f"{self._origin} took longer than {self.limit_s:g} s") from None
        except asyncio.CancelledError as cancelled:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            raise CheckerError(f"{self._origin} raised CancelledError") from cancelled
        except BaseException as error:
            if is_users_interrupt(error):
                raise
            raise CheckerError(f"{self._origin} raised {type(error).__name__}: {error}") from error
        return self._validated(answers, len(pairs))

    async def _answers(self, pairs: Sequence[Pair], ask: CheckerAsk | None) -> list[Probabilities]:
        if self.limit_s == math.inf:
            return await self._checker.probabilities(pairs, ask)
        clock = OwnTime(self.limit_s)
        clocked: CheckerAsk | None = None if ask is None else ClockedAsk(ask, clock)
        return await clock.run(lambda: self._checker.probabilities(pairs, clocked))

    def _validated(self, answers: object, expected: int) -> list[Probabilities]:
        if not isinstance(answers, Sequence):
            raise CheckerError(f"{self._origin} returned {type(answers).__name__}, which is no list of probabilities")
        if len(answers) != expected:
            raise CheckerError(f"{self._origin} returned {len(answers)} answers for {expected} pairs")
        valid = []
        for answer in answers:
            try:
                one = Probabilities(*map(float, answer))
            except (TypeError, ValueError):
                raise CheckerError(f"{self._origin} returned {answer!r}, which is no triple of probabilities") from None
            if not all(0 <= p <= 1 + _TOLERANCE for p in one) or not math.isclose(sum(one), 1, abs_tol=_TOLERANCE):
                raise CheckerError(f"{self._origin} returned {answer!r}: probabilities are from 0 to 1 and sum to 1")
            if one.contradicts > 0 and not self.can_contradict:
                raise CheckerError(f"{self._origin} returned a contradiction, and says that it cannot find any")
            valid.append(one)
        return valid


def make_checker(name: str, params: Mapping[str, object] | None = None) -> ValidatedChecker:
    """Make the checker called `name` from its parameters.

    Raises:
        UnknownNameError: No checker of this name is installed.
        CheckerError: The parameters do not fit, or the object is no checker; the message names its package.
    """
    plugin = checkers.plugin(name)
    try:
        checker = checkers.make(name, **(params or {}))
    except PluginError as error:
        raise CheckerError(str(error)) from error
    except TypeError as error:
        raise CheckerError(f"checker {name!r} of package {plugin.package!r}: its params do not fit: {error}") from None
    return ValidatedChecker(checker, name, plugin.package)
