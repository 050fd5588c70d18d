"""The lease of a run: one process at a time judges it, so that no call is paid twice."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import Engine

from tracejury.ledger.runs import Run
from tracejury.storage import Lease, LeaseHeldError, acquire_lease, run_in_thread

CHECK_S = 2.0
"""How often the holder checks that it still has the lease."""
RELEASE_WAIT_S = 1.0


class RunInUseError(ValueError):
    """Another process judges the run; the message says which, and what to do."""


@asynccontextmanager
async def run_lease(engine: Engine, run: Run, *, fresh: bool = False) -> AsyncIterator[None]:
    """Hold the run while the block works. A process that died holds nothing, so its run can be resumed at once.

    What the run asks is held too, so that a run of another name over the same inputs waits for its replies instead of
    paying for them a second time; `fresh` runs, which want replies of their own, share nothing.

    A process that is cut off from Postgres, or asleep, for half a minute may lose the run to another. It notices within
    two seconds of being back, and its block is cancelled.

    Raises:
        RunInUseError: Another process has the run, at the start or since the connection was lost; or asks the same
            questions of the same panel under another name.
    """
    name = f"run-{run.id}"
    try:
        lease = await run_in_thread(acquire_lease, engine, name)
    except LeaseHeldError as error:
        raise RunInUseError(
            f"run {run.name!r} is being judged by {error.holder}. Wait until that process has ended, or stop it; then "
            "the same command resumes the run. Or give another --run NAME"
        ) from None
    work = None if fresh else await _hold_work(engine, run, lease)
    run_task, superseded = asyncio.current_task(), asyncio.Event()

    async def watch() -> None:
        while await run_in_thread(lease.still_held):  # noqa: ASYNC110 - the database is asked, and nobody can set an event
            await asyncio.sleep(CHECK_S)
        superseded.set()
        if run_task is not None:
            run_task.cancel()

    watching = asyncio.create_task(watch())
    try:
        yield
    except asyncio.CancelledError:
        if superseded.is_set() and run_task is not None and run_task.uncancel() == 0:
            raise RunInUseError(
                f"run {run.name!r}: the connection of this process broke, and another process judges the run now; "
                "everything committed until then is kept"
            ) from None
        raise
    finally:
        watching.cancel()
        # The server may be away; then the lease goes with the connection.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(run_in_thread(_release, work, lease), RELEASE_WAIT_S)


async def _hold_work(engine: Engine, run: Run, run_lease: Lease) -> Lease:
    try:
        return await run_in_thread(acquire_lease, engine, f"work-{run.manifest.work_id.replace('_', '-')}")
    except LeaseHeldError as error:
        await run_in_thread(run_lease.release)
        raise RunInUseError(
            f"run {run.name!r} asks the same panel about the same inputs as a run of another name that is being judged "
            f"by {error.holder}, and both would pay for the same replies. Wait until that process has ended: then this "
            "run reads its replies from the cache. Or give --fresh for replies of its own"
        ) from None


def _release(*leases: Lease | None) -> None:
    for lease in leases:
        if lease is not None:
            lease.release()
