"""A judge of another package behind the guard that it is called through."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from tracejury.agents.clocked_ask import ClockedAsk
from tracejury.agents.records import Case, Draft
from tracejury.models import CallFailed
from tracejury.traces import Guarded, OverTimeError, OwnTime, Plugin, PluginError, is_users_interrupt

BLOCKED_S = 2.0
"""A judge that holds up every other step for longer than this is named at the end of the run."""
_TIMEOUTS_IN_A_ROW = 3


class GuardedJudge(Guarded):
    """A judge whose answers are validated, and whose own time, without that of its model calls, is limited."""

    def __init__(self, instance: Any, plugin: Plugin) -> None:
        super().__init__(instance, plugin)
        self.longest_block_s = 0.0
        self._timeouts = 0

    async def draft(self, case: Case, ask: Any) -> Draft:
        """Judge the step; see `Judge`.

        Raises:
            CallFailed: A model call of the judge failed.
            PluginError: It raised, took too long, or its answer is no draft.
        """
        if self._timeouts >= _TIMEOUTS_IN_A_ROW:
            times = f"{_TIMEOUTS_IN_A_ROW} times in a row"
            raise self.plugin.fault(f"took longer than {self.limit_s:g} s {times}, so it is not asked again")
        clock = OwnTime(self.limit_s)
        try:
            answer = await clock.run(lambda: self._awaitable(case, None if ask is None else ClockedAsk(ask, clock)))
        except CallFailed:
            raise
        except OverTimeError:
            self._timeouts += 1
            raise self.plugin.fault(f"took longer than {self.limit_s:g} s") from None
        except asyncio.CancelledError as cancelled:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            raise self.plugin.fault(cancelled) from cancelled
        except PluginError:
            raise
        except BaseException as error:
            if is_users_interrupt(error):
                raise
            raise self.plugin.fault(error) from error
        finally:
            self.longest_block_s = max(self.longest_block_s, clock.longest_block_s)
        self._timeouts = 0
        return self._validated(answer)

    def _awaitable(self, case: Case, ask: Any) -> Any:
        answer = self._instance.draft(case, ask)
        if not inspect.isawaitable(answer):
            raise self.plugin.fault("`draft` is not asynchronous; write `async def draft(self, case, ask)`")
        return answer

    def _validated(self, answer: object) -> Draft:
        if not isinstance(answer, Draft):
            raise self.plugin.fault(f"`draft` returned {type(answer).__name__}, which is no Draft")
        try:
            # A draft made with `model_construct` has passed no check.
            return Draft.model_validate(answer.model_dump(warnings=False))
        except ValidationError as error:
            raise self.plugin.fault(error) from error

    @property
    def notice(self) -> str | None:
        """Say that it held up the other steps; None where it did not."""
        if self.longest_block_s < BLOCKED_S:
            return None
        return (
            f"{self.plugin}: held up every other step for up to {self.longest_block_s:.1f} s; "
            "it should await what takes long, for instance with asyncio.to_thread"
        )


def plugin_notices(judge_of: Mapping[str, object]) -> list[str]:
    """Return what the user should know of the judges of other packages, by the judges' names on the panel."""
    guarded = {judge.plugin: judge for judge in judge_of.values() if isinstance(judge, GuardedJudge)}
    return [notice for judge in guarded.values() if (notice := judge.notice)]


def guard_judge(judge: Any, plugin: Plugin) -> Any:
    """Return the judge behind its guard."""
    return GuardedJudge(judge, plugin)
