"""What grounds an opinion: quotes that stand in citable evidence and bear on the step."""

from __future__ import annotations

from collections.abc import Sequence

from tracejury.agents.derivations import evidence_text
from tracejury.agents.judge_panel import JudgePanel
from tracejury.agents.records import Case, Citation, Label, Quote
from tracejury.retrieval import check_quote
from tracejury.traces import ErrorType


def check_quotes(
    case: Case, quotes: Sequence[Quote], label: Label | None, error_type: ErrorType | None, judge_panel: JudgePanel
) -> tuple[Citation, ...]:
    """Check every quote: does it stand in its evidence, does it bear on the step, and may it ground this label?

    A passage and the vignette may ground `supported` and `error`. Another step may ground one thing alone, an `error`
    of the type `contradicts_step`: a trace that agrees with itself shows nothing, and what it says elsewhere is no
    authority on medicine. The judged step grounds nothing.
    """
    texts = [evidence_text(case, q.evidence_id) for q in quotes]
    checks = [check_quote(q.quote, text) if text is not None else None for q, text in zip(quotes, texts, strict=True)]
    verified = [i for i, check in enumerate(checks) if check is not None and check.verified]
    scores: dict[int, float] = {}
    if verified and judge_panel.relevance is not None:
        scored = judge_panel.relevance.score([(case.step, quotes[i].quote) for i in verified])
        scores = dict(zip(verified, map(float, scored), strict=True))
    sources = {p.id: p for p in case.passages}
    citations = []
    for i, (quote, check) in enumerate(zip(quotes, checks, strict=True)):
        passage = sources.get(quote.evidence_id)
        why_not: str | None
        if check is None:
            why_not = "the case has no such evidence"
        elif not check.verified:
            why_not = check.why_not
        else:
            claim = (label, error_type)
            why_not = _not_grounding(case, quote, claim, scores.get(i), judge_panel.panel.relevance.floor)
        citations.append(
            Citation(
                evidence_id=quote.evidence_id,
                source=passage.source if passage else "",
                citation=passage.citation if passage else "",
                quote=quote.quote,
                verified=i in verified,
                start=check.start if check and check.verified else None,
                end=check.end if check and check.verified else None,
                relevance=scores.get(i),
                grounds=why_not is None,
                why_not=why_not,
            )
        )
    return tuple(citations)


def _not_grounding(
    case: Case, quote: Quote, claim: tuple[Label | None, ErrorType | None], score: float | None, floor: float
) -> str | None:
    """Return why a verified quote does not ground the label and error type all the same; None: it does."""
    if claim[0] not in (Label.SUPPORTED, Label.ERROR):
        return "nothing to ground: the label is not a verdict"
    if quote.evidence_id == f"step:{case.step_index}":
        return "the step cannot show its own truth"
    if quote.evidence_id.startswith("step:") and claim != (Label.ERROR, ErrorType.CONTRADICTS_STEP):
        return "another step can show a contradiction with it, and nothing else"
    if score is None:
        return "no relevance scorer: nothing shows that the quote bears on the step"
    if score < floor:
        return f"relevance {score:.2f} is below the floor of {floor:.2f}"
    return None
