"""What a deliberation rests on: every piece of evidence with the quotes of it that were checked, marked in place."""

from __future__ import annotations

from typing import NamedTuple

from tracejury.agents import Citation, Deliberation
from tracejury.console.viewer.marks import Mark, Piece, pieces
from tracejury.retrieval import Passage


class EvidenceBlock(NamedTuple):
    """One piece of evidence."""

    id: str
    anchor: str
    title: str
    passage: Passage | None
    """None: the vignette or an earlier step."""
    pieces: list[Piece]
    size: int
    """Characters."""
    quotes: int
    score: float | None
    by_resolver: bool
    is_later: bool
    """Whether the passage is dated after the question."""


def cited(deliberation: Deliberation) -> list[Citation]:
    """Return every citation of the deliberation, the resolver's last."""
    own = [c for opinion in deliberation.opinions for c in opinion.citations]
    return own + list(deliberation.resolution.citations if deliberation.resolution else ())


def exhibits(deliberation: Deliberation) -> list[EvidenceBlock]:
    """Return the evidence, what was quoted first."""
    if deliberation.case is None:
        return []
    case = deliberation.case
    texts: list[tuple[str, str, str, Passage | None, bool]] = []
    texts += [(p.id, p.citation or p.title, p.text, p, False) for p in case.passages]
    texts += [(p.id, p.citation or p.title, p.text, p, True) for p in deliberation.further_passages]
    if case.stem.strip():
        texts.append(("vignette", "The vignette", case.stem, None, False))
    texts += [(f"step:{c.index}", f"Step {c.index + 1}", c.text, None, False) for c in case.context]
    quoted = cited(deliberation)
    scores = {f.passage_id: f.score for f in deliberation.retrieved}
    later_ids = {f.passage_id for f in deliberation.retrieved if f.is_later}
    made_of = []
    for name, title, text, passage, by_resolver in texts:
        mine = [c for c in quoted if c.evidence_id == name and c.verified]
        if name.startswith("step:") and not mine:
            continue
        marks = [Mark(*_where(c, text), "grounds" if c.counts else "verified") for c in mine]
        made_of.append(
            EvidenceBlock(
                name,
                anchor(name),
                title,
                passage,
                pieces(text, marks),
                len(text),
                len(mine),
                scores.get(name),
                by_resolver,
                name in later_ids,
            )
        )
    return sorted(made_of, key=lambda e: (not e.quotes, e.passage is None))


def anchor(evidence_id: str) -> str:
    """Return the evidence's name as an HTML id."""
    return "e-" + "".join(c if c.isalnum() else "-" for c in evidence_id)


def _where(citation: Citation, text: str) -> tuple[int, int]:
    if citation.start is not None and citation.end is not None:
        return citation.start, citation.end
    at = text.find(citation.quote)
    return (at, at + len(citation.quote)) if at >= 0 else (0, 0)
