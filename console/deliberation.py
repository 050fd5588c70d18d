"""A deliberation on the terminal: the step, what was cited with the quoted words marked, opinions, resolver, outcome.

All text of traces, passages and replies goes through `Text`, never through Rich's markup: a trace cannot style, link or
forge the screen.
"""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel as Box
from rich.rule import Rule
from rich.text import Text

from tracejury.agents import Citation, Deliberation, Opinion, Outcome, Resolution, Seat, evidence_of_claims
from tracejury.console.wording import SYMBOL, WHY, evidence_line, one_line
from tracejury.traces import Question, Trace

OUTCOME_STYLE = {
    Outcome.SUPPORTED: (SYMBOL[Outcome.SUPPORTED], "green"),
    Outcome.ERROR: (SYMBOL[Outcome.ERROR], "bold red"),
    Outcome.ABSTAINED: (SYMBOL[Outcome.ABSTAINED], "yellow"),
    Outcome.FAILED: (SYMBOL[Outcome.FAILED], "magenta"),
}


def heading(question: Question, trace: Trace) -> RenderableType:
    """Return vignette, options and what the trace answered."""
    body = Text(question.stem or "(no vignette)")
    for letter, option in question.options.items():
        mark = " ◀ gold" if letter == question.gold else ""
        body.append(f"\n  {letter}. {option}{mark}", style="bold" if mark else "")
    answered = Text(
        f"{trace.model} · {trace.arm} · sample {trace.sample} · answered {trace.answer or 'nothing parsable'}"
    )
    return Box(
        body,
        title=f"question {question.key or question.id}",
        subtitle=answered,
        title_align="left",
        subtitle_align="left",
    )


def deliberation(deliberated: Deliberation, *, raw: bool, calibrated: bool) -> Iterator[RenderableType]:
    """Yield the parts of one deliberation, in the order in which it happened."""
    symbol, style = OUTCOME_STYLE[deliberated.verdict.outcome]
    yield Rule(Text(f"step {deliberated.step.index} · {deliberated.step.role.value.replace('_', ' ')}"), align="left")
    yield Padding(Text(deliberated.step.text.strip(), style="bold"), (0, 2))
    if deliberated.case is not None:
        yield from _claims(deliberated)
        yield from _passages(deliberated)
    for opinion in deliberated.opinions:
        yield _opinion(opinion, raw)
    if deliberated.unasked:
        yield Text(
            f"not asked, since nothing they say could change the outcome: {', '.join(deliberated.unasked)}", style="dim"
        )
    if deliberated.resolution is not None:
        yield _resolution(deliberated.resolution, raw)
    lines = Text(f"{symbol} {one_line(deliberated.verdict)}\n", style=style)
    lines.append(WHY[deliberated.verdict.reason], style="default")
    lines.append(f"\n{evidence_line(deliberated.verdict)}", style="default")
    lines.append(f"\n{' → '.join(deliberated.path)} → verdict", style="dim")
    if deliberated.step.label:
        lines.append(f"\nhuman label: {deliberated.step.label}", style="default")
    yield Box(lines, title="verdict" if calibrated else "verdict (uncalibrated)", title_align="left")


def _claims(deliberated: Deliberation) -> Iterator[RenderableType]:
    assert deliberated.case is not None  # noqa: S101 - the caller asked
    evidence = evidence_of_claims(deliberated.case.claims, deliberated.opinions, deliberated.resolution)
    yield Text(f"\nclaims ({len(evidence)})", style="bold")
    for entry in evidence:
        state = "both ways" if entry.conflicting else "for" if entry.supported else "against"
        state_text = f"counting evidence {state}" if entry.supported or entry.contradicted else "no counting evidence"
        line = Text(f"  {entry.claim.handle} ", style="cyan")
        line.append(entry.claim.text, style="default")
        restates = f", only restates {entry.claim.restates}" if entry.claim.restates else ""
        yield line.append(f" ({state_text}{restates})", style="dim")
    if deliberated.case.claims.coverage < 1:
        left_out = ", ".join(deliberated.case.claims.uncovered)
        yield Text(
            f"  {deliberated.case.claims.coverage:.0%} of the words are in a claim; not: {left_out}", style="dim"
        )


def _passages(deliberated: Deliberation) -> Iterator[RenderableType]:
    assert deliberated.case is not None  # noqa: S101 - the caller asked
    cited = [c for o in deliberated.opinions for c in o.citations] + list(
        deliberated.resolution.citations if deliberated.resolution else ()
    )
    ranks = {f.passage_id: f for f in deliberated.retrieved}
    yield Text(f"\nevidence ({len(deliberated.case.passages)} passages)", style="bold")
    for passage in (*deliberated.case.passages, *deliberated.further_passages):
        mine = [c for c in cited if c.evidence_id == passage.id]
        text = Text(
            passage.text.strip() if mine else passage.text.strip()[:160] + " …", style="default" if mine else "dim"
        )
        for citation in mine:
            if citation.verified:
                text.highlight_words([citation.quote], style="black on yellow" if citation.counts else "underline")
        head = Text(f"{passage.id[:8]} ", style="cyan")
        head.append(passage.citation)
        if passage.superseded_by:
            head.append(f" (superseded by {passage.superseded_by})", style="red")
        if passage.trust == "listed":
            head.append(" (listed: nobody vouches for its source)", style="yellow")
        rank = ranks.get(passage.id)
        if rank:
            claims = f", found for {', '.join(rank.claims)}" if rank.claims else ""
            head.append(f"  score {rank.score:.2f}{claims}", style="dim")
        yield Padding(Group(head, Padding(text, (0, 0, 0, 2))), (0, 2))
    if deliberated.case.omitted:
        yield Text(f"  left out by the token budget: {', '.join(deliberated.case.omitted)}", style="dim")
    if deliberated.withheld:
        yield Text(f"  withheld, since they give away the question: {len(deliberated.withheld)}", style="dim")


def _opinion(opinion: Opinion, raw: bool) -> RenderableType:
    seat = "" if opinion.seat is Seat.VOTE else f" · {opinion.seat.value}"
    title = Text(f"{opinion.judge}{seat} · {opinion.model or 'no model'}")
    if opinion.failed:
        return Box(
            Text(f"failed: {opinion.failed.value}: {opinion.failure}", style="magenta"), title=title, title_align="left"
        )
    kind = f" ({opinion.error_type.value.replace('_', ' ')})" if opinion.error_type else ""
    sure = f", confidence {opinion.confidence:.2f}" if opinion.confidence is not None else ""
    body = Text(f"{opinion.label}{kind}{sure}, {'grounded' if opinion.grounded else 'not grounded'}\n", style="bold")
    for search in opinion.searches:
        body.append(f"searched: {search.query} ({len(search.hits)} passages)\n", style="cyan")
    for finding in opinion.findings:
        body.append(f"• {finding}\n", style="default")
    for citation in opinion.citations:
        body.append_text(_citation(citation))
    for derivation in opinion.derivations:
        body.append(
            f"⊢ {derivation.expression} = {derivation.computed}; the step says {derivation.claimed}\n", style="green"
        )
    if opinion.rationale and opinion.rationale != " ".join(opinion.findings):
        body.append(opinion.rationale, style="default italic")
    if raw:
        body.append_text(_calls(opinion))
    body.rstrip()
    return Box(body, title=title, title_align="left")


def _citation(citation: Citation) -> Text:
    line = Text("  ")
    line.append(
        f"“{citation.quote}”", style="green" if citation.counts else "default" if citation.verified else "strike red"
    )
    line.append(f" [{citation.evidence_id[:12]}]", style="cyan")
    if citation.relation is not None:
        line.append(f" {citation.relation.value} {citation.claim or 'the step'}", style="dim")
    if citation.p is not None:
        line.append(f", checker P = {citation.p:.2f}", style="dim")
    if citation.why_not:
        line.append(f" ({citation.why_not})", style="dim")
    return line.append("\n")


def _resolution(resolution: Resolution, raw: bool) -> RenderableType:
    body = Text()
    for query in resolution.queries:
        body.append(f"asked retrieval: {query}\n", style="cyan")
    if resolution.failed:
        body.append(f"failed: {resolution.failed.value}: {resolution.failure}\n", style="magenta")
    elif resolution.label is not None:
        body.append(
            f"{resolution.label}, {'grounded' if resolution.grounded else 'no new counting evidence'}\n", style="bold"
        )
    for citation in resolution.citations:
        body.append_text(_citation(citation))
    for derivation in resolution.derivations:
        body.append(
            f"⊢ {derivation.expression} = {derivation.computed}; the step says {derivation.claimed}\n", style="green"
        )
    if resolution.rationale:
        body.append(resolution.rationale, style="italic")
    if raw:
        body.append_text(_calls(resolution))
    body.rstrip()
    return Box(body, title=f"resolver, {resolution.rounds} round(s)", title_align="left", border_style="cyan")


def _calls(of: Opinion | Resolution) -> Text:
    body = Text()
    for call in of.calls:
        where = "cache" if call.from_cache else f"{call.latency_s:.2f} s, {call.attempts} attempt(s)"
        tokens = f"{call.prompt_tokens} ({call.cached_tokens} cached) + {call.completion_tokens} tokens"
        body.append(
            f"\n{call.purpose} · {call.endpoint}/{call.model} · {where} · {tokens} · ${call.cost_usd:.5f}\n",
            style="dim",
        )
        body.append(call.raw if call.raw is not None else f"no reply: {call.error}", style="dim")
    return body
