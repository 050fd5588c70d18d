"""`tracejury recheck`: apply a checker to the stored citations of a run, without a judge's call."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tracejury.console.failing import Exit, explained
from tracejury.console.neutral import print_json
from tracejury.console.options import IndexPath, Json, RunRef, Store

if TYPE_CHECKING:
    from tracejury.graphs import TrustNow


def recheck(
    run: RunRef = "last",
    checker: Annotated[
        str | None, typer.Option(help="Check with this checker (`tracejury panels checkers`). Default: the panel's.")
    ] = None,
    calibration: Annotated[
        Path | None, typer.Option(help="Use the thresholds of this file, which `quality calibrate --checker` wrote.")
    ] = None,
    name: Annotated[str | None, typer.Option("--run", help="Name the new run. Default: RUN@CHECKER.")] = None,
    index: IndexPath = None,
    stored_trust: Annotated[
        bool,
        typer.Option("--stored-trust", help="Give sources the trust that they had in the run, not that of the index."),
    ] = False,
    store: Store = None,
    air_gapped: Annotated[bool, typer.Option(help="Refuse every address but loopback.")] = False,
    as_json: Json = False,
) -> None:
    """Check the citations of a finished run again and decide every step again, without asking any judge.

    The result is a run of its own; the old one stays as it is. Where the resolver was asked, its citations are checked
    again too. A step that is disputed now and had no resolver then abstains. A calibrator of the panel is left out,
    since it was fitted with the old checker. A source has the trust that the index says now, so that its passages
    count, or no longer count, once you vouch for it (`index build ... --trust full`) or take that back.

    Example: tracejury recheck last --checker nli --calibration nli.json
    """
    with explained():
        import asyncio

        from tracejury.agents import checker_notices
        from tracejury.console.progress import progress
        from tracejury.console.screen import err, marked, out
        from tracejury.graphs import TrustNow, trust_now, with_checker
        from tracejury.graphs import recheck as recheck_run
        from tracejury.ledger import DEFAULT_STORE, Ledger

        ledger = Ledger(store or DEFAULT_STORE)
        original = ledger.run(run)
        panel = with_checker(original.panel, checker, str(calibration) if calibration else None)
        for notice in checker_notices(panel):
            err.print(notice, style="yellow")
        trust = TrustNow() if stored_trust else trust_now(original, index)
        for line in _trust_lines(trust):
            err.print(line, style="yellow")
        new_name = name or f"{original.name}@{panel.checker.name if panel.checker else 'none'}"
        with progress("traces rechecked", original.traces_total) as bar:
            rechecked, tally = asyncio.run(
                recheck_run(
                    ledger, original, panel, new_name, trust=trust, air_gapped=air_gapped, report_trace=bar.advance
                )
            )
        before, after = ledger.progress(original).outcomes, ledger.progress(rechecked).outcomes
    if as_json:
        body = {"run": rechecked.name, "steps": tally.steps, "changed": tally.changed, "unresolved": tally.unresolved}
        print_json(json.dumps(body | {"before": before, "after": after}, indent=2))
    else:
        counts = ", ".join(f"{outcome} {before[outcome]} -> {count}" for outcome, count in after.items())
        out.print(marked("[bold]{}[/]: {}", rechecked.name, counts))
        out.print(f"  {tally.changed} of {tally.steps} steps changed their outcome")
        if tally.unresolved:
            out.print(f"  {tally.unresolved} steps are disputed now and had no resolver: they abstain", style="yellow")
        out.print(f"Next: tracejury summary {rechecked.name} | tracejury show {rechecked.name}")
    if after["failed"]:
        raise typer.Exit(Exit.SOME_FAILED)


def _trust_lines(trust: TrustNow) -> list[str]:
    changed = [f"source {name}: {then} in the run, {now} now" for name, (then, now) in trust.changed.items()]
    unknown = [
        f"source {name} {why}: its passages keep the trust that they had in the run"
        for name, why in trust.unknown.items()
    ]
    return changed + unknown
