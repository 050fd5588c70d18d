"""The commands that read the figures: summary, compare, report, gate."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from tracejury.console.failing import Exit, explained
from tracejury.console.lines import print_line
from tracejury.console.neutral import print_json
from tracejury.console.options import Json, RunRef, Store
from tracejury.console.outputs import need_folders
from tracejury.console.run_inputs import labels_of, need_reports, open_references, open_runs, read_rows, rejudged

MinCoverage = Annotated[
    float,
    typer.Option("--min-coverage", min=0, max=1, help="Require this share of claims with a verdict in both arms."),
]
MinDecided = Annotated[
    float,
    typer.Option(
        "--min-decided",
        min=0,
        max=1,
        help="Compare questions with a verdict on this share of their claims in each arm.",
    ),
]
MinQuestions = Annotated[int, typer.Option("--min-questions", help="Require this many questions decided in both arms.")]
Confidence = Annotated[
    float, typer.Option("--confidence", min=0.5, max=0.999, help="Set the confidence level of every interval.")
]
AllowDifferentRuns = Annotated[
    bool, typer.Option("--allow-different-runs", help="Compare runs that were judged in different ways.")
]
ComparedRuns = Annotated[
    list[str],
    typer.Argument(metavar="RUN[:ARM]...", help="Name the baseline first; of one RUN alone its arms are compared."),
]
Baseline = Annotated[
    str | None, typer.Option("--baseline", help="Compare with this arm, where there is one RUN. Default: `base`.")
]
Draws = Annotated[int, typer.Option("--draws", min=100, help="Draw this many random swaps for the permutation test.")]
Labels = Annotated[
    Path | None,
    typer.Option("--labels", help="Read experts' labels (`tracejury review import --labels`) to correct error rates."),
]
LabelsFrom = Annotated[
    str | None,
    typer.Option(
        "--labels-from", metavar="RUN", help="Correct error rates by the labels of this run of the same panel."
    ),
]


def summary(
    run: RunRef = "last",
    store: Store = None,
    paper_convention: Annotated[
        bool, typer.Option("--paper-convention", help="Count failures as `uncertain`, as the paper's judge does.")
    ] = False,
    by: Annotated[
        list[str] | None,
        typer.Option(
            "--by", help="Print only these tables: arm, error-type, role, position, length, hint, judge. Repeatable."
        ),
    ] = None,
    confidence: Confidence = 0.95,
    labels: Labels = None,
    labels_from: LabelsFrom = None,
    as_json: Json = False,
) -> None:
    """Sum a run up: outcomes, answers and traces by arm; then by error type, role and judge, with intervals.

    Error rate = error / (error + supported). Abstentions and failures are in neither; the bounds say what the rate
    would be if every abstention hid the one or the other. Intervals are by question.

    Example: tracejury summary last --by arm --by judge
    """
    from tracejury.console.summary_tables import chosen_sections, print_summary
    from tracejury.console.text_coverage import print_coverage
    from tracejury.reports import summarise

    with explained():
        sections = chosen_sections(by or [])
        ledger, runs = open_runs(store, [run])
        result = summarise(
            read_rows(ledger, runs, labels), confidence=confidence, failures_abstain=paper_convention,
            labels=labels_of(ledger, labels_from, runs),
        )  # fmt: skip
        if as_json:
            shares = {arm: part.judged_share for arm, part in ledger.text_coverage(runs[0]).items()}
            print_json(json.dumps(result.model_dump(mode="json") | {"judged_share": shares}, indent=2))
        else:
            print_summary(runs[0], result, sections)
            print_coverage(ledger.text_coverage(runs[0]))


def compare(
    runs: ComparedRuns,
    baseline: Baseline = None,
    allow_different_runs: AllowDifferentRuns = False,
    min_decided: MinDecided = 0.5,
    min_coverage: MinCoverage = 0.3,
    min_questions: MinQuestions = 20,
    conditions: Annotated[
        bool,
        typer.Option("--conditions", help="Show also under which conditions the difference appears (a mixed model)."),
    ] = False,
    controls: Annotated[
        bool, typer.Option("--controls", help="Show also the robustness table, control by control.")
    ] = False,
    draws: Draws = 10_000,
    confidence: Confidence = 0.95,
    labels: Labels = None,
    labels_from: LabelsFrom = None,
    as_matrix: Annotated[
        bool,
        typer.Option(
            "--matrix", help="Compare every student on every benchmark of every RUN with that RUN's baseline."
        ),
    ] = False,
    csv: Annotated[Path | None, typer.Option("--csv", help="Write the table as CSV to this file.")] = None,
    latex: Annotated[Path | None, typer.Option("--latex", help="Write the table as LaTeX to this file.")] = None,
    forest: Annotated[
        Path | None, typer.Option("--forest", help="Draw the cells of --matrix as a forest plot in this SVG file.")
    ] = None,
    methods: Annotated[bool, typer.Option("--methods", help="Print a paragraph on methods to paste.")] = False,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Compare arms question by question: did answers get better while reasoning got worse?

    Every figure is over the questions decided in both arms (--min-decided), with intervals by question, Wilcoxon's
    signed ranks, a sign-flip permutation test, an effect size and the smallest difference that so many questions could
    have shown. All verdicts of either arm stand in a line of their own. With several arms, intervals and p-values are
    corrected for their number.

    Examples: tracejury compare last --baseline base | tracejury compare before after | tracejury compare r:base r:ft
    """
    with explained():
        need_reports()
        need_folders(csv, latex, forest)
        if forest is not None and not as_matrix:
            raise ValueError("--forest draws the cells of a matrix: add --matrix")
        if as_matrix and (conditions or controls):
            raise ValueError("--conditions and --controls belong to a comparison of two arms: leave out --matrix")
        from tracejury.console.comparison_tables import print_audit
        from tracejury.console.matrix_tables import show_matrix, write_tables
        from tracejury.console.screen import out as screen
        from tracejury.console.text_coverage import print_coverage
        from tracejury.reports import (
            Settings,
            audit,
            choose_arms,
            compare_matrix,
            comparison_rows,
            judged_text,
            methods_paragraph,
        )

        settings = Settings(
            draws=draws, confidence=confidence, min_decided=min_decided, min_coverage=min_coverage,
            min_questions=min_questions,
        )  # fmt: skip
        ledger, opened, refs = open_references(store, runs)
        columns = read_rows(ledger, opened, labels)
        if as_matrix:
            matrix = compare_matrix(
                columns, opened, baseline or "base", settings, labels=labels_of(ledger, labels_from, opened),
                judged=judged_text(ledger, opened), allow_different_runs=allow_different_runs,
            )  # fmt: skip
            show_matrix(matrix, as_json, csv, latex, forest)
            if methods and not as_json:
                print_line("\n" + methods_paragraph(opened, settings, matrix=matrix))
            return
        result = audit(
            columns,
            opened,
            choose_arms(columns, refs, baseline),
            settings,
            allow_different_runs=allow_different_runs,
            labels=labels_of(ledger, labels_from, opened),
            judged=judged_text(ledger, opened),
            conditions=conditions,
            controls=rejudged(ledger, opened) if controls else None,
        )
        if as_json:
            print_json(result.model_dump_json(indent=2))
        else:
            print_audit(result)
            for opened_run in opened:
                print_coverage(ledger.text_coverage(opened_run))
            if methods:
                screen.print("\n" + methods_paragraph(opened, settings, result.comparisons), soft_wrap=True)
        write_tables(*comparison_rows(result.comparisons), csv, latex)


def report(
    runs: ComparedRuns,
    out: Annotated[
        list[Path] | None,
        typer.Option("--out", help="Write to this file: .html, .md or .json. Repeatable. Default: report.html"),
    ] = None,
    figures: Annotated[
        Path | None, typer.Option("--figures", help="Write the figures to this folder too, as SVG.")
    ] = None,
    baseline: Baseline = None,
    title: Annotated[
        str | None, typer.Option("--title", help="Set the title of the report. Default: the runs' names.")
    ] = None,
    allow_different_runs: AllowDifferentRuns = False,
    min_decided: MinDecided = 0.5,
    min_coverage: MinCoverage = 0.3,
    min_questions: MinQuestions = 20,
    draws: Draws = 10_000,
    labels: Labels = None,
    labels_from: LabelsFrom = None,
    store: Store = None,
) -> None:
    """Write a report: one self-contained page that opens anywhere, asks no network for anything and prints well.

    Headline, figures, tables, conditions, robustness, judges' agreement, ten deliberations drawn at random, cost,
    provenance, and what the audit cannot say. Markdown and JSON by the ending of --out.

    Example: tracejury report last --out report.html --out report.md
    """
    with explained():
        need_reports()
        from tracejury.console.progress import live_line
        from tracejury.console.screen import out as screen
        from tracejury.reports import Settings, check_report_path, choose_arms, make_report, write_report

        targets = out or [Path("report.html")]
        for path in targets:
            check_report_path(path)

        settings = Settings(
            draws=draws, min_decided=min_decided, min_coverage=min_coverage, min_questions=min_questions
        )
        ledger, opened, refs = open_references(store, runs)
        columns = read_rows(ledger, opened, labels)
        alone = len(refs) == 1 and sum(arm.run == refs[0][0] for arm in columns.arms) < 2
        arms = [] if alone else choose_arms(columns, refs, baseline)
        with live_line(lambda: "putting the report together"):
            result = make_report(
                ledger,
                opened,
                columns,
                arms,
                settings,
                title=title,
                allow_different_runs=allow_different_runs,
                rejudged=rejudged(ledger, opened),
                labels=labels_of(ledger, labels_from, opened),
            )
            for path in targets:
                write_report(result, path)
                screen.print(f"{path}  {path.stat().st_size / 1000:,.0f} kB")
        if figures:
            figures.mkdir(parents=True, exist_ok=True)
            for name, svg in result.figures().items():
                (figures / f"{name}.svg").write_text(svg.replace("currentColor", "#222"), encoding="utf-8")
            screen.print(f"{figures}  figures")


def gate(
    runs: Annotated[list[str], typer.Argument(metavar="RUN[:ARM]...", help="Name the students.")],
    baseline: Annotated[str, typer.Option("--baseline", metavar="RUN[:ARM]", help="Compare them with this arm.")],
    max_step_error_rise: Annotated[
        float, typer.Option("--max-step-error-rise", help="Allow the interval's upper bound to reach this many points.")
    ] = 3.0,
    max_answer_drop: Annotated[
        float | None,
        typer.Option("--max-answer-drop", help="Allow the answers' lower bound to fall by this many points."),
    ] = None,
    max_coverage_gap: Annotated[
        float, typer.Option("--max-coverage-gap", help="Allow the coverage of the arms to differ by this many points.")
    ] = 5.0,
    worst_case: Annotated[
        bool, typer.Option("--worst-case", help="Require that the worst case over abstentions keeps to the limit too.")
    ] = False,
    allow_not_robust: Annotated[
        bool, typer.Option("--allow-not-robust", help="Accept a direction that abstentions could turn around.")
    ] = False,
    allow_grounded_contradiction: Annotated[
        bool,
        typer.Option("--allow-grounded-contradiction", help="Accept grounded verdicts that point the other way."),
    ] = False,
    min_effective: Annotated[
        float | None,
        typer.Option("--min-effective", help="Require that the panel is worth so many independent judges (Kish)."),
    ] = None,
    min_decided: MinDecided = 0.5,
    min_coverage: MinCoverage = 0.3,
    min_questions: MinQuestions = 20,
    allow_different_runs: AllowDifferentRuns = False,
    junit_xml: Annotated[Path | None, typer.Option("--junit", help="Write JUnit XML to this file.")] = None,
    markdown: Annotated[Path | None, typer.Option("--markdown", help="Write Markdown to this file.")] = None,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Refuse a student whose reasoning got worse: exit code 3.

    The bound of the interval decides, not the point: a student passes only if the data show that its step errors did
    not rise by more than the limit. Too little coverage, coverage unlike that of the baseline, a direction that
    abstentions could turn around, and grounded verdicts that point the other way refuse too; with --min-effective a
    panel whose judges err together.

    Example: tracejury gate after --baseline before --max-step-error-rise 3 --junit gate.xml
    """
    with explained():
        need_reports()
        need_folders(junit_xml, markdown)
        from tracejury.console.screen import marked, out
        from tracejury.reports import (
            GateLimits,
            Settings,
            audit,
            choose_arms,
            effective_judges,
            gate_markdown,
            judged_text,
            junit,
            pass_gate,
        )

        settings = Settings(min_decided=min_decided, min_coverage=min_coverage, min_questions=min_questions)
        ledger, opened, refs = open_references(store, [baseline, *runs])
        columns = read_rows(ledger, opened)
        result = audit(
            columns, opened, choose_arms(columns, refs, None), settings, allow_different_runs=allow_different_runs,
            judged=judged_text(ledger, opened),
        )  # fmt: skip
        limits = GateLimits(
            max_step_error_rise=max_step_error_rise, max_answer_drop=max_answer_drop,
            max_coverage_gap=max_coverage_gap, worst_case=worst_case, allow_not_robust=allow_not_robust,
            allow_grounded_contradiction=allow_grounded_contradiction,
        )  # fmt: skip
        more = []
        if min_effective is not None:
            more.append(effective_judges((row for run in opened for row in ledger.rows(run)), min_effective))
        gates = [pass_gate(c, limits, *more) for c in result.comparisons]
        if junit_xml:
            junit_xml.write_text(junit(gates), encoding="utf-8")
        if markdown:
            markdown.write_text(gate_markdown(gates), encoding="utf-8")
        if as_json:
            print_json(json.dumps([g.model_dump(mode="json") for g in gates], indent=2))
        else:
            for g in gates:
                passed = "passed" if g.passed else "REFUSED"
                out.print(marked("[bold]{}[/]  {} against {}", passed, g.student, g.baseline))
                out.print(f"  {g.sentence}", soft_wrap=True)
                for check in g.checks:
                    out.print(
                        f"  {'passed' if check.passed else 'failed'}  {check.name}: {check.finding}", soft_wrap=True
                    )
    if not all(g.passed for g in gates):
        raise typer.Exit(Exit.GATE)
