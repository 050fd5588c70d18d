"""Asking a panel on one case: each judge alone with it, in an order that lets servers reuse the prompt's prefix."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import NamedTuple

from tracejury.agents import Case, JudgeSpec, Opinion, ask_judge, check_opinions, next_judges
from tracejury.graphs.run_context import RunContext
from tracejury.models import CallFailed, CallRecord


class PanelOpinions(NamedTuple):
    """What a panel says on one case."""

    opinions: tuple[Opinion, ...]
    """Checked, in the panel's order."""
    checker_calls: tuple[CallRecord, ...]
    check_failure: CallFailed | None
    """Why the checker gave no answer on some of their citations; these count for nothing."""


async def collect_opinions(run_context: RunContext, case: Case, warmed: Callable[[], None]) -> PanelOpinions:
    """Ask the judges of a run context on a case, as far as the panel's early stop and cascade want them.

    Citations are checked batch by batch, since whom to ask next depends on what counts.

    Args:
        run_context: The panel and its judges.
        case: All that each of them may see.
        warmed: Called once the prefix is in the server's cache and the step's own judges are in its queue.
    """
    opinions: list[Opinion] = []
    checker_calls: list[CallRecord] = []
    check_failure: CallFailed | None = None
    warm = not run_context.prefix
    while batch := next_judges(run_context.panel, case.step_id, opinions, case.claims):
        fresh: list[Opinion] = []
        first = None if warm else next((spec for spec in batch if spec.endpoint), None)
        if first is not None:
            # Alone: the others find the rules, the vignette and the evidence in the server's cache.
            fresh.append(await _ask(run_context, case, first))
            batch = tuple(spec for spec in batch if spec is not first)
        fresh.extend(await _together(run_context, case, batch, None if first is None else warmed))
        warm = warm or first is not None
        try:
            checked, calls = await check_opinions(case, fresh, run_context.judge_panel)
        except CallFailed as failure:
            check_failure, checked, calls = failure, tuple(fresh), failure.calls
        opinions.extend(checked)
        checker_calls.extend(calls)
    place = {spec.name: i for i, spec in enumerate(run_context.panel.judges)}
    in_order = tuple(sorted(opinions, key=lambda o: place[o.judge]))
    return PanelOpinions(in_order, tuple(checker_calls), check_failure)


async def _together(
    run_context: RunContext, case: Case, batch: Sequence[JudgeSpec], warmed: Callable[[], None] | None
) -> list[Opinion]:
    tasks = [asyncio.ensure_future(_ask(run_context, case, spec)) for spec in batch]
    try:
        if warmed is not None:
            # One turn of the loop puts these judges into the endpoint's queue before the next step's first one.
            await asyncio.sleep(0)
            warmed()
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()


async def _ask(run_context: RunContext, case: Case, spec: JudgeSpec) -> Opinion:
    return await ask_judge(spec, run_context.judge_panel.judges[spec.name], case, run_context.judge_panel)
