"""A deliberation on the terminal: the verdict first, then the step, evidence with the quoted words, opinions, resolver.

All text of traces, passages and replies stands behind a bar at the left edge, so that no line of it passes for ours.
"""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from tracejury.agents import Citation, Deliberation, Opinion, Outcome, Resolution, Seat, evidence_of_claims
from tracejury.console.neutral import neutral_line
from tracejury.console.screen import Indented, marked, quoted
from tracejury.console.wording import NO_CLAIM_SYMBOL, SYMBOL, WHY, evidence_line, evidence_name, one_line
from tracejury.reports import OUTCOME_COLOURS
from tracejury.traces import Question, Trace

OUTCOME_STYLE = {outcome: (SYMBOL[outcome], OUTCOME_COLOURS[outcome.value].terminal) for outcome in Outcome}


def heading(question: Question, trace: Trace) -> Iterator[RenderableType]:
    """Yield vignette, options and what the trace answered."""
    yield marked("[bold]question {}[/]", question.key or question.id)
    yield quoted(question.stem or "(no vignette)")
    for letter, option in question.options.items():
        mark = " <- gold" if letter == question.gold else ""
        yield quoted(f"{letter}. {neutral_line(option)}{mark}", "bold" if mark else "")
    answer = trace.answer or "nothing parsable"
    yield marked("[dim]{} · {} · sample {} · answered {}[/]", trace.model, trace.arm, trace.sample, answer)


def outcome_line(deliberated: Deliberation) -> Text:
    """Return symbol, outcome, error type, route and reason of a step, in the colour of the outcome."""
    symbol, style = OUTCOME_STYLE[deliberated.verdict.outcome]
    if not deliberated.verdict.claim:
        symbol, style = NO_CLAIM_SYMBOL, "dim"
    return Text(f"{symbol} {one_line(deliberated.verdict)}", style)


def deliberation(deliberated: Deliberation, *, raw: bool, calibrated: bool) -> Iterator[RenderableType]:
    """Yield the parts of one deliberation, the verdict first."""
    verdict = outcome_line(deliberated)
    verdict.append("" if calibrated else " · uncalibrated", "dim")
    yield verdict
    yield Indented(Text(f"{WHY[deliberated.verdict.reason]}; {evidence_line(deliberated.verdict)}"))
    if deliberated.step.label:
        yield Indented(Text(f"human label: {deliberated.step.label}"))
    role = deliberated.step.role.value.replace("_", " ")
    yield marked("\n[bold]step {}[/] · {}", deliberated.step.index + 1, role)
    yield quoted(deliberated.step.text.strip(), "bold")
    if deliberated.case is not None:
        yield from _claims(deliberated)
        yield from _passages(deliberated)
    for opinion in deliberated.opinions:
        yield from _opinion(opinion, raw)
    if deliberated.unasked:
        names = ", ".join(deliberated.unasked)
        yield Text(f"\nnot asked, since nothing they say could change the outcome: {names}", "dim")
    if deliberated.resolution is not None:
        yield from _resolution(deliberated.resolution, raw)
    yield Text(f"\nroute: {' → '.join(deliberated.path)} → verdict", "dim")


def _claims(deliberated: Deliberation) -> Iterator[RenderableType]:
    assert deliberated.case is not None  # noqa: S101 - the caller asked
    evidence = evidence_of_claims(deliberated.case.claims, deliberated.opinions, deliberated.resolution)
    yield marked("\n[bold]claims ({})[/]", len(evidence))
    for entry in evidence:
        state = "both ways" if entry.conflicting else "for" if entry.supported else "against"
        state_text = f"counting evidence {state}" if entry.supported or entry.contradicted else "no counting evidence"
        restates = f", only restates {entry.claim.restates}" if entry.claim.restates else ""
        yield Indented(
            marked("[cyan]{}[/] {} [dim]({}{})[/]", entry.claim.handle, entry.claim.text, state_text, restates)
        )
    if deliberated.case.claims.coverage < 1:
        left_out = ", ".join(deliberated.case.claims.uncovered)
        coverage = f"{deliberated.case.claims.coverage:.0%}"
        yield Indented(marked("[dim]{} of the words are in a claim; not: {}[/]", coverage, left_out))


def _passages(deliberated: Deliberation) -> Iterator[RenderableType]:
    assert deliberated.case is not None  # noqa: S101 - the caller asked
    cited = [c for o in deliberated.opinions for c in o.citations] + list(
        deliberated.resolution.citations if deliberated.resolution else ()
    )
    ranks = {f.passage_id: f for f in deliberated.retrieved}
    yield marked("\n[bold]evidence ({} passages)[/]", len(deliberated.case.passages))
    for passage in (*deliberated.case.passages, *deliberated.further_passages):
        mine = [c for c in cited if c.evidence_id == passage.id]
        head = marked("[cyan]{}[/] {}", passage.id[:8], passage.citation)
        if passage.superseded_by:
            head.append_text(marked(" [red](superseded by {})[/]", passage.superseded_by))
        if passage.trust == "listed":
            head.append(" (listed: nobody vouches for its source)", "yellow")
        if (rank := ranks.get(passage.id)) and rank.is_later:
            head.append(f" (dated {passage.date}, after the question)", "yellow")
        if rank:
            found_for = f", found for {', '.join(rank.claims)}" if rank.claims else ""
            head.append(f"  score {rank.score:.2f}", "dim").append_text(marked("[dim]{}[/]", found_for))
        yield Indented(head)
        body = passage.text.strip()
        text = Text(body) if mine else Text(f"{neutral_line(body[:160])} …", "dim")
        for citation in mine:
            if citation.verified:
                text.highlight_words([citation.quote], style="black on yellow" if citation.counts else "underline")
        yield quoted(text, indent=4)
    if deliberated.case.omitted:
        yield Indented(marked("[dim]left out by the token budget: {}[/]", ", ".join(deliberated.case.omitted)))
    if deliberated.withheld:
        yield Indented(Text(f"withheld, since they give away the question: {len(deliberated.withheld)}", "dim"))


def _opinion(opinion: Opinion, raw: bool) -> Iterator[RenderableType]:
    seat = "" if opinion.seat is Seat.VOTE else f" · {opinion.seat.value}"
    instead = f", in place of {opinion.stands_in_for}" if opinion.stands_in_for else ""
    yield marked("\n[bold]{}[/]{} · {}{}", opinion.judge, seat, opinion.model or "no model", instead)
    if opinion.failed:
        yield Indented(marked("[magenta]failed: {}: {}[/]", opinion.failed.value, opinion.failure))
        return
    kind = f" ({opinion.error_type.value.replace('_', ' ')})" if opinion.error_type else ""
    sure = f", confidence {opinion.confidence:.2f}" if opinion.confidence is not None else ""
    yield Indented(Text(f"{opinion.label}{kind}{sure}, {'grounded' if opinion.grounded else 'not grounded'}", "bold"))
    for search in opinion.searches:
        yield Indented(marked("[cyan]searched: {} ({} passages)[/]", search.query, len(search.hits)))
    for finding in opinion.findings:
        yield Indented(marked("• {}", finding))
    yield from _evidence(opinion)
    if opinion.rationale and opinion.rationale != " ".join(opinion.findings):
        yield quoted(opinion.rationale, "italic")
    if raw:
        yield from _calls(opinion)


def _evidence(of: Opinion | Resolution) -> Iterator[RenderableType]:
    for citation in of.citations:
        yield Indented(_citation(citation))
    for d in of.derivations:
        yield Indented(marked("[green]⊢ {} = {}; the step says {}[/]", d.expression, d.computed, d.claimed))


def _citation(citation: Citation) -> Text:
    style = "green" if citation.counts else "default" if citation.verified else "strike red"
    line = marked(f"[{style}]“{{}}”[/] [cyan]({{}})[/]", citation.quote, evidence_name(citation.evidence_id)[:12])
    if citation.relation is not None:
        line.append_text(marked(" [dim]{} {}[/]", citation.relation.value, citation.claim or "the step"))
    if citation.p is not None:
        line.append(f", checker P = {citation.p:.2f}", "dim")
    line.append(", counts" if citation.counts else ", does not count", "dim")
    if citation.why_not:
        line.append_text(marked(" [dim]({})[/]", citation.why_not))
    return line


def _resolution(resolution: Resolution, raw: bool) -> Iterator[RenderableType]:
    yield marked("\n[bold]resolver[/], {} round(s)", resolution.rounds)
    for query in resolution.queries:
        yield Indented(marked("[cyan]asked retrieval: {}[/]", query))
    if resolution.failed:
        yield Indented(marked("[magenta]failed: {}: {}[/]", resolution.failed.value, resolution.failure))
    elif resolution.label is not None:
        yield Indented(
            Text(f"{resolution.label}, {'grounded' if resolution.grounded else 'no new counting evidence'}", "bold")
        )
    yield from _evidence(resolution)
    if resolution.rationale:
        yield quoted(resolution.rationale, "italic")
    if raw:
        yield from _calls(resolution)


def _calls(of: Opinion | Resolution) -> Iterator[RenderableType]:
    for call in of.calls:
        where = "cache" if call.from_cache else f"{call.latency_s:.2f} s, {call.attempts} attempt(s)"
        tokens = f"{call.prompt_tokens} ({call.cached_tokens} cached) + {call.completion_tokens} tokens"
        head = f"{call.purpose} · {call.endpoint}/{call.model} · {where} · {tokens} · ${call.cost_usd:.5f}"
        yield Indented(marked("[dim]{}[/]", head))
        yield quoted(call.raw if call.raw is not None else f"no reply: {call.error}", "dim", indent=4)
