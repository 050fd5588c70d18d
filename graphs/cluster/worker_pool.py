"""The worker_pool: the workers of a run on Ray, seated, replaced when they die, and counted together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

from tracejury.agents import prompt_hashes
from tracejury.graphs.cluster.trace_queue import QueuedTrace, TraceQueue
from tracejury.graphs.cluster.worker import Arrived, RunSpec, Worker
from tracejury.graphs.tally import RunTally
from tracejury.graphs.trace_runner import BROKEN_IN_A_ROW
from tracejury.ledger.runs import installed
from tracejury.storage import StoreError
from tracejury.traces import Problem

DEATHS = 4
"""A trace that so many workers died with is left for a resume: it may be what kills them."""
FALSE_STARTS = 3
"""A seat whose workers die so often before a run context is in session is given up."""
LOOK_S = 0.5
"""How often the workers are asked how far they are."""


class WorkerPoolError(OSError):
    """The workers cannot work; the message says why."""


class WorkerPool:
    """Seats workers and deals to them.

    Args:
        ray: The module, connected.
        run_spec: The run.
        limits: Handle of the `Limits` actor.
        ledger_actor: Handle of the `LedgerActor` actor, if there is one.
        tally: Kept up to date while the run goes on.
        done: What is done with for good, by whoever deals as well; `tally` shows it, and what is under way beside it.
        standing: Returns the steps of a trace that need no second step.
        told: Takes what a user should know at once, a line each.
    """

    def __init__(
        self,
        ray: Any,
        run_spec: RunSpec,
        limits: Any,
        ledger_actor: Any,
        tally: RunTally,
        done: RunTally,
        standing: Callable[[str], frozenset[str]],
        told: Callable[[str], None],
    ) -> None:
        self._ray = ray
        self._errand = run_spec
        self._limits = limits
        self._clerk = ledger_actor
        self._tally = tally
        self._standing = standing
        self._told = told
        self._done = done
        self._live: dict[str, Any] = {}
        self._broken = 0
        self._full = False
        self._given_up: list[str] = []

    async def work(self, fresh: AsyncIterator[QueuedTrace], seats: int, hands: int, stopping: asyncio.Event) -> None:
        """Hear all traces.

        Args:
            fresh: The traces; what cannot be dealt is counted by whoever yields them.
            seats: Workers at once.
            hands: Traces that a worker has at once.
            stopping: Set: steps that have begun are finished, the rest is left for a resume.

        Raises:
            WorkerPoolError: No worker could be seated, or trace after trace broke.
            StoreError: The ledger is away for good.
        """
        self.deal = TraceQueue(fresh, stopping)
        looking = asyncio.create_task(self._look())
        halting = asyncio.create_task(self._halt(stopping))
        try:
            async with asyncio.TaskGroup() as group:
                for seat in range(seats):
                    group.create_task(self._seat(seat, hands, seats))
        except* (WorkerPoolError, StoreError) as errors:
            raise errors.exceptions[0] from None
        finally:
            for task in (looking, halting):
                task.cancel()
            for worker in self._live.values():
                self._ray.kill(worker)
            self._show(())

    async def _seat(self, seat: int, hands: int, seats: int) -> None:
        """Keep one seat filled until the deal is over."""
        worker_of = self._ray.remote(Worker)
        false_starts = incarnation = 0
        while not self.deal.over.is_set():
            name, incarnation = f"worker {seat}.{incarnation}", incarnation + 1
            worker = worker_of.options(num_cpus=1, max_restarts=0, max_concurrency=hands + 16).remote(
                self._errand, name, self._limits, self._clerk
            )
            try:
                arrived = await self._unless_over(worker.open.remote())
            except self._ray.exceptions.RayActorError as death:
                false_starts += 1
                if false_starts < FALSE_STARTS:
                    continue
                self._given_up.append(str(death))
                if len(self._given_up) == seats:
                    raise WorkerPoolError(f"no worker could be started: {death}") from death
                return
            if arrived is None:
                self._ray.kill(worker)
                return
            self._check(arrived)
            self._live[name] = worker
            if len(self._live) == seats and not self._full:
                self._full = True
                self._told(f"{seats} workers are in session")
            dealt_again = sum(await asyncio.gather(*(self._hand(worker) for _ in range(hands))))
            if name not in self._live:
                return
            del self._live[name]
            if dealt_again == 0 and self.deal.over.is_set():
                await self._unless_dead(worker.close.remote())
            else:
                self._told(f"{name} on node {arrived.node[:8]} died; its {dealt_again} traces are dealt again")
            # Also what is taken for dead: it may only be cut off, and would go on beyond the limits.
            self._ray.kill(worker)
            await answer(self._limits.forget.remote(name))

    async def _hand(self, worker: Any) -> int:
        """TraceQueue trace by trace to a worker; return how many came back because it died (0 or 1)."""
        while (dealt := await self.deal.take()) is not None:
            try:
                # Asked now: another worker may have got far with it before it died.
                settled = self._standing(dealt.trace.id) if dealt.deaths else dealt.settled
                part: RunTally = await answer(worker.hear.remote(dealt.trace, dealt.question, settled))
            except self._ray.exceptions.RayActorError as death:
                dealt.deaths += 1
                if dealt.deaths < DEATHS:
                    await self.deal.back(dealt)
                else:
                    reason, hint = f"{DEATHS} workers died with it: {death}", "the same command deals it again"
                    self._done.problems.append(Problem(file=f"trace {dealt.trace.id}", reason=reason, hint=hint))
                    await self.deal.done()
                return 1
            except self._ray.exceptions.RayTaskError as error:
                raise WorkerPoolError(str(error.cause or error)) from error
            self._done.take(part)
            self._broken = self._broken + 1 if part.problems else 0
            await self.deal.done()
            if self._broken >= BROKEN_IN_A_ROW:
                raise WorkerPoolError(f"{self._broken} traces in a row broke; the last one: {part.problems[-1]}")
        return 0

    async def _unless_over(self, ref: Any) -> Arrived | None:
        """Return a worker's answer; None: there was nothing left to do before a machine had room for it."""
        asked, over = asyncio.ensure_future(answer(ref)), asyncio.create_task(self.deal.over.wait())
        try:
            await asyncio.wait({asked, over}, return_when=asyncio.FIRST_COMPLETED)
            if not asked.done():
                return None
            arrived: Arrived = asked.result()
            return arrived
        except self._ray.exceptions.RayTaskError as error:
            raise WorkerPoolError(str(error.cause or error)) from error
        finally:
            asked.cancel()
            over.cancel()

    async def _unless_dead(self, ref: Any) -> None:
        try:
            await answer(ref)
        except self._ray.exceptions.RayActorError:
            return  # all that it was dealt had been answered, and what it wrote had been durable before

    def _check(self, arrived: Arrived) -> None:
        here, there = installed().get("tracejury", "?"), arrived.version
        if arrived.prompts != prompt_hashes(self._errand.panel) or here != there:
            raise WorkerPoolError(
                f"node {arrived.node[:8]} has other code: tracejury {there}, here {here}, or other prompts. Give "
                "--wheel FILE (`pip wheel --no-deps -w dist .` makes it), or install the same on every node"
            )

    async def _halt(self, stopping: asyncio.Event) -> None:
        await stopping.wait()
        for worker in list(self._live.values()):
            worker.stop.remote()
        await self.deal.halt()

    async def _look(self) -> None:
        while True:
            asked = [asyncio.ensure_future(answer(worker.live.remote())) for worker in self._live.values()]
            if asked:
                await asyncio.wait(asked, timeout=5.0)
            good = [a.result() for a in asked if a.done() and not a.cancelled() and a.exception() is None]
            self._show(good)
            await asyncio.sleep(LOOK_S)

    def _show(self, live: Any) -> None:
        self._tally.become((self._done, *live))


async def answer(ref: Any) -> Any:
    """Return what comes of a Ray call, made by a driver within the cluster or through Ray's client."""
    # Shielded: Ray sets the result in a thread of its own, and trips over a future that was cancelled meanwhile.
    came = asyncio.wrap_future(ref.future())
    came.add_done_callback(lambda future: future.cancelled() or future.exception())
    return await asyncio.shield(came)
