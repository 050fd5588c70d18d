"""What the evidence that a judge cites says against the citation: its strongest sentence for the opposite relation.

A judge picks the sentences that suit it. So P(relation) is multiplied by 1 - P(opposite) of the sentence of the same
evidence that the checker finds most opposed, whether anybody cites that or not.
"""

from __future__ import annotations

from collections.abc import Iterable

from tracejury.agents.derivations import evidence_text
from tracejury.agents.judge_panel import JudgePanel
from tracejury.agents.opinion import draft_citations
from tracejury.agents.quote_reading import read_citations
from tracejury.agents.records import Case, Label, Quote
from tracejury.traces import split_sentences


def sentences_of(case: Case, evidence_ids: Iterable[str], judge_panel: JudgePanel) -> tuple[str, ...]:
    """Return every sentence of this evidence that could be cited, in order.

    Other steps of the trace have no say: what a trace claims elsewhere takes nothing away from a contradiction.
    """
    places = [(i, evidence_text(case, i)) for i in dict.fromkeys(evidence_ids) if not i.startswith("step:")]
    quotes = [
        Quote(evidence_id=evidence_id, quote=text[start:end])
        for evidence_id, text in places
        if text is not None
        for start, end in split_sentences(text)
    ]
    drafted = draft_citations(quotes, Label.SUPPORTED)
    read = read_citations(case, drafted, judge_panel.relevance, judge_panel.panel.relevance.floor)
    return tuple(dict.fromkeys(citation.sentence for citation in read if citation.why_not is None))
