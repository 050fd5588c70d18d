"""The worker pool: starts the workers of a run on Ray, replaces those that die, and adds up their tallies."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any

from tracejury.agents import prompt_hashes
from tracejury.graphs.cluster.trace_queue import QueuedTrace, TraceQueue
from tracejury.graphs.cluster.worker import RunSpec, Worker, WorkerInfo
from tracejury.graphs.tally import RunTally
from tracejury.graphs.trace_runner import BROKEN_IN_A_ROW
from tracejury.ledger.runs import package_versions
from tracejury.storage import StoreError
from tracejury.traces import Problem

MAX_DEATHS = 4
"""A trace that this many workers died with is left for a resume: it may be what kills them."""
MAX_FAILED_STARTS = 3
"""A slot is given up once this many of its workers died before their run context was open."""
POLL_INTERVAL_S = 0.5
"""How often the workers are asked for their tallies."""


class WorkerPoolError(OSError):
    """The workers cannot work; the message says why."""


class WorkerPool:
    """Starts workers and gives them traces.

    Args:
        ray: The module, connected.
        run_spec: The run.
        limits: Handle of the `SharedLimits` actor.
        ledger_actor: Handle of the `LedgerActor` actor, if there is one.
        tally: Kept up to date while the run goes on: `finished`, and the traces in progress.
        finished: The tally of traces that are finished.
        settled_steps: Returns the ids of a trace's steps that need not be judged again.
        report_line: Takes a line for the user.
    """

    def __init__(
        self,
        ray: Any,
        run_spec: RunSpec,
        limits: Any,
        ledger_actor: Any,
        tally: RunTally,
        finished: RunTally,
        settled_steps: Callable[[str], frozenset[str]],
        report_line: Callable[[str], None],
    ) -> None:
        self._ray = ray
        self._run_spec = run_spec
        self._limits = limits
        self._ledger_actor = ledger_actor
        self._tally = tally
        self._finished = finished
        self._settled_steps = settled_steps
        self._report_line = report_line
        self._live: dict[str, Any] = {}
        self._broken_in_a_row = 0
        self._all_started = False
        self._start_failures: list[str] = []

    async def run(
        self, pending: AsyncIterator[QueuedTrace], slots: int, traces_per_worker: int, stopping: asyncio.Event
    ) -> None:
        """Judge all traces.

        Args:
            pending: The traces to judge.
            slots: Number of workers at once.
            traces_per_worker: Number of traces that a worker judges at once.
            stopping: Once set, steps that have begun are finished, and the rest is left for a resume.

        Raises:
            WorkerPoolError: No worker could be started, or too many traces in a row broke.
            StoreError: The ledger is gone for good.
        """
        self.queue = TraceQueue(pending, stopping)
        polling = asyncio.create_task(self._poll())
        halting = asyncio.create_task(self._stop_workers(stopping))
        try:
            async with asyncio.TaskGroup() as group:
                for slot in range(slots):
                    group.create_task(self._fill_slot(slot, traces_per_worker, slots))
        except* (WorkerPoolError, StoreError) as errors:
            raise errors.exceptions[0] from None
        finally:
            for task in (polling, halting):
                task.cancel()
            for worker in self._live.values():
                self._ray.kill(worker)
            self._update_tally(())

    async def _fill_slot(self, slot: int, traces_per_worker: int, slots: int) -> None:
        """Keep a worker running in one slot until the queue is exhausted."""
        worker_class = self._ray.remote(Worker)
        failed_starts = incarnation = 0
        while not self.queue.exhausted.is_set():
            name, incarnation = f"worker {slot}.{incarnation}", incarnation + 1
            worker = worker_class.options(num_cpus=1, max_restarts=0, max_concurrency=traces_per_worker + 16).remote(
                self._run_spec, name, self._limits, self._ledger_actor
            )
            try:
                info = await self._unless_exhausted(worker.open.remote())
            except self._ray.exceptions.RayActorError as death:
                failed_starts += 1
                if failed_starts < MAX_FAILED_STARTS:
                    continue
                self._start_failures.append(str(death))
                if len(self._start_failures) == slots:
                    raise WorkerPoolError(f"no worker could be started: {death}") from death
                return
            if info is None:
                self._ray.kill(worker)
                return
            self._check_code(info)
            self._live[name] = worker
            if len(self._live) == slots and not self._all_started:
                self._all_started = True
                self._report_line(f"{slots} workers are running")
            returned = sum(await asyncio.gather(*(self._feed(worker) for _ in range(traces_per_worker))))
            if name not in self._live:
                return
            del self._live[name]
            if returned == 0 and self.queue.exhausted.is_set():
                await self._unless_dead(worker.close.remote())
            else:
                self._report_line(f"{name} on node {info.node[:8]} died; its {returned} traces go to another worker")
            # A worker that seems dead may only be cut off, and would go on beyond the limits.
            self._ray.kill(worker)
            await result_of(self._limits.forget.remote(name))

    async def _feed(self, worker: Any) -> int:
        """Give traces to a worker one after another; return how many were returned because it died (0 or 1)."""
        while (queued := await self.queue.take()) is not None:
            try:
                # Read again: a worker that died may have settled some of the steps.
                settled = self._settled_steps(queued.trace.id) if queued.deaths else queued.settled
                part: RunTally = await result_of(worker.run_trace.remote(queued.trace, queued.question, settled))
            except self._ray.exceptions.RayActorError as death:
                queued.deaths += 1
                if queued.deaths < MAX_DEATHS:
                    await self.queue.put_back(queued)
                else:
                    reason = f"{MAX_DEATHS} workers died while they judged it: {death}"
                    hint = "the same command tries it again"
                    self._finished.problems.append(Problem(file=f"trace {queued.trace.id}", reason=reason, hint=hint))
                    await self.queue.mark_finished()
                return 1
            except self._ray.exceptions.RayTaskError as error:
                raise WorkerPoolError(str(error.cause or error)) from error
            self._finished.add_tally(part)
            self._broken_in_a_row = self._broken_in_a_row + 1 if part.problems else 0
            await self.queue.mark_finished()
            if self._broken_in_a_row >= BROKEN_IN_A_ROW:
                raise WorkerPoolError(
                    f"{self._broken_in_a_row} traces in a row broke; the last one: {part.problems[-1]}"
                )
        return 0

    async def _unless_exhausted(self, ref: Any) -> WorkerInfo | None:
        """Return a new worker's report; None: the queue was exhausted before the cluster had room for it."""
        opening = asyncio.ensure_future(result_of(ref))
        exhausted = asyncio.create_task(self.queue.exhausted.wait())
        try:
            await asyncio.wait({opening, exhausted}, return_when=asyncio.FIRST_COMPLETED)
            if not opening.done():
                return None
            info: WorkerInfo = opening.result()
            return info
        except self._ray.exceptions.RayTaskError as error:
            raise WorkerPoolError(str(error.cause or error)) from error
        finally:
            opening.cancel()
            exhausted.cancel()

    async def _unless_dead(self, ref: Any) -> None:
        try:
            await result_of(ref)
        except self._ray.exceptions.RayActorError:
            return  # all of its traces were finished, and what it wrote was durable before

    def _check_code(self, info: WorkerInfo) -> None:
        here, there = package_versions().get("tracejury", "?"), info.version
        if info.prompts != prompt_hashes(self._run_spec.panel) or here != there:
            raise WorkerPoolError(
                f"node {info.node[:8]} has other code: tracejury {there}, here {here}, or other prompts. Give "
                "--wheel FILE (`pip wheel --no-deps -w dist .` makes it), or install the same on every node"
            )

    async def _stop_workers(self, stopping: asyncio.Event) -> None:
        await stopping.wait()
        for worker in list(self._live.values()):
            worker.stop.remote()
        await self.queue.stop()

    async def _poll(self) -> None:
        while True:
            answers = [
                asyncio.ensure_future(result_of(worker.current_tally.remote())) for worker in self._live.values()
            ]
            if answers:
                await asyncio.wait(answers, timeout=5.0)
            self._update_tally([a.result() for a in answers if a.done() and not a.cancelled() and not a.exception()])
            await asyncio.sleep(POLL_INTERVAL_S)

    def _update_tally(self, in_progress: Iterable[RunTally]) -> None:
        self._tally.replace_by((self._finished, *in_progress))


async def result_of(ref: Any) -> Any:
    """Return the result of a Ray call, whether it was made within the cluster or through Ray's client."""
    # Shielded: Ray sets the result in a thread of its own, and trips over a future that was cancelled meanwhile.
    result = asyncio.wrap_future(ref.future())
    result.add_done_callback(lambda future: future.cancelled() or future.exception())
    return await asyncio.shield(result)
