"""`tracejury quality control`: judge the same traces again with one part of the protocol changed."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tracejury.console.failing import Exit, explained, fail
from tracejury.console.neutral import print_json
from tracejury.console.options import IndexPath, Json, Store

if TYPE_CHECKING:
    from tracejury.agents import Panel
    from tracejury.ledger import Ledger, Run
    from tracejury.reports import Control
    from tracejury.traces import ReadItem, Trace


def control(
    name: Annotated[
        str, typer.Argument(help="Apply this control: a shipped one or a YAML file; `list` lists them.")
    ] = "list",
    run: Annotated[str, typer.Argument(metavar="RUN", help="Judge the traces of this run again.")] = "last",
    store: Store = None,
    index: IndexPath = None,
    writer: Annotated[
        str | None,
        typer.Option("--rewriter", metavar="PANEL", help="Rewrite with the first model of this panel (tone-swap)."),
    ] = None,
    air_gapped: Annotated[bool, typer.Option(help="Refuse every address but loopback.")] = False,
    as_json: Json = False,
) -> None:
    """Judge the traces of a run again with one part of the protocol changed. The new run is called RUN@CONTROL.

    `compare --controls` and `report` show it beside the main result. Controls that only count the same verdicts in
    another way need no run of their own: the table has them already.

    Examples: tracejury quality control list | tracejury quality control answer-shown last
    """
    with explained():
        import asyncio

        from tracejury.ledger import DEFAULT_STORE, Ledger
        from tracejury.reports import load_controls

        if name == "list":
            _list(as_json)
            return
        (chosen,) = load_controls((name,))
        if chosen.rejudge is None:
            raise fail(f"{name} counts the same verdicts in another way: see `tracejury compare {run} --controls`")
        url = store or DEFAULT_STORE
        ledger = Ledger(url)
        original = ledger.run(run)
        panel = changed_panel(original.panel, chosen)
        from tracejury.console.adjudicate import judge_batch, raise_if_stopped, ready_index, report
        from tracejury.traces import Batch, write_batch

        ready_index(panel, index)
        with tempfile.TemporaryDirectory() as folder:
            traces = _run_items(ledger, original)
            if chosen.rejudge.rewrite:
                traces = asyncio.run(_rewritten(ledger, original, writer, air_gapped))
            write_batch(traces, Path(folder))
            batch = Batch.open([Path(folder)])
            judged_run, tally = judge_batch(
                batch, panel, store=url, name=f"{original.name}@{chosen.name}", index=index, air_gapped=air_gapped
            )
    report(judged_run, tally, url, as_json)
    raise_if_stopped(tally)
    if tally.failed or tally.problems:
        raise typer.Exit(Exit.SOME_FAILED)


def changed_panel(panel: Panel, chosen: Control) -> Panel:
    """Return the panel under the control: another one, or the run's own with some fields changed and all else kept.

    Raises:
        ValueError: The control names a field that a panel has not.
    """
    from tracejury.agents import Panel, load_panel

    rejudge = chosen.rejudge
    assert rejudge is not None  # noqa: S101 - the caller has looked
    if rejudge.whole_panel:
        return load_panel(rejudge.whole_panel)
    return Panel.model_validate(panel.model_dump() | (rejudge.panel or {}))


def _run_items(ledger: Ledger, run: Run) -> Iterator[ReadItem]:
    question_ids = set[str]()
    for trace, question, _ in ledger.traces(run):
        if question.id not in question_ids:
            question_ids.add(question.id)
            yield question
        yield trace


async def _rewritten(ledger: Ledger, run: Run, writer: str | None, air_gapped: bool) -> Iterator[ReadItem]:
    """Rewrite the run's traces, with a progress bar; say how many steps changed their tone."""
    from tracejury.agents import endpoints_of, load_panel
    from tracejury.console.progress import progress
    from tracejury.console.screen import err
    from tracejury.graphs import tone_swap
    from tracejury.models import CallStore, Gateway
    from tracejury.traces import Trace

    endpoints = endpoints_of(load_panel(writer) if writer else run.panel)
    if not endpoints:
        raise fail(
            f"panel {writer or run.panel.name} has no model to rewrite with; name one that has: --rewriter PANEL"
        )
    items = list(_run_items(ledger, run))
    counts = {"swapped": 0, "changed": 0, "failed": 0}
    rewritten: dict[str, Trace] = {}
    calls = CallStore(ledger.engine)
    try:
        # The secret only keys fences; that of the re-judging run does not exist yet.
        async with Gateway(calls, secret=run.id.encode(), air_gapped=air_gapped) as gateway:
            traces = [t for t in items if isinstance(t, Trace)]
            with progress("traces rewritten", len(traces)) as bar:
                swaps = tone_swap(traces, gateway, endpoints[0], segmenter=run.panel.segmenter)
                async for swapped in swaps:
                    rewritten[str(swapped.trace.meta["original"])] = swapped.trace
                    for what in counts:
                        counts[what] += getattr(swapped, what)
                    bar.advance()
    finally:
        calls.close()
    summary = f"{counts['swapped']} steps in the other tone, {counts['changed']} kept (rewriting changed the content)"
    err.print(f"{summary}, {counts['failed']} kept (no usable reply)")
    if not counts["swapped"]:
        raise fail("no step could be rewritten, so there is nothing to judge again")
    return iter([rewritten[t.id] if isinstance(t, Trace) else t for t in items])


def _list(as_json: bool) -> None:
    import json

    from tracejury.console.screen import out
    from tracejury.console.table import Table
    from tracejury.reports import load_controls

    controls = load_controls()
    if as_json:
        print_json(json.dumps([c.model_dump(mode="json") for c in controls], indent=2))
        return
    table = Table("control", "what", "needs")
    for c in controls:
        table.add_row(c.name, c.title, "a run of its own" if c.rejudge else "nothing: in the table already")
    out.print(table)
