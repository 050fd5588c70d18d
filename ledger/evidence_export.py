"""The evidence that a run's citations quote, so that every quote can be checked again without the ledger."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from tracejury.agents import Deliberation, evidence_text
from tracejury.ledger.runs import Run
from tracejury.ledger.writer import Ledger


def write_evidence(ledger: Ledger, run: Run, path: Path) -> int:
    """Write every piece of evidence that is cited, once, as JSON lines, and return how many.

    A passage has `evidence_id`, source, title, citation, URL, licence and text, and `step_id` null; the vignette or an
    earlier step has the `step_id` of the step in whose case it stood, and its text as the judges saw it.
    """
    written: set[tuple[str, str | None]] = set()
    with path.open("w", encoding="utf-8") as file:
        for trace, _, _ in ledger.traces(run):
            for deliberation in ledger.deliberations(run, trace.id):
                for name, step_id, body in _cited(deliberation):
                    if (name, step_id) not in written:
                        written.add((name, step_id))
                        line = {"evidence_id": name, "step_id": step_id, **body}
                        file.write(json.dumps(line, ensure_ascii=False) + "\n")
    return len(written)


def _cited(deliberation: Deliberation) -> Iterator[tuple[str, str | None, dict[str, str | None]]]:
    case, resolution = deliberation.case, deliberation.resolution
    passages = {p.id: p for p in (*(case.passages if case else ()), *deliberation.further_passages)}
    citations = [c for o in deliberation.opinions for c in o.citations]
    if resolution is not None:
        citations += resolution.citations
    for name in dict.fromkeys(c.evidence_id for c in citations):
        if passage := passages.get(name):
            yield name, None, {
                "source": passage.source, "title": passage.title, "citation": passage.citation, "url": passage.url,
                "license": passage.license, "text": passage.text,
            }  # fmt: skip
        elif case is not None and (text := evidence_text(case, name)) is not None:
            yield name, deliberation.step.id, {"source": name.partition(":")[0], "text": text}
