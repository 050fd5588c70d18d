"""The pages of the viewer as HTML. Their figures come from `tracejury.ledger` and `tracejury.reports`."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from importlib.resources import files
from typing import Any, Literal, get_args

from markupsafe import Markup

from tracejury.agents import Citation, Deliberation, Reason, evidence_of_claims
from tracejury.console.viewer import agreement
from tracejury.console.viewer.cards import digest, markdown_card
from tracejury.console.viewer.evidence import anchor, exhibits
from tracejury.console.viewer.following import Target, asks_for_steps, filter_query, fitting_steps, traces_around
from tracejury.console.viewer.ledger_view import LedgerView
from tracejury.console.viewer.overview import arms_of, failures_of, flipped_questions
from tracejury.console.viewer.prompts import prompts_of
from tracejury.console.viewer.rendering import Link, render
from tracejury.console.viewer.route import diagram
from tracejury.console.viewer.transcript import kind, transcript
from tracejury.ledger import Run, TraceFilter, TraceLine
from tracejury.ledger.browsing import Sort
from tracejury.ledger.browsing_steps import PAGE as STEPS_A_PAGE
from tracejury.traces import ErrorType, Trace

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
        return self._page(
            "runs.html", progress_by_run=[self.view.progress(run) for run in self.view.ledger.runs()[:100]]
        )

    def run(self, run: Run) -> str:
        """Return the run's overview."""
        flipped_count, flipped = flipped_questions(self.view, run)
        return self._page(
            "run.html",
            flipped=flipped,
            flipped_count=flipped_count,
            run=run,
            progress=self.view.progress(run),
            arms=arms_of(self.view, run),
            failures=failures_of(self.view, run),
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
            filter_words=_filter_words(query),
        )

    def trace(self, run: Run, trace_id: str, beside: str | None, filters: TraceFilter) -> str:
        """Return a trace with the first step worth reading opened, or side by side with another of its question."""
        if beside is None:
            return self._reading(run, trace_id, None, filters)
        trace, question = self.view.ledger.trace(run, trace_id)
        siblings = self.view.traces.siblings(run, question.id)
        others = self._others(trace, siblings)
        columns = [self._column(run, trace, siblings, "s")]
        if any(line.trace_id == beside for line in others):
            columns.append(self._column(run, self.view.ledger.trace(run, beside)[0], siblings, "b"))
        before, after = self.view.traces.neighbours(run, trace_id)
        return self._page(
            "arms.html", run=run, trace=trace, question=question, columns=columns, others=others, before=before,
            after=after,
        )  # fmt: skip

    def step(self, run: Run, trace_id: str, number: int, filters: TraceFilter) -> str:
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
            return markdown_card(run, question, trace, deliberation)
        steps = next(s.steps for s in self.view.traces.siblings(run, question.id) if s.trace_id == trace_id)
        css = Markup((files("tracejury.console.viewer") / "static" / "viewer.css").read_text(encoding="utf-8"))  # noqa: S704 - our own style sheet
        return render(
            "card.html", lambda path, **query: "#", static=True, run=run, trace=trace, question=question, steps=steps,
            css=css, digest=digest(deliberation), **self._deliberation(deliberation),
        )  # fmt: skip

    def judges(self, run: Run) -> str:
        """Return how the judges voted and agree."""
        patterns = self.view.patterns(run)
        seats = agreement.seats(run.panel, patterns)
        pairs = {
            key: {**pair._asdict(), "shade": _shade(pair.kappa)}
            for key, pair in agreement.pairs(run.panel, patterns).items()
        }
        return self._page(
            "judges.html",
            run=run,
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

    def _column(self, run: Run, trace: Trace, siblings: list[TraceLine], prefix: str) -> dict[str, Any]:
        deliberations = self.view.ledger.deliberations(run, trace.id)
        kinds = {d.step.index: kind(d) for d in deliberations}
        line = next((s for s in siblings if s.trace_id == trace.id), None)
        return {
            "trace": trace,
            "parts": transcript(trace, deliberations),
            "kinds": kinds,
            "counts": {name: n for name, n in Counter(kinds.values()).most_common()},
            "missing": (line.steps if line else len(deliberations)) - len(deliberations),
            "prefix": prefix,
            "text": self.view.ledger.trace_coverage(run, trace.id),
        }

    def _others(self, trace: Trace, siblings: list[TraceLine]) -> list[TraceLine]:
        others = [line for line in siblings if line.trace_id != trace.id]
        if self.static:
            # Every pair of 64 samples would be 4,032 pages a question; a site has the pairs across arms.
            others = [o for o in others if o.sample == trace.sample and (o.arm, o.model) != (trace.arm, trace.model)]
        return others

    def _reading(self, run: Run, trace_id: str, number: int | None, filters: TraceFilter) -> str:
        trace, question = self.view.ledger.trace(run, trace_id)
        siblings = self.view.traces.siblings(run, question.id)
        deliberations = self.view.ledger.deliberations(run, trace_id)
        by_index = {d.step.index: d for d in deliberations}
        fitting = fitting_steps(deliberations, filters)
        if number is None:
            errors = [] if asks_for_steps(filters) else [d.step.index for d in deliberations if kind(d) == "error"]
            index = next(iter([*errors, *fitting, *by_index]), None)
        else:
            index = number - 1
            if index not in by_index:
                raise LookupError(f"step {number} of this trace has no deliberation yet")
        before, after = traces_around(self.view, run, trace_id, filters)
        query = {} if self.static else filter_query(filters)
        at = -1 if index is None else index
        forward = next((Target(trace_id, i + 1, filters.page) for i in fitting if i > at), after)
        backward = next((Target(trace_id, i + 1, filters.page) for i in reversed(fitting) if i < at), before)
        kinds = {d.step.index: kind(d) for d in deliberations}
        steps = next((s.steps for s in siblings if s.trace_id == trace_id), len(deliberations))
        shown = {"deliberation": None} if index is None else self._deliberation(by_index[index])
        return self._page(
            "reading.html", run=run, trace=trace, question=question, others=self._others(trace, siblings), steps=steps,
            trace_parts=transcript(trace, deliberations), kinds=kinds, counts=Counter(kinds.values()),
            missing=steps - len(deliberations), fitting=set(fitting), query=query, filter_words=_filter_words(query),
            before=before, after=after, forward=forward, backward=backward, **shown,
        )  # fmt: skip

    def _deliberation(self, deliberation: Deliberation) -> dict[str, Any]:
        blocks = exhibits(deliberation)
        by_claim: dict[str, list[tuple[str, Citation]]] = defaultdict(list)
        for judge, of in [(o.judge, o) for o in deliberation.opinions] + [("resolver", deliberation.resolution)]:
            for citation in of.citations if of else ():
                by_claim[citation.claim or ""].append((judge, citation))
        return {
            "deliberation": deliberation,
            "kind": kind(deliberation),
            "exhibits": blocks,
            "carrying": {c.evidence_id for c in deliberation.verdict.citations},
            "anchors": {e.id: anchor(e.id) for e in blocks},
            "route": diagram(deliberation.path),
            "prompts": prompts_of(self.view.ledger, deliberation),
            "by_claim": by_claim,
            "claims": evidence_of_claims(deliberation.case.claims, deliberation.opinions, deliberation.resolution)
            if deliberation.case
            else (),
        }

    def _page(self, template: str, **values: Any) -> str:
        return render(template, self.link, static=self.static, **values)


def _page_of(query: Mapping[str, str], total: int, size: int) -> tuple[int, int]:
    pages = max(1, -(-total // size))
    number = query.get("page", "1")
    return min(max(1, int(number[:9]) if number.isdecimal() else 1), pages), pages


def _filter_words(query: Mapping[str, Any]) -> list[str]:
    flags = {
        "disagreement": "voting judges whose labels differ",
        "resolver": "the resolver",
        "flawed": "a right answer and a wrong step",
    }
    parts = [text for name, text in flags.items() if query.get(name)]
    parts += [f"“{query['words']}”"] if query.get("words") else []
    for name in ("arm", "model", "outcome", "error_type", "reason", "answer"):
        if query.get(name):
            parts.append(f"{name.replace('_', ' ')} {str(query[name]).replace('_', ' ')}")
    return parts


def _shade(kappa: float | None) -> int:
    """Return the matrix cell's tint, 0 to 4: below 0.2, 0.4, 0.6, 0.8 and above."""
    return 0 if kappa is None or kappa < 0.2 else min(4, int(kappa * 5))
