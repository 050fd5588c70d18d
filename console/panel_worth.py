"""`tracejury panels worth|advise|weigh RUN`: how many judges a panel is worth, and what would have been cheaper."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from tracejury.console.failing import Exit, explained, fail
from tracejury.console.neutral import print_json
from tracejury.console.options import Json, OwnLabels, RunRef, Store
from tracejury.console.outputs import need_folders
from tracejury.console.run_inputs import need_reports, open_runs, stream_rows


def worth(
    run: RunRef = "last",
    labels: OwnLabels = None,
    min_effective: Annotated[
        float | None,
        typer.Option("--min-effective", help="Require so many effective judges (Kish), else exit code 3."),
    ] = None,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Count how many independent judges a panel is worth, beside independent judges of the same skill.

    With labels from the correlation of errors, without from agreement beyond chance, which is a lower bound. The table
    says what each judge adds or takes; warnings name judges that add under 0.1, share weights or family, and a jury
    that is worse than its best member.

    Examples: tracejury panels worth last | tracejury panels worth last --min-effective 2
    """
    with explained():
        need_reports()
        from tracejury.reports import panel_worth

        report = panel_worth(stream_rows(*open_runs(store, [run]), labels))
        if as_json:
            print_json(report.model_dump_json(indent=2))
        else:
            from tracejury.console.worth_tables import print_worth

            print_worth(report)
    value = report.kish.value.value
    if min_effective is not None and (value is None or value < min_effective):
        raise fail(
            f"the panel is worth {value:.2f} judges, fewer than {min_effective:g}: give it judges that err differently",
            Exit.GATE,
        )


def advise(
    run: RunRef = "last",
    loss: Annotated[
        float, typer.Option("--loss", min=0, help="Allow this loss of balanced accuracy against the full panel.")
    ] = 0.01,
    price: Annotated[
        list[str] | None,
        typer.Option("--price", metavar="JUDGE=COST", help="Give an opinion's price by judge. Default: 1. Repeatable."),
    ] = None,
    labels: OwnLabels = None,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Name the cheapest way of asking the judges of a run, within a stated loss.

    Smaller panels, early stop and cascades are played through over the run's opinions: chosen on one half of the
    questions, shown on the other. The run must have asked every judge on every step. Without labels the loss is the
    share of steps with another label.

    Examples: tracejury panels advise last | tracejury panels advise last --loss 0.02 --price gemini=5
    """
    with explained():
        need_reports()
        from tracejury.reports import advise as advise_rows

        advice = advise_rows(stream_rows(*open_runs(store, [run]), labels), loss=loss, costs=_prices(price or ()))
        if as_json:
            print_json(advice.model_dump_json(indent=2))
        else:
            from tracejury.console.worth_tables import print_advice

            print_advice(advice)


def weigh(
    run: RunRef = "last",
    out: Annotated[Path | None, typer.Option("--out", help="Write the weights to this file.")] = None,
    labels: OwnLabels = None,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Cluster judges that err together and weigh the clusters, for a panel with `combine: weighted`.

    The gain over the plain majority is measured on questions that the weights were not fitted on; a panel refuses a
    file whose gain is not clear of 0.

    Example: tracejury panels weigh last --out weights.json
    """
    with explained():
        need_reports()
        from tracejury.reports import weigh as weigh_rows

        need_folders(out)
        combination = weigh_rows(stream_rows(*open_runs(store, [run]), labels))
        if out is not None:
            out.write_text(combination.model_dump_json(indent=2) + "\n")
        if as_json:
            print_json(combination.model_dump_json(indent=2))
        else:
            from tracejury.console.worth_tables import print_combination

            print_combination(combination, out)


def _prices(pairs: Sequence[str]) -> dict[str, float]:
    prices = {}
    for pair in pairs:
        judge, sign, cost = pair.rpartition("=")
        try:
            prices[judge] = float(cost)
        except ValueError:
            sign = ""
        if not sign:
            raise ValueError(f"--price {pair}: write JUDGE=COST, such as gemini=5")
    return prices
