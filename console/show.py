"""`tracejury show`: traces, steps and deliberations on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tracejury.console.failing import explained, fail
from tracejury.console.neutral import print_json
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
    step: Annotated[
        int | None, typer.Option(min=1, help="Show the deliberation of this step; steps count from 1.")
    ] = None,
    store: Store = None,
    raw: Annotated[bool, typer.Option(help="Show raw replies, tokens and latency too.")] = False,
    as_json: Json = False,
) -> None:
    """Show the traces of a run, the steps of a trace, or the deliberation of a step.

    Example: tracejury show last --trace t_1f3a --step 2
    """
    if step is not None and trace is None:
        raise fail("--step needs --trace: the id of a trace, or the beginning of it")
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
            deliberations = [d for d in deliberations if d.step.index == step - 1]
            if not deliberations:
                raise fail(f"no deliberation of step {step}; `tracejury show {run} --trace {trace}` lists the steps")
        if as_json:
            print_json("[" + ",\n".join(d.model_dump_json() for d in deliberations) + "]")
        elif step is None:
            _steps(ledger, chosen_run, trace_id, deliberations)
        else:
            _one_step(ledger, chosen_run, deliberations[0], raw)


def _traces(ledger: Ledger, run: Run, as_json: bool) -> None:
    import json

    from tracejury.console.screen import out
    from tracejury.console.table import Table

    rows = list(ledger.trace_outcomes(run))
    if as_json:
        print_json(json.dumps([row._asdict() for row in rows], indent=2))
        return
    several = len({row.model for row in rows}) > 1
    table = Table(
        "trace", "arm", "answer", "gold", figures=("steps", "✓", "✗", "?", "!", "·"),
        title=f"run {run.name}: {len(rows)} traces",
        caption="✓ supported  ✗ error  ? abstained  ! failed  · no claim",
    )  # fmt: skip
    table.add_column("question" + (" · model" if several else ""))
    for row in rows[:200]:
        counts = (row.steps, row.supported, row.error, row.abstained, row.failed, row.no_claim)
        question = f"{row.question} · {row.model}" if several else row.question
        table.add_row(
            row.trace_id[:10], row.arm, row.answer or "-", row.gold or "-", *(f"{n:,}" for n in counts), question
        )
    out.print(table)
    print_coverage(ledger.text_coverage(run))
    if len(rows) > 200:
        out.print(f"... and {len(rows) - 200} more; --json lists all")
    if rows:
        out.print(f"Next: tracejury show {run.name} --trace {rows[0].trace_id[:10]}", soft_wrap=True)


def _steps(ledger: Ledger, run: Run, trace_id: str, deliberations: list[Deliberation]) -> None:
    from tracejury.console.deliberation import heading, outcome_line
    from tracejury.console.screen import marked, out, quoted

    trace, question = ledger.trace(run, trace_id)
    for part in heading(question, trace):
        out.print(part)
    print_coverage({trace.arm: ledger.trace_coverage(run, trace_id)})
    for d in deliberations:
        out.print(marked("\n[dim]{}[/] ", f"{d.step.index + 1:>3}").append_text(outcome_line(d)))
        out.print(quoted(d.step.text.strip(), indent=4))
    if deliberations:
        first = next((d for d in deliberations if d.verdict.outcome == "error"), deliberations[0])
        step = first.step.index + 1
        out.print(f"\nNext: tracejury show {run.name} --trace {trace_id[:10]} --step {step}", soft_wrap=True)
    else:
        out.print("no step of this trace has been judged yet", style="dim")


def _one_step(ledger: Ledger, run: Run, step: Deliberation, raw: bool) -> None:
    from tracejury.console.deliberation import deliberation, heading
    from tracejury.console.screen import out

    for part in deliberation(step, raw=raw, calibrated=run.panel.calibrator is not None):
        out.print(part)
    out.print()
    trace, question = ledger.trace(run, step.step.trace_id)
    for part in heading(question, trace):
        out.print(part)
