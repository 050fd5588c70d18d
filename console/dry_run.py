"""`tracejury adjudicate --dry-run`: the calls, tokens and cost of a run, without calling any model."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tracejury.console.neutral import print_json

if TYPE_CHECKING:
    from tracejury.agents import Panel
    from tracejury.traces import Batch


def show_estimate(
    panel: Panel, batch: Batch, *, limit: int | None, only: Sequence[str], arms: Sequence[str], as_json: bool
) -> None:
    """Print calls, tokens, cost by judge, and the time that the configured limits allow."""
    from tracejury.agents import language_notice
    from tracejury.graphs import estimate

    expected = estimate(panel, batch, limit=limit, only=only, arms=arms)
    if as_json:
        print_json(json.dumps(expected.model_dump(mode="json"), indent=2))
        return
    from tracejury.console.screen import out
    from tracejury.console.table import Table

    title = f"{expected.traces} traces, {expected.steps} steps; no model has been called"
    figures = ("calls", "prompt tokens", "completion tokens, at most", "USD, at most")
    table = Table("judge", "endpoint", "model", figures=figures, title=title)
    for row in expected.askers:
        calls = f"{row.calls:,}" if row.certain else f"up to {row.calls:,}"
        table.add_row(
            row.name, row.endpoint or "-", row.model or "no model", calls,
            f"{row.prompt_tokens:,}", f"{row.completion_tokens:,}", f"{row.cost_usd:.2f}",
        )  # fmt: skip
    out.print(table)
    out.print(
        f"Together at most {expected.calls:,} calls, ${expected.cost_usd:.2f}; "
        f"{expected.minutes:.0f} minutes or more at the configured limits. Tokens are estimates: passages are counted "
        "at the size that the case budget allows, and replies at their cap."
    )
    if expected.probe_calls:
        servers = "one server" if expected.probe_calls == 1 else f"{expected.probe_calls} servers"
        out.print(f"Before the first step {servers} not asked within a day get one small call each (--no-probe: none).")
    if notice := language_notice(panel, expected.languages):
        out.print(notice, style="yellow")
    if expected.too_large:
        out.print(
            f"{expected.too_large} steps do not fit into the case budget and would fail as `context`",
            style="yellow",
        )
