"""`tracejury show`: traces, steps and deliberations on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tracejury.console.failing import explained, fail
from tracejury.console.options import Json, RunRef, Store
from tracejury.console.text_coverage import print_coverage

if TYPE_CHECKING:
    from tracejury.agents import Deliberation
    from tracejury.ledger import Ledger, Run


def show(
    run: RunRef = "last",
    trace: Annotated[
        str | None, typer.Option(help="Show the steps of this trace, by its id or the beginning of it.")
    ] = None,
    step: Annotated[int | None, typer.Option(help="Show the deliberation of this step; steps count from 0.")] = None,
    store: Store = None,
    raw: Annotated[bool, typer.Option(help="Show raw replies, tokens and latency too.")] = False,
    as_json: Json = False,
) -> None:
    """Show the traces of a run, the steps of a trace, or the deliberation of a step.

    Example: tracejury show last --trace t_1f3a --step 2
    """
    with explained():
        from tracejury.ledger import DEFAULT_STORE, Ledger

        ledger = Ledger(store or DEFAULT_STORE)
        chosen_run = ledger.run(run)
        if trace is None:
            _traces(ledger, chosen_run, as_json)
            return
        trace_id = ledger.trace_id(chosen_run, trace)
        deliberations = ledger.deliberations(chosen_run, trace_id)
        if step is not None:
            deliberations = [d for d in deliberations if d.step.index == step]
            if not deliberations:
                raise fail(f"no deliberation of step {step}; `tracejury show {run} --trace {trace}` lists the steps")
        if as_json:
            print("[" + ",\n".join(d.model_dump_json() for d in deliberations) + "]")
        elif step is None:
            _steps(ledger, chosen_run, trace_id, deliberations)
        else:
            _one_step(ledger, chosen_run, deliberations[0], raw)


def _traces(ledger: Ledger, run: Run, as_json: bool) -> None:
    import json

    from rich.table import Table

    from tracejury.console.screen import out

    rows = list(ledger.trace_outcomes(run))
    if as_json:
        print(json.dumps([row._asdict() for row in rows], indent=2))
        return
    table = Table(title=f"run {run.name}: {len(rows)} traces", title_justify="left")
    several = len({row.model for row in rows}) > 1
    table.add_column("trace", no_wrap=True, min_width=10)
    for column in ("arm", "answer", "gold"):
        table.add_column(column, no_wrap=True, min_width=len(column))
    for column in ("steps", "✓", "✗", "-", "!", "∅"):
        table.add_column(column, justify="right", no_wrap=True, min_width=max(2, len(column)))
    table.add_column("question" + (" · model" if several else ""), overflow="ellipsis", no_wrap=True)
    for row in rows[:200]:
        counts = [str(n) if n else "·" for n in (row.supported, row.error, row.abstained, row.failed, row.no_claim)]
        answer = (row.answer or "-")[:12]
        table.add_row(
            row.trace_id[:10],
            row.arm,
            answer,
            (row.gold or "-")[:12],
            str(row.steps),
            *counts,
            f"{row.question} · {row.model}" if several else row.question,
        )
    table.caption = "✓ supported  ✗ error  - abstained  ! failed  ∅ no claim"
    table.caption_justify = "left"
    out.print(table)
    print_coverage(ledger.text_coverage(run))
    if len(rows) > 200:
        out.print(f"... and {len(rows) - 200} more; --json lists all")
    if rows:
        out.print(f"Next: tracejury show {run.name} --trace {rows[0].trace_id[:10]}")


def _steps(ledger: Ledger, run: Run, trace_id: str, deliberations: list[Deliberation]) -> None:
    from rich.text import Text

    from tracejury.console.deliberation import OUTCOME_STYLE, heading
    from tracejury.console.screen import out
    from tracejury.console.wording import one_line

    trace, question = ledger.trace(run, trace_id)
    out.print(heading(question, trace))
    print_coverage({trace.arm: ledger.trace_coverage(run, trace_id)})
    for d in deliberations:
        symbol, style = OUTCOME_STYLE[d.verdict.outcome]
        line = Text(f"{d.step.index:>3} ", style="dim")
        line.append(f"{symbol} {one_line(d.verdict)}\n", style=style)
        line.append(f"      {d.step.text.strip()}")
        out.print(line)
    if deliberations:
        out.print(f"\nNext: tracejury show {run.name} --trace {trace_id[:10]} --step {deliberations[0].step.index}")
    else:
        out.print("[dim]no step of this trace has been judged yet[/]")


def _one_step(ledger: Ledger, run: Run, step: Deliberation, raw: bool) -> None:
    from tracejury.console.deliberation import deliberation, heading
    from tracejury.console.screen import out

    trace, question = ledger.trace(run, step.step.trace_id)
    out.print(heading(question, trace))
    for part in deliberation(step, raw=raw, calibrated=run.panel.calibrator is not None):
        out.print(part)
