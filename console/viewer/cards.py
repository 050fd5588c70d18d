"""One deliberation as a card to keep or to send: a self-contained HTML page, or Markdown."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

from tracejury.agents import Deliberation
from tracejury.console.neutral import neutral, neutral_line
from tracejury.console.viewer.evidence import cited
from tracejury.console.wording import WHY, evidence_line, evidence_name, one_line
from tracejury.ledger import Run
from tracejury.traces import Question, Trace

_MARKDOWN = re.compile(r"([\\\\`*_{}\[\]<>#|~!])")


def digest(deliberation: Deliberation) -> str:
    """Return the SHA-256 of the deliberation as the ledger keeps it."""
    return hashlib.sha256(deliberation.model_dump_json().encode()).hexdigest()


def markdown_card(run: Run, question: Question, trace: Trace, deliberation: Deliberation, note: str = "") -> str:
    """Return the card as Markdown; texts from outside are escaped and quoted."""
    return "\n".join(_lines(run, question, trace, deliberation, note)) + "\n"


def _lines(run: Run, question: Question, trace: Trace, deliberation: Deliberation, note: str) -> Iterator[str]:
    verdict = deliberation.verdict
    yield f"## Step {deliberation.step.index + 1}: {_plain(one_line(verdict))}"
    yield f"\n{_quote(deliberation.step.text)}\n"
    yield f"{WHY[verdict.reason]}; {evidence_line(verdict)}.\n"
    votes = [(o.judge, o.label.value if o.label else "failed", o.grounded) for o in deliberation.opinions]
    yield "Votes: " + " | ".join(f"{_plain(name)} {label}{' (grounded)' if g else ''}" for name, label, g in votes)
    for opinion in deliberation.opinions:
        if opinion.rationale:
            yield f"\n**{_plain(opinion.judge)}**\n\n{_quote(opinion.rationale)}"
    quotes = [c for c in cited(deliberation) if c.verified]
    if quotes:
        yield "\n### Evidence\n"
    for c in quotes:
        state = "counts" if c.counts else f"does not count: {_plain(c.why_not or '')}"
        relation = f"{c.relation.value} {_plain(c.claim or 'the step')}, " if c.relation else ""
        mark = "**" if c.counts else ""
        source = c.citation or evidence_name(c.evidence_id)
        yield f"- {mark}“{_plain(c.quote)}”{mark} ({relation}{state}): {_plain(source)}"
    if note:
        yield f"\n### Note\n\n{_quote(note)}"
    yield f"\n### Question {_plain(question.key or question.id)}\n\n{_quote(question.stem)}\n"
    yield from (f"- {_plain(letter)}. {_plain(text)}" for letter, text in question.options.items())
    yield f"\n{_plain(trace.arm)}, {_plain(trace.model)}, answered {_plain(trace.answer or 'nothing parsable')}."
    yield f"\nRun {_plain(run.name)} ({run.id}), panel {_plain(run.panel.name)}, step {deliberation.step.id},"
    yield f"trace {trace.id}, sha256 {digest(deliberation)}. Verdict of a jury of models, not medical advice."


def _plain(text: str) -> str:
    return _MARKDOWN.sub(r"\\\1", neutral_line(text))


def _quote(text: str) -> str:
    return "\n".join("> " + _MARKDOWN.sub(r"\\\1", neutral(line)) for line in text.strip().split("\n"))
