"""Asking a panel on one case: each judge alone with it, in an order that lets servers reuse the prompt's prefix."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from tracejury.agents import Case, JudgeSpec, Opinion, hear, next_judges
from tracejury.graphs.run_context import RunContext


async def collect_opinions(run_context: RunContext, case: Case, warmed: Callable[[], None]) -> tuple[Opinion, ...]:
    """Hear the judges of a run context on a case, as far as the panel's early stop and cascade want them.

    Args:
        run_context: The panel and its judges.
        case: All that each of them may see.
        warmed: Called once the prefix is in the server's cache and the step's own judges are in its queue.

    Returns:
        The opinions, in the panel's order.
    """
    opinions: list[Opinion] = []
    warm = not run_context.prefix
    while batch := next_judges(run_context.panel, case.step_id, opinions):
        first = None if warm else next((spec for spec in batch if spec.endpoint), None)
        if first is not None:
            # Alone: the others find the rules, the vignette and the evidence in the server's cache.
            opinions.append(await _hear(run_context, case, first))
            batch = tuple(spec for spec in batch if spec is not first)
        opinions.extend(await _together(run_context, case, batch, None if first is None else warmed))
        warm = warm or first is not None
    place = {spec.name: i for i, spec in enumerate(run_context.panel.judges)}
    return tuple(sorted(opinions, key=lambda o: place[o.judge]))


async def _together(
    run_context: RunContext, case: Case, batch: Sequence[JudgeSpec], warmed: Callable[[], None] | None
) -> list[Opinion]:
    tasks = [asyncio.ensure_future(_hear(run_context, case, spec)) for spec in batch]
    try:
        if warmed is not None:
            # One turn of the loop puts these judges into the endpoint's queue before the next step's first one.
            await asyncio.sleep(0)
            warmed()
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()


async def _hear(run_context: RunContext, case: Case, spec: JudgeSpec) -> Opinion:
    return await hear(spec, run_context.judge_panel.seats[spec.name], case, run_context.judge_panel)
