"""`tracejury quality ...`: how good the verdicts are (score, calibrate, judges)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tracejury.console.failing import explained, fail
from tracejury.console.lines import print_line
from tracejury.console.neutral import print_json
from tracejury.console.options import Json, OwnLabels, RunRef, Store
from tracejury.console.outputs import need_folders
from tracejury.console.run_inputs import need_reports, open_runs, stream_rows


def score(run: RunRef = "last", labels: OwnLabels = None, store: Store = None, as_json: Json = False) -> None:
    """Score a run against human labels, beside each judge alone, the plain majority and `always supported`.

    Labels come with the traces: MR-Ben and MEDEC bring them, your own may in `steps`. Or they come from experts
    (--labels). Intervals are by question. Chance is .5 for balanced accuracy and AUROC, 0 for kappa,
    alpha and MCC.

    Examples: tracejury quality score last | tracejury quality score last --labels labels.jsonl
    """
    with explained():
        need_reports()
        from tracejury.console.quality_tables import print_score
        from tracejury.reports import score as score_rows

        result = score_rows(stream_rows(*open_runs(store, [run]), labels))
        if as_json:
            print_json(result.model_dump_json(indent=2))
        else:
            print_score(result)


def calibrate(
    run: Annotated[
        str,
        typer.Argument(
            help="Name a run, by name, the beginning of its id or `last`; with --checker name a file of pairs."
        ),
    ] = "last",
    labels: OwnLabels = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write the calibrator to this file; a panel names it as `calibrator`.")
    ] = None,
    alpha_supported: Annotated[
        float, typer.Option("--alpha-supported", help="Allow this share of `supported` verdicts to be wrong.")
    ] = 0.1,
    alpha_error: Annotated[
        float, typer.Option("--alpha-error", help="Allow this share of `error` verdicts to be wrong.")
    ] = 0.2,
    delta: Annotated[float, typer.Option("--delta", help="Allow a guarantee to fail this often.")] = 0.1,
    per: Annotated[
        str,
        typer.Option("--per", help="Certify the risk of a question's kept verdict (question) or of all alike (step)."),
    ] = "question",
    seed: Annotated[
        int, typer.Option("--seed", help="Set the seed of the split into fitting and certifying questions.")
    ] = 0,
    checker: Annotated[
        str | None, typer.Option("--checker", help="Fit this checker's thresholds on labelled pairs instead.")
    ] = None,
    panel: Annotated[
        str | None, typer.Option("--panel", help="Take the endpoint and params of the --checker from this panel.")
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="Set one param of the --checker, as KEY=VALUE. Repeatable.")
    ] = None,
    alpha: Annotated[
        float,
        typer.Option("--alpha", help="Allow this share of wrong assertions a counting citation, with --checker."),
    ] = 0.05,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Fit a calibrator on a labelled run: P(error) from the opinions, and thresholds with a guarantee.

    Half of the labelled questions fit the probabilities, the other half certify the thresholds. A class of verdicts
    that cannot be certified abstains entirely; that is a result, not a failure. The guarantee holds for questions like
    these, from the same source, under the same panel, and for nothing else.

    With --per step all kept verdicts enter the test and weigh alike, with questions as the units of a Student's t: more
    is kept, and the guarantee is approximate (docs/calibration.md).

    Every further attempt on the same labels (another seed, another risk) is tested at delta / attempts.

    With --labels, questions like these are those that the sheet was drawn from (`tracejury review sample`).

    With --checker, PAIRS are JSON lines {claim, evidence: [sentences], relation: supports|contradicts|silent, group}:
    what evidence must reach to count is set against the best that could be cited wrongly (docs/add-a-checker.md).

    Examples: tracejury quality calibrate last --alpha-supported 0.1 --out calibrator.json | tracejury quality
    calibrate --checker nli pairs.jsonl --out nli.json
    """
    with explained():
        need_reports()
        need_folders(out)
        if checker is not None:
            from tracejury.console.checker_calibration import calibrate_checker

            return calibrate_checker(
                checker,
                Path(run),
                panel=panel,
                settings=settings or (),
                out=out,
                alpha=alpha,
                seed=seed,
                store=store,
                as_json=as_json,
            )
        from tracejury.agents import seats_of
        from tracejury.console.quality_tables import print_calibrator
        from tracejury.reports import calibrate as fit
        from tracejury.reports import count_attempts, labels_digest

        ledger, runs = open_runs(store, [run])
        rows = list(stream_rows(ledger, runs, labels))
        if per not in ("question", "step"):
            raise ValueError(f"--per is question or step, not {per!r}")
        digest = labels_digest(rows, seats_of(runs[0].panel, runs[0].manifest.prompts))
        attempts = count_attempts(
            digest, f"seed {seed}, alpha {alpha_supported:g} and {alpha_error:g}, delta {delta:g}, per {per}"
        )
        calibrator = fit(
            rows,
            runs[0].panel,
            alpha_supported=alpha_supported,
            alpha_error=alpha_error,
            delta=delta,
            seed=seed,
            attempts=attempts,
            prompts=runs[0].manifest.prompts,
            per="step" if per == "step" else "question",
        )
        if out is not None:
            out.write_text(calibrator.model_dump_json(indent=2) + "\n")
        if as_json:
            print_json(calibrator.model_dump_json(indent=2))
        else:
            print_calibrator(calibrator, out)
    return None


def judges(
    run: RunRef = "last",
    labels: OwnLabels = None,
    against: Annotated[
        str | None, typer.Option("--against", help="Show the drift since this earlier run of the same traces.")
    ] = None,
    write_panel: Annotated[
        Path | None,
        typer.Option("--write-panel", help="Write the run's panel to this YAML file, unskilled judges without a vote."),
    ] = None,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Report on the judges of a run: skill with labels and without, agreement, what each one changes, drift.

    With labels, a judge whose interval includes chance is shown as such, and loses its vote in --write-panel.
    Without labels, Dawid and Skene's model says how reliable three or more judges are, as far as agreement can tell.

    Examples: tracejury quality judges last | tracejury quality judges last --write-panel panel.yaml
    """
    with explained():
        need_reports()
        from tracejury.console.quality_tables import print_judges
        from tracejury.reports import report_judges, without_unskilled

        ledger, runs = open_runs(store, [run, *([against] if against else [])])
        result = report_judges(stream_rows(ledger, runs[:1], labels), stream_rows(ledger, runs[1:]))
        if against is not None and not result.drift:
            hint = "drift needs the same traces, cut into the same steps, and judges of the same names"
            raise fail(f"{run} and {against} are one run, or have no step that one judge answered in both; {hint}")
        if write_panel is not None:
            if write_panel.exists():
                raise fail(f"{write_panel} is there already; give another file")
            panel = without_unskilled(runs[0].panel, result)
            import yaml

            write_panel.write_text(yaml.safe_dump(panel.model_dump(mode="json"), sort_keys=False, allow_unicode=True))
        if as_json:
            print_json(result.model_dump_json(indent=2))
        else:
            print_judges(result, write_panel)


def invariance(
    run: RunRef,
    other: Annotated[str, typer.Argument(metavar="OTHER", help="Name the run over the edited or re-ordered traces.")],
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Count the verdicts that stay the same under an edit which keeps the label, with an interval by question.

    OTHER has the same questions, arms and steps in another form: re-ordered (`quality control order RUN`), in another
    tone (`quality control tone-swap RUN`), or your own paraphrases under the same question keys.

    Example: tracejury quality invariance last last@order
    """
    with explained():
        need_reports()
        import json

        from tracejury.reports import unchanged_between

        ledger, runs = open_runs(store, [run, other])
        steps, unchanged = unchanged_between(ledger.rows(runs[0]), ledger.rows(runs[1]))
        if as_json:
            print_json(json.dumps({"steps": steps, "unchanged": unchanged.model_dump()}, indent=2))
        else:
            names = f"{runs[0].name} and {runs[1].name}"
            print_line(f"{names} share {steps:,} steps; unchanged verdicts: {unchanged.text()}")
