"""`tracejury sources`: what the references decide, and what a new source changed."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tracejury.console.failing import explained, fail
from tracejury.console.neutral import print_json
from tracejury.console.options import IndexPath, Json, Store

if TYPE_CHECKING:
    from tracejury.reports import ReferenceCoverage, SourceEffect


def sources(
    coverage: Annotated[
        Path | None, typer.Option(help="Measure which claims of these traces the references decide.")
    ] = None,
    effect: Annotated[
        tuple[str, str] | None,
        typer.Option(help="Compare two runs: name the run before a source was added, and the run after."),
    ] = None,
    source: Annotated[
        list[str] | None, typer.Option("--source", help="Search this indexed source; repeat it. Default: all.")
    ] = None,
    questions: Annotated[int | None, typer.Option(min=2, help="Take a seeded sample of so many questions.")] = None,
    arm: Annotated[list[str] | None, typer.Option("--arm", help="Read this arm; repeat it. Default: all.")] = None,
    checker: Annotated[str, typer.Option(help="Let this checker decide; it must ask no endpoint.")] = "nli",
    k: Annotated[int, typer.Option(min=1, help="Find so many passages a claim.")] = 5,
    seed: Annotated[int, typer.Option(help="Seed the sample and the nulls.")] = 0,
    index: IndexPath = None,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Show what the references decide of your traces, or what a new source changed.

    Coverage is the share of claims with a sentence that the checker finds to support or to contradict them. It stands
    beside its null: the same claims with their decisive word swapped, and with passages of other questions.

    Example: tracejury sources --coverage traces/ --source open-medicine --questions 100
    Example: tracejury sources --effect before after
    """
    if (coverage is None) == (effect is None):
        raise fail("give --coverage TRACES or --effect BEFORE AFTER")
    with explained():
        if coverage is not None:
            _show_coverage(_coverage(coverage, source or (), questions, arm or (), checker, k, seed, index), as_json)
        elif effect is not None:
            _show_effect(_effect(*effect, store), as_json)


def _coverage(
    traces: Path,
    names: list[str] | tuple[()],
    questions: int | None,
    arms: list[str] | tuple[()],
    checker: str,
    k: int,
    seed: int,
    index: Path | None,
) -> ReferenceCoverage:
    from tracejury.agents import RelevanceSpec
    from tracejury.agents.checkers import CheckerSpec, load_checker
    from tracejury.console.screen import err
    from tracejury.reports import reference_coverage
    from tracejury.retrieval import Finder, Index, relevance
    from tracejury.traces import Batch

    finder = Finder(Index.open(index), sources=names, k=k)

    def report(done: int, total: int) -> None:
        if done % 200 == 0:
            err.print(f"{done:,} of {total:,} claims")

    return asyncio.run(
        reference_coverage(
            Batch.open([traces]),
            finder,
            load_checker(CheckerSpec(name=checker), None),
            relevance(),
            floor=RelevanceSpec().floor,
            questions=questions,
            arms=arms,
            seed=seed,
            report=report,
        )
    )


def _effect(before: str, after: str, store: str | None) -> SourceEffect:
    from tracejury.ledger import DEFAULT_STORE, Ledger
    from tracejury.reports import source_effect

    ledger = Ledger(store or DEFAULT_STORE)
    try:
        runs = [ledger.run(name) for name in (before, after)]
        both = [[d for t, _, _ in ledger.traces(run) for d in ledger.deliberations(run, t.id)] for run in runs]
    finally:
        ledger.close()
    return source_effect(*both)


def _show_coverage(result: ReferenceCoverage, as_json: bool) -> None:
    from tracejury.console.screen import out
    from tracejury.console.table import Table

    if as_json:
        print_json(result.model_dump_json(indent=2))
        return
    table = Table("", figures=("claims", "questions", "decided", "swapped", "foreign", "above null", "95 %"))
    for row in result.rows:
        shares = (f"{value:.3f}" for value in (row.decided, row.swapped, row.foreign, row.above_null))
        interval = f"{row.low:.3f} to {row.high:.3f}"
        table.add_row(row.name, f"{row.claims:,}", f"{row.questions:,}", *shares, interval)
    out.print(table)
    for is_named, heading in ((False, "No passage names"), (True, "Named by a passage, decided by none")):
        terms = [f"{t.term} ({t.claims:,})" for t in result.missing if t.is_named is is_named]
        if terms:
            out.print(f"{heading} (undecided claims): {', '.join(terms)}", soft_wrap=True)


def _show_effect(result: SourceEffect, as_json: bool) -> None:
    from tracejury.console.screen import out

    if as_json:
        print_json(result.model_dump_json(indent=2))
        return
    share = f"{len(result.changed):,} of {result.steps:,} steps changed; {result.same_evidence:,} had the same passages"
    out.print(share)
    for step in result.changed:
        out.print(f"\n{step.step_id[:10]}  {step.before} -> {step.after}\n  {step.text[:200]}")
        for passage in step.passages:
            out.print(f"  by: {passage}", soft_wrap=True)
        for passage in step.quoted:
            out.print(f"  quoted, not counted: {passage}", soft_wrap=True)
