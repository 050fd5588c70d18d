"""`tracejury review ...`: blinded sheets for experts, and their import."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tracejury.console.failing import Exit, explained, fail
from tracejury.console.neutral import print_json
from tracejury.console.options import Json, RunRef, Store
from tracejury.console.outputs import need_folders, output_folder

app = typer.Typer(help="Write blinded review sheets for experts, and read them back.", no_args_is_help=True)


@app.command()
def sample(
    run: RunRef = "last",
    n: Annotated[int, typer.Option("--n", min=1, help="Draw this many steps for the sheet.")] = 150,
    out: Annotated[
        Path, typer.Option("--out", callback=output_folder, help="Write the sheet and its key into this folder.")
    ] = Path("review"),
    seed: Annotated[int, typer.Option("--seed", help="Set the seed of the random sample and of its order.")] = 0,
    store: Store = None,
) -> None:
    """Write a blinded sheet: the same number of steps from each arm and outcome, in random order.

    The sheet is written in three forms: an HTML page that works offline, an Excel workbook and a CSV file. None of them
    shows model, arm, outcome or gold answer; these are in key.json, which you keep.

    Example: tracejury review sample last --n 150 --out review
    """
    from tracejury.console.run_inputs import need_reports, open_runs

    with explained():
        need_reports()
        from tracejury.console.screen import out as screen
        from tracejury.reports import Key, draw_sheet, sheet_items, with_quoted, write_csv, write_form, write_xlsx

        ledger, (opened,) = open_runs(store, [run])
        sampled = draw_sheet(ledger.rows(opened), n, seed)
        steps = sheet_items(ledger, opened, sampled)
        sheet = f"{opened.name}-{seed}"
        key = Key(sheet=sheet, run=opened.name, seed=seed, items=with_quoted(sampled, steps))
        if (out / "key.json").exists() and Key.read(out / "key.json") != key:
            raise fail(f"{out} holds another sheet; give another --out, or remove that folder")
        out.mkdir(parents=True, exist_ok=True)
        write_form(out / "sheet.html", steps, sheet)
        write_xlsx(out / "sheet.xlsx", steps, sheet)
        write_csv(out / "sheet.csv", steps)
        (out / "key.json").write_text(key.model_dump_json(indent=1), encoding="utf-8")
    strata: dict[str, int] = {}
    for keyed in sampled:
        strata[f"{keyed.arm} {keyed.outcome.value}"] = strata.get(f"{keyed.arm} {keyed.outcome.value}", 0) + 1
    screen.print(f"{len(sampled)} steps in {out}: sheet.html, sheet.xlsx, sheet.csv (send any one of them)")
    screen.print("  " + ", ".join(f"{name} {count}" for name, count in sorted(strata.items())))
    screen.print("  key.json identifies the steps: do not give it to the experts")
    screen.print(f"Next: tracejury review import RETURNED... --key {out / 'key.json'}")


@app.command("import")
def import_(
    returned: Annotated[
        list[Path], typer.Argument(help="Read these returned sheets, one per expert: .json, .xlsx or .csv.")
    ],
    key: Annotated[Path, typer.Option("--key", help="Read the key of the sheet from this file.")] = Path(
        "review/key.json"
    ),
    labels: Annotated[
        Path | None,
        typer.Option(
            "--labels", help="Write the experts' labels to this file, for `quality calibrate` and `quality score`."
        ),
    ] = None,
    pairs: Annotated[
        Path | None,
        typer.Option(
            "--pairs",
            help="Write claims, cited sentences and their relation by the experts to this file, for `quality calibrate"
            " --checker`.",
        ),
    ] = None,
    draws: Annotated[
        int, typer.Option("--draws", min=100, help="Draw this many bootstrap samples of questions.")
    ] = 10_000,
    as_json: Json = False,
) -> None:
    """Import returned sheets: show what is missing, the agreement of experts and jury, and the order of the arms.

    The exit code is 2 if rows are missing or contradictory; all other rows count.

    Example: tracejury review import anna.json ben.xlsx --key review/key.json --labels labels.jsonl
    """
    from tracejury.console.run_inputs import need_reports

    with explained():
        need_folders(labels, pairs)
        need_reports()
        from tracejury.console.review_tables import print_review
        from tracejury.reports import Key, expert_labels, expert_pairs, read_returned, review

        opened = Key.read(key)
        judged, problems = read_returned(returned, opened)
        summary = review(judged, problems, opened, draws=draws)
        if labels:
            lines = [label.model_dump_json() for label in expert_labels(judged, opened)]
            labels.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
        if pairs:
            lines = [pair.model_dump_json() for pair in expert_pairs(judged, opened)]
            pairs.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
        if as_json:
            print_json(summary.model_dump_json(indent=2))
        else:
            print_review(summary, labels)
    if summary.problems or any(summary.missing.values()):
        raise typer.Exit(Exit.SOME_FAILED)
