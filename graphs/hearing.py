"""Hearing a panel on one case: who is asked when, and when nobody further need be asked."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable

from tracejury.agents import Case, JudgeSpec, Opinion, hear, settled_early
from tracejury.graphs.court import Court


async def hear_all(
    court: Court, case: Case, warmed: Callable[[], None]
) -> tuple[tuple[Opinion, ...], tuple[JudgeSpec, ...]]:
    """Hear the judges of a court on a case, each alone with it.

    Args:
        court: The panel and its judges.
        case: All that each of them may see.
        warmed: Called once the prefix is in the server's cache and the step's own judges are in its queue.

    Returns:
        The opinions in the panel's order, and the judges that early stop did not ask.
    """
    if court.panel.early_stop and not heard_in_full(case.step_id, court.panel.full_share, court.panel.seed):
        return await _one_by_one(court, case)
    first = next((i for i, (spec, _) in enumerate(court.jury) if spec.endpoint), None) if court.prefix else None
    tasks: list[asyncio.Task[Opinion]] = []
    early: dict[int, Opinion] = {}
    if first is not None:
        early[first] = await _ask(court, case, first)
    try:
        rest = [i for i in range(len(court.jury)) if i not in early]
        tasks = [asyncio.ensure_future(_ask(court, case, i)) for i in rest]
        if court.prefix:
            # One turn of the loop puts these judges in the endpoint's queue before the next step's first one.
            await asyncio.sleep(0)
            warmed()
        opinions = early | dict(zip(rest, await asyncio.gather(*tasks), strict=True))
    finally:
        for task in tasks:
            task.cancel()
    return tuple(opinions[i] for i in range(len(court.jury))), ()


def heard_in_full(step_id: str, share: float, seed: int) -> bool:
    """Tell whether a step belongs to the seeded share that early stop leaves alone, so that agreement stays known."""
    digest = hashlib.sha256(f"{seed}:{step_id}".encode()).digest()
    return int.from_bytes(digest[:8]) / 2**64 < share


async def _one_by_one(court: Court, case: Case) -> tuple[tuple[Opinion, ...], tuple[JudgeSpec, ...]]:
    opinions: list[Opinion] = []
    for index in range(len(court.jury)):
        unheard = tuple(spec for spec, _ in court.jury[index:])
        if settled_early(opinions, [spec.seat for spec in unheard]):
            return tuple(opinions), unheard
        opinions.append(await _ask(court, case, index))
    return tuple(opinions), ()


async def _ask(court: Court, case: Case, index: int) -> Opinion:
    spec, judge = court.jury[index]
    return await hear(spec, judge, case, court.bench)
