"""What a judge's quote is before any checker reads it: do the words stand there, as a statement that may be cited?"""

from __future__ import annotations

from collections.abc import Sequence

from tracejury.agents.contracts import Relevance
from tracejury.agents.derivations import evidence_text
from tracejury.agents.evidence_records import Relation
from tracejury.agents.records import Case, Citation
from tracejury.retrieval import Passage, Trust, check_quote, read_statement

NOT_A_VERDICT = "nothing to ground: the label is not a verdict"


def read_citations(
    case: Case, citations: Sequence[Citation], relevance: Relevance | None, floor: float
) -> list[Citation]:
    """Look every quote up in its evidence and widen it to the sentence that it stands in.

    A passage and the vignette may support and contradict. Another step may contradict alone: a trace that agrees with
    itself shows nothing, and what it says elsewhere is no authority on medicine. The judged step is no evidence.

    Args:
        case: The case that the judge had.
        citations: Its quotes, as drafted.
        relevance: Scores how near a sentence is to the step; None: no filter, every statement goes to the checker.
        floor: Sentences that score less are not worth the checker's time.

    Returns:
        The citations with what is known of their words; `why_not` is None where the checker is to decide.
    """
    read = [_read(case, citation) for citation in citations]
    candidates = [i for i, citation in enumerate(read) if citation.why_not is None]
    if relevance is None or not candidates:
        return read
    scores = relevance.score([(case.step, read[i].sentence) for i in candidates])
    for i, score in zip(candidates, map(float, scores), strict=True):
        why_not = f"relevance {score:.2f} is below the floor of {floor:.2f}" if score < floor else None
        read[i] = read[i].model_copy(update={"relevance": score, "why_not": why_not})
    return read


def _read(case: Case, citation: Citation) -> Citation:
    text = evidence_text(case, citation.evidence_id)
    if text is None:
        return citation.model_copy(update={"why_not": "the case has no such evidence"})
    check = check_quote(citation.quote, text)
    if not check.verified or check.start is None or check.end is None:
        return citation.model_copy(update={"why_not": check.why_not})
    statement = read_statement(text, check.start, check.end)
    passage = next((p for p in case.passages if p.id == citation.evidence_id), None)
    return citation.model_copy(
        update={
            "verified": True,
            "start": check.start,
            "end": check.end,
            "sentence": statement.text,
            "source": passage.source if passage else "",
            "citation": passage.citation if passage else "",
            "superseded": passage is not None and passage.superseded_by is not None,
            "why_not": statement.why_not or _not_citable(case, citation) or _not_vouched_for(passage),
        }
    )


def _not_citable(case: Case, citation: Citation) -> str | None:
    if citation.relation is None:
        return NOT_A_VERDICT
    if citation.evidence_id == f"step:{case.step_index}":
        return "the step cannot show its own truth"
    if citation.evidence_id.startswith("step:") and citation.relation is not Relation.CONTRADICTS:
        return "another step can show a contradiction with it, and nothing else"
    return None


def _not_vouched_for(passage: Passage | None) -> str | None:
    if passage is None or passage.trust is Trust.FULL:
        return None
    return f"nobody vouches for its source {passage.source!r}: `tracejury index build ... --trust full`"
