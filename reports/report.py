"""The report: everything an audit found, as one HTML file that needs no network, as Markdown and as JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

from tracejury.ledger import Ledger, Run, StepRow
from tracejury.reports import figures
from tracejury.reports.answers import AnswerMetrics, answer_metrics
from tracejury.reports.audits import Audit, audit
from tracejury.reports.columns import ArmKey, Columns
from tracejury.reports.differences import Settings
from tracejury.reports.exhibits import Exhibit, exhibits
from tracejury.reports.factors import TITLES
from tracejury.reports.judge_agreement import JudgePair, judge_pairs
from tracejury.reports.labelled_steps import NoLabelsError
from tracejury.reports.limits import limits
from tracejury.reports.palette import palette_css
from tracejury.reports.scoring import Score, score
from tracejury.reports.summary import Summary, summarise
from tracejury.reports.tables import comparison_rows, csv_table, latex_table, methods_paragraph
from tracejury.traces import Record, TextCoverage

_EXHIBITS = 10
"""Deliberations that a report shows whole."""


class Report(Record):
    """All that a report says; its JSON form is this record."""

    title: str
    created_at: str
    """ISO 8601, UTC."""
    version: str
    runs: tuple[Run, ...]
    summary: Summary
    answers: tuple[AnswerMetrics, ...]
    audit: Audit | None
    """None where there is one arm: nothing to compare."""
    score: Score | None
    """None without human labels."""
    judges: tuple[JudgePair, ...]
    exhibits: tuple[Exhibit, ...]
    limits: tuple[str, ...]
    judged: dict[str, TextCoverage]
    """`RUN:ARM` -> how much of its traces' text was judged, and what became of the rest."""
    methods: str
    """A paragraph on how the figures were made, to paste."""

    def figures(self) -> dict[str, str]:
        """Draw the report's figures: name -> SVG."""
        svgs = {"outcomes": figures.outcomes(self.summary), "reliability": figures.reliability(self.answers)}
        if self.audit:
            svgs["headline"] = figures.headline(self.audit, self.summary)
            svgs["conditions"] = figures.conditions(self.audit)
            if self.audit.controls:
                svgs["robustness"] = figures.robustness(self.audit.controls[0], self.audit.comparisons[0].corrected)
        if self.score:
            svgs["risk-coverage"] = figures.risk_coverage(self.score.curves)
        return {name: svg for name, svg in svgs.items() if svg}


def make_report(
    ledger: Ledger,
    runs: Sequence[Run],
    columns: Columns,
    arms: Sequence[ArmKey],
    settings: Settings | None = None,
    *,
    title: str | None = None,
    allow_different_runs: bool = False,
    rejudged: Mapping[str, Columns] | None = None,
    labels: Columns | None = None,
) -> Report:
    """Put a report together.

    Args:
        ledger: Where the runs are: sampled deliberations and labels come from it.
        runs: What is reported on.
        columns: Their rows.
        arms: What is compared, the baseline first; fewer than two: nothing is.
        settings: Of the comparisons.
        title: Of the report.
        allow_different_runs: Compare runs that were judged differently.
        rejudged: Runs that controls made, by control.
        labels: Another run of the same panel whose labels correct the error rates; None: the labels of these steps.

    Raises:
        NotComparableError: The runs were judged differently.
    """
    from importlib.metadata import version

    settings = settings or Settings()
    summary = summarise(columns, confidence=settings.confidence, labels=labels)
    audited = (
        audit(
            columns,
            runs,
            arms,
            settings,
            allow_different_runs=allow_different_runs,
            conditions=True,
            controls=rejudged or {},
            labels=labels,
            judged=judged_text(ledger, runs),
        )
        if len(arms) > 1
        else None
    )
    answers = [answer_metrics(columns, code, seed=settings.seed) for code in range(len(columns.arms))]
    scored = _score(row for run in runs for row in ledger.rows(run))
    share = -(-_EXHIBITS // len(runs))
    chosen = [e for run in runs for e in exhibits(ledger, run, share, settings.seed)]
    return Report(
        title=title or " and ".join(run.name for run in runs),
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        version=version("tracejury"),
        runs=tuple(runs),
        summary=summary,
        answers=tuple(a for a in answers if a),
        audit=audited,
        score=scored,
        judges=judge_pairs(columns),
        exhibits=tuple(chosen[:_EXHIBITS]),
        limits=tuple(limits(runs, summary, audited, scored is not None)),
        judged={f"{arm.run}:{arm.arm}": coverage for arm, coverage in judged_text(ledger, runs).items()},
        methods=methods_paragraph(runs, settings, audited.comparisons if audited else ()),
    )


def judged_text(ledger: Ledger, runs: Sequence[Run]) -> dict[ArmKey, TextCoverage]:
    """Return how much of each arm's text was judged; arms of ledgers that did not keep it are left out."""
    return {
        ArmKey(run.name, arm): coverage
        for run in runs
        for arm, coverage in ledger.text_coverage(run).items()
        if coverage.judged_share is not None
    }


def check_report_path(path: Path) -> None:
    """Check, before anything is computed, that a report can be written in the form of this ending.

    Raises:
        ValueError: It cannot.
    """
    if path.suffix not in _FORMS:
        raise ValueError(f"{path}: a report is written as .html, .md, .json, .csv or .tex; end the name of --out so")


def write_report(report: Report, path: Path) -> None:
    """Write the report in the form that the file's ending says: .html, .md, .json, .csv or .tex.

    Raises:
        ValueError: Another ending.
    """
    check_report_path(path)
    render = _FORMS[path.suffix]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(render(report), encoding="utf-8")


def _score(rows: Iterable[StepRow]) -> Score | None:
    labelled = [row for row in rows if row.label is not None]
    if not labelled:
        return None
    try:
        return score(labelled)
    except NoLabelsError:
        return None


def _html(report: Report) -> str:
    from jinja2 import Environment, PackageLoader
    from markupsafe import Markup

    style = files("tracejury.reports").joinpath("templates/report.css").read_text(encoding="utf-8")
    pages = Environment(
        loader=PackageLoader("tracejury.reports", "templates"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    svgs = {name: Markup(svg) for name, svg in report.figures().items()}  # noqa: S704 - drawn by us, escaped by it
    pages.globals |= _WORDS
    own = Markup(palette_css() + style)  # noqa: S704 - a file of ours
    return pages.get_template("report.html").render(r=report, figures=svgs, style=own)


def _markdown(report: Report) -> str:
    from jinja2 import Environment, PackageLoader

    pages = Environment(  # noqa: S701 - Markdown, not HTML; `cell` keeps tables whole
        loader=PackageLoader("tracejury.reports", "templates"), trim_blocks=True, lstrip_blocks=True
    )
    pages.globals |= _WORDS
    pages.filters["cell"] = lambda text: str(text).replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")
    return pages.get_template("report.md").render(r=report)


def _range(ends: tuple[float | None, float | None]) -> str:
    return "-" if None in ends else f"{100 * (ends[0] or 0):.1f} to {100 * (ends[1] or 0):.1f}"


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


_WORDS: dict[str, object] = {
    "range_of": _range, "p_value": _p, "titles": TITLES,
    "directions": {"up": "more errors", "down": "fewer errors", "none": "no difference shown"},
    "marks": {"supported": "\u2713", "error": "\u2717", "abstained": "?", "failed": "!"},
}  # fmt: skip
_FORMS: dict[str, Callable[[Report], str]] = {
    ".html": _html,
    ".md": _markdown,
    ".csv": lambda report: csv_table(*comparison_rows(report.audit.comparisons if report.audit else ())),
    ".tex": lambda report: latex_table(*comparison_rows(report.audit.comparisons if report.audit else ())),
    ".json": lambda report: report.model_dump_json(indent=1),
}
