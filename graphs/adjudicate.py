"""The main job, from a batch and a panel to a finished run; the command line and the library both call it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

from tracejury.agents import (
    Panel,
    checker_facts,
    endpoints_of,
    load_panel,
    prompt_hashes,
    refuse_audited_weights,
    refuse_same_family,
    weights_of,
)
from tracejury.graphs.batch import IN_BATCHES, Runner, count_selected, select
from tracejury.graphs.cluster.joining import Cluster
from tracejury.graphs.garbage import rare_collections
from tracejury.graphs.input_digests import input_digests
from tracejury.graphs.languages import languages_of
from tracejury.graphs.probing import check_endpoints, probe_for_workers
from tracejury.graphs.run_context import open_run_context
from tracejury.graphs.source_trust import trust_marked
from tracejury.graphs.tally import RunTally
from tracejury.ledger.leases import run_lease
from tracejury.ledger.runs import Run, RunManifest, package_versions, panel_hash
from tracejury.ledger.writer import DEFAULT_STORE, Ledger
from tracejury.models import Adaptations, BatchProgress, Budget, CallStore, ClientKey, untraced
from tracejury.retrieval import Index
from tracejury.storage import run_in_thread
from tracejury.traces import Batch, Trace, segmenter_rule

_TRACES_LOOKED_AT = 500
"""For the names of the audited models: a batch has a few, and its arms stand side by side."""

CANCELLED_PATIENCE_S = 0.5
"""How long a cancelled run waits for the commit of what it has already written."""


@untraced
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
    batch_progress: BatchProgress | None = None,
    cluster: Cluster | None = None,
    report_line: Callable[[str], None] = lambda line: None,
    tally: RunTally | None = None,
    stopping: asyncio.Event | None = None,
    probe: bool = False,
    fresh: bool = False,
    offline: bool = False,
    opened: Callable[[Run, bool], None] | None = None,
) -> tuple[Run, RunTally]:
    """Adjudicate a batch with a panel. The same call again resumes the run: nothing is judged or paid twice.

    Args:
        batch: An open batch, or the path of one.
        panel: A panel, the name of a shipped one, or the path of a YAML file.
        store: Ledger URL, `sqlite:///file.db` or `postgresql://...`.
        name: The run's name; None: derived from panel, inputs and selection, so the same call resumes the same run.
        index: The Chroma index's folder.
        limit: The most traces to judge.
        only: Trace or question ids, or their beginnings.
        arms: Arms to judge; empty: all.
        skip_steps: Ids of steps not to judge.
        air_gapped: Refuse every address but loopback.
        budget: What the run may spend, resumes included; once it is used up, the run stops cleanly.
        batch_progress: Send the calls in provider batches, and report their progress here; None: one by one.
        cluster: Judge the traces on workers of this Ray cluster; None: in this process.
        report_line: Takes a line for the user about the cluster, while the run goes on.
        tally: Filled while the run goes on, for a progress display.
        stopping: Set it to stop cleanly: steps that have begun are finished, the rest is left for the resume.
        probe: Ask each endpoint once before the first step, unless that was done within the last day.
        fresh: Use no cached reply from before this call.
        offline: Send nothing. What the response cache cannot answer is counted in the tally, and its steps are left.
        opened: Called with the run and whether it is resumed, before the first trace.

    Returns:
        The run, and the tally of this call.

    Raises:
        RunDiffersError: A run of this name was made with other settings.
        WeightsError: A weight file is not the one that was pinned when it was fetched.
        RunInUseError: Another process is judging the run, or one of another name that asks the same.
        SchemaError: The ledger is another version's.
        StoreError: The ledger cannot be opened, or its server is gone for good; the same call resumes from there.
        EndpointRefusedError: The probe of an endpoint shows that the run cannot succeed.
        ValueError: Dollars are capped, and an endpoint has no price; the checker has the weights of a judge or of an
            audited model; or a judge is of an audited model's family.
    """
    chosen = panel if isinstance(panel, Panel) else load_panel(panel)
    capped = budget is not None and (budget.max_usd is not None or budget.max_tokens is not None)
    if offline and (cluster is not None or batch_progress is not None or fresh):
        raise ValueError(
            "an offline run answers from the response cache alone: leave out --backend ray, --batch-api, --fresh"
        )
    if cluster is not None and (capped or batch_progress is not None):
        raise ValueError("caps and batches are kept by one process: leave out --backend ray, or the cap or --batch-api")
    if budget is not None:
        budget.check_prices(endpoints_of(chosen))
    opened_batch = batch if isinstance(batch, Batch) else Batch.open([Path(batch)])
    if chosen.deidentify:
        opened_batch = await run_in_thread(opened_batch.deidentified)

    def selected() -> Iterator[Trace]:
        return select(opened_batch.traces(), limit=limit, only=only, arms=arms)

    audited = {trace.model for trace in islice(selected(), _TRACES_LOOKED_AT)}
    refuse_audited_weights(chosen, audited)
    refuse_same_family(chosen, audited)
    ledger = await run_in_thread(Ledger, store)
    selection = {"limit": limit, "only": list(only), "arms": list(arms), "skipped_steps": len(skip_steps) or None}
    manifest = await run_in_thread(_manifest, chosen, opened_batch, index, selection)
    languages = await run_in_thread(languages_of, opened_batch, selected())
    manifest = manifest.model_copy(update={"languages": languages})
    run, secret, resumed = await run_in_thread(ledger.open_run, chosen, manifest, name)
    async with run_lease(ledger.engine, run, fresh=fresh):
        tally = tally or RunTally()
        if resumed:
            tally.judged_before = await run_in_thread(ledger.count_judged, run)
        if opened is not None:
            opened(run, resumed)
        expected = await run_in_thread(count_selected, opened_batch, limit, only, arms)
        await run_in_thread(ledger.expect_traces, run.id, expected)
        tally.traces_total = expected
        if cluster is not None:
            from tracejury.graphs.cluster.run import run_on

            try:
                run_tally = await run_on(
                    cluster,
                    ledger,
                    run,
                    secret,
                    opened_batch,
                    selected(),
                    index=index,
                    air_gapped=air_gapped,
                    skip_steps=skip_steps,
                    adaptations=await _probed(ledger, run, secret, air_gapped, report_line, tally) if probe else {},
                    tally=tally,
                    stopping=stopping or asyncio.Event(),
                    report_line=report_line,
                )
                return ledger.run(run.name), run_tally
            finally:
                ledger.close()
        calls = CallStore(ledger.engine, run=run.id)
        if budget is not None:
            budget.add_earlier(*calls.spending(run.id))
        try:
            context = open_run_context(
                chosen,
                calls,
                secret=secret,
                index=index,
                air_gapped=air_gapped,
                budget=budget,
                batch_progress=batch_progress,
                skip=skip_steps,
                stopping=stopping,
                fresh=fresh,
                offline=offline,
            )
            async with context as run_context:
                if probe and not offline and run_context.gateway is not None:
                    await check_endpoints(run_context.gateway, chosen, report_line)
                runner = Runner(run_context, ledger, calls.writer, run, tally)
                with rare_collections():
                    run_tally = await runner.run(opened_batch, selected(), IN_BATCHES if batch_progress else None)
            return ledger.run(run.name), run_tally
        except asyncio.CancelledError:
            # Control returns at once, even if the database is away; what is not committed by then never is.
            calls.close(CANCELLED_PATIENCE_S)
            raise
        finally:
            calls.close()


def _manifest(panel: Panel, batch: Batch, index: Path | None, selection: Mapping[str, object]) -> RunManifest:
    return RunManifest(
        panel=panel_hash(panel),
        prompts=prompt_hashes(panel),
        checker=checker_facts(panel) if panel.checker else {},
        index=_digests(panel, index),
        segmenter=segmenter_rule(panel.segmenter),
        seed=panel.seed,
        inputs=tuple(str(path) for path in batch.paths),
        input_digests=input_digests(batch.paths),
        selection={key: str(value) for key, value in selection.items() if value},
        weights=weights_of(panel),
        packages=package_versions(),
    )


async def _probed(
    ledger: Ledger, run: Run, secret: bytes, air_gapped: bool, report_line: Callable[[str], None], tally: RunTally
) -> dict[ClientKey, Adaptations]:
    """Probe the endpoints before workers ask them; return what was learnt, which stands in the run's manifest too."""
    calls = CallStore(ledger.engine, run=run.id)
    try:
        gateway = await probe_for_workers(calls, run.panel, secret, air_gapped=air_gapped, report_line=report_line)
    finally:
        calls.close()
    tally.adaptations = gateway.adaptation_lines()
    await run_in_thread(ledger.record_adaptations, run.id, tally.adaptations)
    return gateway.adaptations


def _digests(panel: Panel, index: Path | None) -> dict[str, str]:
    if not panel.sources:
        return {}
    opened = Index.open(index, embedder=panel.retrieval.embedder)
    entries = [opened.entry(name) for name in panel.sources]
    return {e.name: trust_marked(e.digest, e.trust) for e in entries}
