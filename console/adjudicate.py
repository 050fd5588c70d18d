"""`tracejury adjudicate`: judge every step of a batch of traces."""

from __future__ import annotations

import json
import logging
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tracejury.console.failing import Exit, explained, fail
from tracejury.console.interrupts import clean_stop, end_process
from tracejury.console.log_lines import log_lines
from tracejury.console.neutral import print_json
from tracejury.console.options import IndexPath, Json, Store
from tracejury.console.text_coverage import print_coverage

if TYPE_CHECKING:
    from tracejury.agents import Panel
    from tracejury.graphs import Cluster, RunTally
    from tracejury.ledger import Run
    from tracejury.models import BatchProgress
    from tracejury.traces import Batch

log = logging.getLogger("tracejury.console")


def adjudicate(
    paths: Annotated[
        list[Path], typer.Argument(help="Judge these: what `tracejury read` wrote, or files of your own.")
    ],
    panel: Annotated[
        str, typer.Option(help="Judge with this panel: a shipped one (`tracejury panels list`) or a YAML file.")
    ] = "embedded",
    run: Annotated[str | None, typer.Option(help="Name the run. Default: a name derived from the command.")] = None,
    store: Store = None,
    reader: Annotated[str | None, typer.Option(help="Read PATH in this format (`tracejury read --list`).")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Stop after this many traces.")] = None,
    only: Annotated[
        list[str] | None, typer.Option(help="Judge only this trace or question, by id or its beginning. Repeatable.")
    ] = None,
    arm: Annotated[list[str] | None, typer.Option(help="Judge only this arm. Repeatable.")] = None,
    segmenter: Annotated[
        str | None, typer.Option(help="Cut traces with this segmenter instead of the panel's.")
    ] = None,
    index: IndexPath = None,
    air_gapped: Annotated[bool, typer.Option(help="Refuse every address but loopback.")] = False,
    deidentify: Annotated[
        bool,
        typer.Option("--deidentify", help="Replace identifiers by placeholders before anything is sent or stored."),
    ] = False,
    max_cost: Annotated[
        float | None, typer.Option(min=0, help="Stop when the run has cost this many US dollars, over all its starts.")
    ] = None,
    max_tokens: Annotated[
        int | None, typer.Option(min=0, help="Stop when the run has used this many tokens, over all its starts.")
    ] = None,
    in_batches: Annotated[
        bool, typer.Option("--batch-api", help="Use the provider's Batch API: replies within a day, at a lower price.")
    ] = False,
    backend: Annotated[
        str, typer.Option(help="Run in this process (local) or on Ray workers on any number of machines (ray).")
    ] = "local",
    ray_address: Annotated[
        str | None,
        typer.Option(
            envvar="RAY_ADDRESS", help="Use this Ray cluster: auto, HOST:PORT or ray://HOST:PORT. Default: start one."
        ),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Start this many Ray workers. Default: one per processor.")
    ] = None,
    wheel: Annotated[Path | None, typer.Option(help="Install this wheel of tracejury on the Ray workers.")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Use no reply from the response cache.")] = False,
    offline: Annotated[
        bool,
        typer.Option(
            "--offline", help="Send nothing: answer from the response cache, and leave what it cannot answer."
        ),
    ] = False,
    probe: Annotated[
        bool, typer.Option(help="Ask each endpoint once before the first step, unless that was done within a day.")
    ] = True,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show errors only.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show what endpoints refuse, too.")] = False,
    log: Annotated[Path | None, typer.Option(help="Append the log to this file.")] = None,
    dry_run: Annotated[bool, typer.Option(help="Show calls, tokens and cost, and call no model.")] = False,
    as_json: Json = False,
) -> None:
    """Judge every step of a batch of traces.

    The ledger stores the run step by step. If the command is killed or interrupted, the same command resumes it:
    nothing is judged twice, no finished call is paid again, and failed steps are retried.

    --max-cost and --max-tokens stop the run cleanly: calls in flight finish, the other steps stay unjudged (exit
    code 2), and the same command with a higher cap judges them.

    --batch-api sends the questions as files: judges that are asked together share a batch; the resolver and the repair
    of an unusable reply are rounds of their own; a panel with early stop needs one round per judge. If the command is
    killed while a batch is out (Ctrl-C twice), the same command waits for that batch. For the caps, all questions of a
    batch count as in flight.

    --offline sends nothing: it judges the steps whose requests the response cache can answer and names the others
    (exit code 2). `tracejury cases` writes these, `tracejury calls import` takes the answers, the same command goes on.

    --backend ray distributes the traces over workers (docs/cluster.md): an endpoint's limits hold for all of them
    together, and the traces of a lost worker go to another one. --ray-address names an existing cluster.

    Example: tracejury adjudicate traces/ --panel embedded --limit 2
    """
    with explained():
        from tracejury.agents import checker_notices, load_panel
        from tracejury.console.screen import err
        from tracejury.ledger import DEFAULT_STORE
        from tracejury.traces import Batch

        chosen = load_panel(panel)
        if segmenter:
            chosen = chosen.model_copy(update={"segmenter": segmenter})
        if deidentify:
            chosen = chosen.model_copy(update={"deidentify": True})
        batch = Batch.open(paths, reader)
        _warn(batch)
        if not len(batch):
            raise fail(f"no trace in {', '.join(map(str, paths))}; `tracejury read --check` lists what the files hold")
        if dry_run:
            from tracejury.console.dry_run import show_estimate

            show_estimate(chosen, batch, limit=limit, only=only or (), arms=arm or (), as_json=as_json)
            return
        if air_gapped:
            from tracejury.models import close_network

            close_network()
        for notice in checker_notices(chosen):
            err.print(notice, style="yellow", soft_wrap=True)
        _say_local_models(chosen)
        ready_index(chosen, index)
        from tracejury.models import BatchProgress, Budget

        budget = Budget(max_usd=max_cost, max_tokens=max_tokens)
        with log_lines(quiet=quiet, verbose=verbose, file=log):
            judged_run, tally = judge_batch(
                batch,
                chosen,
                store=store or DEFAULT_STORE,
                name=run,
                index=index,
                limit=limit,
                only=only or (),
                arms=arm or (),
                air_gapped=air_gapped,
                budget=budget,
                batch_progress=BatchProgress() if in_batches else None,
                cluster=_cluster(backend, ray_address, workers, wheel),
                probe=probe,
                fresh=fresh,
                offline=offline,
            )
    report(judged_run, tally, store or DEFAULT_STORE, as_json)
    if tally.interrupted and budget.used_up:
        spent = f"${budget.spent_usd:.4f} and {budget.spent_tokens:,} tokens"
        raise fail(f"stopped: the run has used {spent}; give a higher cap to judge the rest", Exit.SOME_FAILED)
    if tally.unanswered:
        by_purpose = ", ".join(f"{purpose} {n:,}" for purpose, n in sorted(tally.unanswered.items()))
        raise fail(
            f"{tally.unanswered.total():,} requests have no answer yet ({by_purpose}); nothing was sent, their steps "
            "are left. `tracejury cases` writes them: answer them anywhere, import the answers with `tracejury calls "
            "import` and run the same command. Without --offline it asks the endpoints",
            Exit.SOME_FAILED,
        )
    raise_if_stopped(tally)
    if tally.failed or tally.problems:
        raise typer.Exit(Exit.SOME_FAILED)


def raise_if_stopped(tally: RunTally) -> None:
    """End the command where its run could not go on, or was interrupted.

    Raises:
        Exit: With the reasons why the run stopped, or with the code of an interruption.
    """
    if tally.stop_reasons:
        raise fail("stopped: " + "\n".join(tally.stop_reasons), Exit.SOME_FAILED)
    if tally.interrupted:
        raise typer.Exit(Exit.INTERRUPTED)


def _warn(batch: Batch) -> None:
    """Say on standard error what is worth knowing of a batch before it is judged."""
    from tracejury.console.screen import err

    for note in batch.notes:
        err.print(str(note), soft_wrap=True)
    for problem in batch.problems[:20]:
        err.print(str(problem), style="yellow", soft_wrap=True)
    if len(batch.problems) > 20:
        err.print(f"... and {len(batch.problems) - 20} more; `tracejury read --check` lists all")


def _say_local_models(panel: Panel) -> None:
    """Say on standard error which models run on this machine: the panel `local` takes the largest that is fetched."""
    from tracejury.agents import endpoints_of
    from tracejury.console.screen import err
    from tracejury.models import BEST_FETCHED, is_fetched, weights_path

    for endpoint in endpoints_of(panel):
        if endpoint.kind == "embedded" and (is_fetched(endpoint.model) or endpoint.model == BEST_FETCHED):
            path = weights_path(endpoint.model)
            size = f"{path.stat().st_size / 1e9:.1f} GB"
            err.print(f"endpoint {endpoint.name!r} is {endpoint.model} on this machine ({size})", soft_wrap=True)


def judge_batch(batch: Batch, panel: Panel, **options: object) -> tuple[Run, RunTally]:
    """Judge a batch with a live display. The first Ctrl-C lets begun steps finish, the second stops at once."""
    import asyncio

    from tracejury.agents import language_notice
    from tracejury.console.progress import live_line
    from tracejury.console.screen import err, marked
    from tracejury.graphs import RunTally
    from tracejury.graphs import adjudicate as run_batch

    # The run counts the selected traces once it has opened.
    tally = RunTally(traces_total=len(batch))
    title = {"run": ""}

    def opened(run: Run, resumed: bool) -> None:
        title["run"] = run.name
        state = f" (resumed: {tally.judged_before:,} steps have a verdict, the rest is judged now)" if resumed else ""
        err.print(marked("run [bold]{}[/]{}", run.name, state), soft_wrap=True)
        if notice := language_notice(run.panel, run.manifest.languages):
            err.print(notice, style="yellow", soft_wrap=True)

    async def main() -> tuple[Run, RunTally]:
        with clean_stop("steps that have begun") as stopping:
            callbacks = {"tally": tally, "stopping": stopping, "opened": opened, "report_line": log.warning}
            return await run_batch(batch, panel, **callbacks, **options)  # type: ignore[arg-type]

    underway: BatchProgress | None = options.get("batch_progress")  # type: ignore[assignment]
    try:
        with live_line(lambda: progress_line(tally, underway)):
            return asyncio.run(main())
    except asyncio.CancelledError:
        # The interpreter takes seconds to take itself apart, and may wait for threads; all that matters is written.
        end_process()


def progress_line(tally: RunTally, underway: BatchProgress | None = None) -> str:
    """Return traces, steps a second, outcomes, calls, tokens, cost, time left and batches as one line."""
    from tracejury.console.progress import clock

    took = time.monotonic() - tally.started
    finished_traces, total = tally.traces + tally.resumed, tally.traces_total or 0
    fresh = max(total - tally.resumed, 1)
    left = took / tally.traces * (fresh - tally.traces) if tally.traces else None
    parts = [
        f"{finished_traces} of {total} traces",
        f"{tally.steps} steps, {tally.steps / max(took, 1e-9):.2f}/s",
        ", ".join(f"{name} {n}" for name, n in sorted(tally.outcomes.items())),
        f"{tally.calls} calls ({tally.cached} cached)",
        f"{(tally.prompt_tokens + tally.completion_tokens) / 1000:.1f}k tokens",
        f"${tally.cost_usd:.3f}",
        f"ETA {clock(left)}" if left is not None else "ETA after the first trace",
        f"{underway.batches} batches sent, {underway.questions} questions waiting" if underway else "",
    ]
    return " · ".join(part for part in parts if part)


def report(run: Run, tally: RunTally, store: str, as_json: bool) -> None:
    """Print what the run holds now, and what to do next."""
    from tracejury.console.screen import marked, out
    from tracejury.ledger import Ledger

    ledger = Ledger(store)
    current, coverage = ledger.progress(run), ledger.text_coverage(run)
    if as_json:
        body = current.model_dump(mode="json", exclude={"run": {"panel"}})
        body |= {"judged_now": tally.steps, "judged_before": tally.judged_before}
        body["judged_share"] = {arm: counts.judged_share for arm, counts in coverage.items()}
        body |= {
            "failures": tally.failures,
            "from_cache": tally.cached,
            "stopped": tally.stop_reasons,
            "unanswered": tally.unanswered,
        }
        body["adaptations"] = tally.adaptations
        body |= {"broken_judges": tally.broken_judges, "notices": tally.notices}
        print_json(json.dumps(body | {"problems": [str(p) for p in tally.problems]}, indent=2))
        return
    calibrated = "" if run.panel.calibrator else " (uncalibrated)"
    counts = ", ".join(f"{name} {n}" for name, n in current.outcomes.items())
    out.print(marked("[bold]{}[/]: {} traces done; steps{}: {}", run.name, current.done, calibrated, counts))
    out.print(f"  no claim {current.no_claim}; traces without a step {current.empty}; {current.calls} calls")
    if tally.judged_before:
        out.print(f"  judged now: {tally.steps:,} steps; {tally.judged_before:,} had a verdict before")
    print_coverage(coverage)
    for problem in tally.problems[:10]:
        out.print(f"  {problem}", style="yellow")
    for line in (*(f"judge {name!r} broke: {how}" for name, how in tally.broken_judges.items()), *tally.notices):
        out.print(f"  {line}", style="yellow")
    _print_calls(tally)
    if current.outcomes["failed"]:
        out.print("  the same command retries the failed steps", style="yellow")
    out.print(
        f"Next: tracejury show {run.name} | tracejury summary {run.name} | tracejury export {run.name} --out rows.jsonl"
    )


def _print_calls(tally: RunTally) -> None:
    """Print what the calls of this start came to: cache, estimates, failures by reason, what endpoints refuse."""
    from tracejury.console.screen import out
    from tracejury.console.summary_tables import print_adaptations, print_failures
    from tracejury.ledger import FailureCount
    from tracejury.models import remedy_for

    if tally.cached:
        out.print(f"  {tally.cached} of {tally.calls} calls were answered from the cache")
    if tally.estimated:
        out.print(f"  {tally.estimated} calls without a credible usage: their tokens are estimates")
    print_adaptations(tally.adaptations)
    print_failures(
        {
            reason: FailureCount(count, tally.failure_examples.get(reason, ""), remedy_for(reason))
            for reason, count in tally.failures.most_common()
        }
    )


def ready_index(panel: Panel, index: Path | None) -> None:
    """Index the panel's sources that are not in the index yet."""
    from tracejury.console.progress import live_line

    if not panel.sources:
        return
    with live_line(lambda: "opening the index"):
        from tracejury.retrieval import Index

        opened = Index.open(index, embedder=panel.retrieval.embedder)
        there = opened.manifest().sources
    for name in [n for n in panel.sources if n not in there]:
        with live_line(lambda: f"building the index of {name} (only the first time)"):  # noqa: B023 - it ends in this turn
            opened.build(name)


def _cluster(backend: str, address: str | None, workers: int | None, wheel: Path | None) -> Cluster | None:
    if backend not in ("local", "ray"):
        raise ValueError(f"--backend is local or ray, not {backend!r}")
    if backend == "ray":
        from tracejury.graphs import Cluster

        return Cluster(address, workers, wheel)
    if workers is not None or wheel is not None:
        raise ValueError("--workers and --wheel belong to --backend ray")
    return None
