"""The main job, from a batch and a panel to a finished run: what the command line and the library both call."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from tracejury.agents import Panel, endpoints_of, load_panel, prompt_hashes
from tracejury.graphs.batch import IN_BATCHES, Runner, select
from tracejury.graphs.cluster.joining import Cluster
from tracejury.graphs.run_context import open_run_context
from tracejury.graphs.tally import RunTally
from tracejury.ledger.runs import Run, RunManifest, installed, panel_hash
from tracejury.ledger.writer import DEFAULT_STORE, Ledger
from tracejury.models import BatchProgress, Budget, CallStore
from tracejury.retrieval import Index
from tracejury.traces import Batch


async def adjudicate(
    batch: Batch | str | Path,
    panel: Panel | str | Path,
    *,
    store: str = DEFAULT_STORE,
    name: str | None = None,
    index: Path | None = None,
    limit: int | None = None,
    only: Sequence[str] = (),
    arms: Sequence[str] = (),
    skip_steps: frozenset[str] = frozenset(),
    air_gapped: bool = False,
    budget: Budget | None = None,
    underway: BatchProgress | None = None,
    cluster: Cluster | None = None,
    said: Callable[[str], None] = lambda line: None,
    tally: RunTally | None = None,
    stopping: asyncio.Event | None = None,
    opened: Callable[[Run, bool], None] | None = None,
) -> tuple[Run, RunTally]:
    """Adjudicate a batch with a panel. The same call again resumes: nothing is judged twice, nothing paid twice.

    Args:
        batch: An open batch, or the path of one.
        panel: A panel, the name of a shipped one, or the path of a YAML file.
        store: Ledger URL, `sqlite:///file.db` or `postgresql://...`.
        name: The run's name; None: derived from panel, inputs and selection, so that the same call finds the same run.
        index: The Chroma index's folder.
        limit: At most so many traces.
        only: Trace or question ids, or the beginnings of them.
        arms: Arms.
        skip_steps: Step ids to leave alone.
        air_gapped: Refuse every address but loopback.
        budget: What the run may spend in all of its sittings; used up, it stops cleanly.
        underway: Send the questions in batches, and tell here what is out; None: one by one.
        cluster: TraceQueue the traces to workers on Ray; None: this process hears them all.
        said: Takes what a user should know of the cluster while the run goes on, a line each.
        tally: Counts what happens, for a progress display.
        stopping: Set it to stop cleanly: steps that have begun are finished, the rest is left for the resume.
        opened: Called with the run, and whether it is a resumed one, before the first trace.

    Returns:
        The run and what this call did.

    Raises:
        RunDiffersError: A run of this name was made by something else.
        SchemaError: The ledger is another version's.
        StoreError: The ledger cannot be opened, or its server went away for good; the same call goes on from there.
        ValueError: Dollars are capped, and an endpoint has no price.
    """
    chosen = panel if isinstance(panel, Panel) else load_panel(panel)
    capped = budget is not None and (budget.max_usd is not None or budget.max_tokens is not None)
    if cluster is not None and (capped or underway is not None):
        raise ValueError("caps and batches are kept by one process: leave out --backend ray, or the cap or --batch")
    if budget is not None:
        budget.check_prices(endpoints_of(chosen))
    taken = batch if isinstance(batch, Batch) else Batch.open([Path(batch)])
    if chosen.deidentify:
        taken = await asyncio.to_thread(taken.deidentified)
    ledger = Ledger(store)
    selection = {"limit": limit, "only": list(only), "arms": list(arms), "skipped_steps": len(skip_steps) or None}
    manifest = RunManifest(
        panel=panel_hash(chosen),
        prompts=prompt_hashes(chosen),
        index=_digests(chosen, index),
        segmenter=chosen.segmenter,
        seed=chosen.seed,
        inputs=tuple(str(path) for path in taken.paths),
        selection={key: str(value) for key, value in selection.items() if value},
        packages=installed(),
    )
    run, secret, resumed = ledger.open_run(chosen, manifest, name)
    if opened is not None:
        opened(run, resumed)
    if cluster is not None:
        from tracejury.graphs.cluster.run import run_on

        picked = select(taken.traces(), limit=limit, only=only, arms=arms)
        try:
            dealt = await run_on(
                cluster,
                ledger,
                run,
                secret,
                taken,
                picked,
                index=index,
                air_gapped=air_gapped,
                skip_steps=skip_steps,
                tally=tally or RunTally(),
                stopping=stopping or asyncio.Event(),
                told=said,
            )
            return ledger.run(run.name), dealt
        finally:
            ledger.close()
    calls = CallStore(ledger.engine, run=run.id)
    if budget is not None:
        budget.add_earlier(*calls.spending(run.id))
    try:
        seated = open_run_context(
            chosen, calls, secret=secret, index=index, air_gapped=air_gapped, budget=budget, underway=underway
        )
        async with seated as run_context:
            run_context.skip = skip_steps
            run_context.stopping = stopping or run_context.stopping
            runner = Runner(run_context, ledger, calls.writer, run, tally)
            picked = select(taken.traces(), limit=limit, only=only, arms=arms)
            done = await runner.run(taken, picked, IN_BATCHES if underway else None)
        return ledger.run(run.name), done
    finally:
        calls.close()


def _digests(panel: Panel, index: Path | None) -> dict[str, str]:
    if not panel.retrieval.sources:
        return {}
    opened = Index.open(index, embedder=panel.retrieval.embedder)
    return {name: opened.entry(name).digest for name in panel.retrieval.sources}
