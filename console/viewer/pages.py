"""The pages of the viewer as HTML. Their figures come from `tracejury.ledger` and `tracejury.reports`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

from markupsafe import Markup

from tracejury.agents import Grade, Reason
from tracejury.console.viewer import agreement
from tracejury.console.viewer.alignment import aligned
from tracejury.console.viewer.cards import digest, markdown_card
from tracejury.console.viewer.filter_words import step_filter_words, trace_filter_words
from tracejury.console.viewer.finding import Findings, Side, findings_of, pairs_alike, sides_of
from tracejury.console.viewer.following import filter_query
from tracejury.console.viewer.ledger_view import LedgerView
from tracejury.console.viewer.overview import arms_of, failures_of, texts_of
from tracejury.console.viewer.pace import pace_of
from tracejury.console.viewer.picture import picture
from tracejury.console.viewer.reading import reading, step_parts, step_query
from tracejury.console.viewer.rendering import Link, render
from tracejury.console.viewer.static_files import style_sheet
from tracejury.console.viewer.timeline import timeline
from tracejury.console.viewer.transcript import kind
from tracejury.ledger import Run, StepFilter, TraceFilter, TraceLine
from tracejury.ledger.browsing import Sort
from tracejury.ledger.browsing_steps import PAGE as STEPS_A_PAGE
from tracejury.ledger.step_lists import COUNTED
from tracejury.traces import ErrorType, Trace

RUNS_SEARCHED = 30
"""The newest runs, which a search across runs looks into."""
HITS_A_RUN = 5
_SORTS = {
    "order": "as read",
    "errors": "most errors",
    "abstained": "most abstentions",
    "disagreements": "most differing labels",
    "first_error": "earliest error",
    "steps": "most steps",
    "cost": "most expensive",
}
_NO_VERDICT = [r.value for r in Reason if r not in (Reason.GROUNDED_MAJORITY, Reason.PLAIN_MAJORITY, Reason.RESOLVED)]


class Pages:
    """The pages of one site: of the running server, or of an export.

    Args:
        view: The ledger and its readers.
        link: Returns the address of a page.
        static: Whether this is an export, which has no forms and no review.
    """

    def __init__(self, view: LedgerView, link: Link, static: bool = False) -> None:
        self.view = view
        self.link = link
        self.static = static

    def runs(self) -> str:
        """List the ledger's runs."""
        runs = self.view.ledger.runs()[:100]
        sides = [f"{run.name}:{side.arm}" for run in runs[:RUNS_SEARCHED] for side in sides_of(self.view, run)]
        return self._page("runs.html", progress_by_run=[self.view.progress(run) for run in runs], sides=sides)

    def run(self, run: Run) -> str:
        """Return the run's front page: the finding, the questions behind it, the rates."""
        sides = sides_of(self.view, run)
        findings, computed = findings_of(self.view, sides[0], sides[1:]) if len(sides) > 1 else Findings([], None)
        progress = self.view.progress(run)
        return self._page(
            "run.html",
            findings=findings,
            computed=computed,
            panels=picture(findings or []),
            run=run,
            progress=progress,
            pace=None if run.finished else pace_of(self.view, run, progress),
            arms=arms_of(self.view, run),
            texts=texts_of(self.view, run),
            failures=failures_of(self.view, run),
            notes=self.view.notes.in_run(run),
        )

    def traces(self, run: Run, filters: TraceFilter) -> str:
        """Return one page of the list of traces."""
        query = filter_query(filters)
        arms = arms_of(self.view, run)
        choices = [
            ("arm", "Arm", [a.name for a in arms]),
            ("model", "Model", sorted({m for a in arms for m in a.models})),
            ("outcome", "Outcome", ["supported", "error", "abstained", "failed", "no_claim", "none"]),
            ("error_type", "Error type", [e.value for e in ErrorType]),
            ("reason", "No verdict, since", _NO_VERDICT),
            ("answer", "Answer", ["right", "wrong", "unparsable"]),
        ]
        return self._page(
            "traces.html",
            run=run,
            filters=filters,
            results=self.view.traces.traces(run, filters),
            query=query,
            kept_query={} if self.static else query,
            choices=choices,
            sorts=[(s, _SORTS[s]) for s in get_args(Sort)],
            filter_words=trace_filter_words(query),
        )

    def trace(self, run: Run, trace_id: str, filters: TraceFilter | StepFilter) -> str:
        """Return a trace with the first step worth reading opened."""
        return self._reading(run, trace_id, None, filters)

    def arms(self, run: Run, trace_id: str, beside: str, other_run: Run | None = None) -> str:
        """Return a trace with another of its question beside it, steps that say the same in one row.

        Args:
            run: The run.
            trace_id: The trace on the left.
            beside: The trace on the right.
            other_run: The run of that; None: the same run.

        Raises:
            LookupError: The two answer different questions.
        """
        other_run = other_run or run
        trace, question = self.view.ledger.trace(run, trace_id)
        right_trace = self.view.ledger.trace(other_run, beside)[0]
        if right_trace.question_id != trace.question_id:
            raise LookupError("these traces answer different questions, so their steps cannot stand side by side")
        left, right = self._column(run, trace), self._column(other_run, right_trace)
        siblings = self.view.traces.siblings(run, question.id)
        return self._page(
            "arms.html", run=run, trace=trace, question=question, columns=[left, right],
            others=self._others(trace, siblings) if other_run.id == run.id else [],
            rows=aligned(left["deliberations"], right["deliberations"]), same_run=other_run.id == run.id,
        )  # fmt: skip

    def steps(self, run: Run, filters: StepFilter) -> str:
        """Return one page of the list of steps."""
        query = step_query(filters)
        return self._page(
            "steps.html", run=run, filters=filters, results=self.view.steps_listed(run, filters), query=query,
            kept_query={} if self.static else query | {"list": "steps"},
            choices=self._step_choices([run]), filter_words=step_filter_words(query), counted=COUNTED,
        )  # fmt: skip

    def search(self, filters: StepFilter) -> str:
        """Return the steps that pass a filter in every run, a few of each run."""
        runs = self.view.ledger.runs()[:RUNS_SEARCHED]
        query = step_query(filters)
        listed = [(run, self.view.steps_listed(run, filters)) for run in runs] if query else []
        return self._page(
            "search.html", filters=filters, found=[(r, page) for r, page in listed if page.lines], query=query,
            runs=len(runs), choices=self._step_choices(runs), filter_words=step_filter_words(query), counted=COUNTED,
            shown=HITS_A_RUN,
        )  # fmt: skip

    def timeline(self, run: Run, trace_id: str) -> str:
        """Return the calls of a trace in time, and what each judge cost."""
        trace, question = self.view.ledger.trace(run, trace_id)
        calls = timeline(self.view.ledger.deliberations(run, trace_id))
        return self._page("timeline.html", run=run, trace=trace, question=question, timeline=calls)

    def comparison(self, baseline: Side, other: Side) -> str:
        """Return what two arms, of one run or of two, differ in."""
        findings, computed = findings_of(self.view, baseline, [other])
        return self._page(
            "compare.html", run=baseline.run, baseline=baseline, other=other, findings=findings,
            computed=computed, panels=picture(findings or []),
            further=pairs_alike(self.view, baseline, other),
        )  # fmt: skip

    def step(self, run: Run, trace_id: str, number: int, filters: TraceFilter | StepFilter) -> str:
        """Return a trace with one of its steps opened; steps count from 1.

        Raises:
            LookupError: The step has no deliberation yet.
        """
        return self._reading(run, trace_id, number, filters)

    def card(self, run: Run, trace_id: str, number: int, form: Literal["html", "md"]) -> str:
        """Return one deliberation as a card of its own: HTML or Markdown.

        Raises:
            LookupError: The step has no deliberation yet.
        """
        trace, question = self.view.ledger.trace(run, trace_id)
        deliberation = self.view.steps.deliberation(run, trace_id, number - 1)
        if deliberation is None:
            raise LookupError(f"step {number} of this trace has no deliberation yet")
        if form == "md":
            note = self.view.notes.of(run, deliberation.step.id)
            return markdown_card(run, question, trace, deliberation, note.text if note else "")
        steps = next(s.steps for s in self.view.traces.siblings(run, question.id) if s.trace_id == trace_id)
        css = Markup(style_sheet())  # noqa: S704 - our own style sheet
        return render(
            "card.html", lambda path, **query: "#", static=True, run=run, trace=trace, question=question, steps=steps,
            css=css, digest=digest(deliberation), **step_parts(self.view, run, deliberation),
        )  # fmt: skip

    def judges(self, run: Run) -> str:
        """Return how the judges voted and agree, and what they cost."""
        patterns = self.view.patterns(run)
        seats = agreement.seats(run.panel, patterns)
        pairs = {
            key: {**pair._asdict(), "shade": _shade(pair.kappa)}
            for key, pair in agreement.pairs(run.panel, patterns).items()
        }
        return self._page(
            "judges.html",
            run=run,
            spending=self.view.spending(run),
            seats=seats,
            pairs=pairs,
            labelled=any(seat.labelled for seat in seats),
            disputed=sum(p.steps for p in agreement.disputed(patterns)),
            patterns=[{**p._asdict(), "votes_by_judge": {v.judge: v for v in p.votes}} for p in patterns],
        )

    def disagreements(self, run: Run, query: Mapping[str, str]) -> str:
        """Return the steps on which judges disagree: any, these two (`a`, `b`), or with exactly these `votes`."""
        patterns, a, b = self.view.patterns(run), query.get("a"), query.get("b")
        heading = "Judges disagree"
        if votes := query.get("votes"):
            chosen, heading = [p for p in patterns if p.text == votes], "Steps with these votes"
        elif a and b:
            chosen, heading = agreement.disputed(patterns, a, b), f"{a} and {b} differ"
        else:
            chosen = agreement.disputed(patterns)
        total = sum(p.steps for p in chosen)
        page, pages = _page_of(query, total, STEPS_A_PAGE)
        lines = self.view.steps.with_votes(run, sorted({p.text for p in chosen}), page)
        return self._page(
            "disagreements.html", run=run, heading=heading, total=total, lines=lines, page=page, pages=pages,
            query={name: query[name] for name in ("a", "b", "votes") if query.get(name)},
        )  # fmt: skip

    def sources(self, run: Run, query: Mapping[str, str]) -> str:
        """Return the references that carried verdicts."""
        references = self.view.references(run)
        by_source: Counter[str] = Counter()
        for reference in references:
            by_source[reference.source] += reference.supported + reference.error
        source = query.get("source", "")
        chosen = [r for r in references if not source or r.source == source]
        page, pages = _page_of(query, len(chosen), 50)
        return self._page(
            "sources.html", run=run, by_source=by_source.most_common(), source=source,
            lines=chosen[50 * (page - 1) : 50 * page], page=page, pages=pages,
        )  # fmt: skip

    def source(self, run: Run, evidence_id: str, query: Mapping[str, str]) -> str:
        """Return one reference and the steps whose verdicts rest on it.

        Raises:
            LookupError: It carried no verdict of this run.
        """
        reference = self.view.steps.reference(run, evidence_id)
        if reference is None:
            raise LookupError("this passage carried no verdict of the run")
        page, pages = _page_of(query, reference.supported + reference.error, STEPS_A_PAGE)
        lines = self.view.steps.carried_by(run, evidence_id, page)
        return self._page("source.html", run=run, reference=reference, lines=lines, page=page, pages=pages)

    def problem(self, heading: str, text: str, run: Run | None = None) -> str:
        """Return a page that says what went wrong."""
        context = {"run": run} if run else {}
        return self._page("problem.html", heading=heading, text=text, **context)

    def _column(self, run: Run, trace: Trace) -> dict[str, Any]:
        deliberations = self.view.ledger.deliberations(run, trace.id)
        line = next(line for line in self.view.traces.siblings(run, trace.question_id) if line.trace_id == trace.id)
        return {
            "run": run,
            "trace": trace,
            "deliberations": deliberations,
            "counts": dict(Counter(map(kind, deliberations)).most_common()),
            "missing": line.steps - len(deliberations),
            "correct": line.correct,
            "text": self.view.ledger.trace_coverage(run, trace.id),
        }

    def _step_choices(self, runs: Sequence[Run]) -> list[tuple[str, str, list[str]]]:
        """Return the select boxes of a filter of steps: name, label, values."""
        arms = [arm for run in runs for arm in arms_of(self.view, run)] if len(runs) == 1 else []
        judges = dict.fromkeys(judge.name for run in runs for judge in run.panel.judges)
        return [
            ("outcome", "Outcome", ["supported", "error", "abstained", "failed", "no_claim"]),
            ("error_type", "Error type", [e.value for e in ErrorType]),
            ("reason", "Reason", [r.value for r in Reason]),
            ("grade", "Evidence", [g.value for g in Grade]),
            ("judge", "Judge", list(judges)),
            ("label", "who says", ["supported", "error", "unclear", "no_claim", "failed", "against"]),
            *([("arm", "Arm", [a.name for a in arms])] if len(arms) > 1 else []),
        ]

    def _others(self, trace: Trace, siblings: list[TraceLine]) -> list[TraceLine]:
        others = [line for line in siblings if line.trace_id != trace.id]
        if self.static:
            # Every pair of 64 samples would be 4,032 pages a question; a site has the pairs across arms.
            others = [o for o in others if o.sample == trace.sample and (o.arm, o.model) != (trace.arm, trace.model)]
        return others

    def _reading(self, run: Run, trace_id: str, number: int | None, filters: TraceFilter | StepFilter) -> str:
        reading_parts = reading(self.view, run, trace_id, number, filters)
        if self.static:
            reading_parts["way"] = reading_parts["way"]._replace(query={})
        return self._page(
            "reading.html",
            run=run,
            others=self._others(reading_parts["trace"], reading_parts["siblings"]),
            **reading_parts,
        )

    def _page(self, template: str, **values: Any) -> str:
        return render(template, self.link, static=self.static, **values)


def _page_of(query: Mapping[str, str], total: int, size: int) -> tuple[int, int]:
    pages = max(1, -(-total // size))
    number = query.get("page", "1")
    return min(max(1, int(number[:9]) if number.isdecimal() else 1), pages), pages


def _shade(kappa: float | None) -> int:
    """Return the matrix cell's tint, 0 to 4: below 0.2, 0.4, 0.6, 0.8 and above."""
    return 0 if kappa is None or kappa < 0.2 else min(4, int(kappa * 5))
