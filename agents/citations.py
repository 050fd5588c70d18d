"""Checking citations: the panel's checker decides whether what a judge quotes stands in the relation it asserts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tracejury.agents.cases import with_searches
from tracejury.agents.checkers import GroupCount, LoadedChecker, Pair, Probabilities, count_group, pairs_to_score
from tracejury.agents.checkers.contracts import CheckerAsk
from tracejury.agents.english_only import language_of_case
from tracejury.agents.evidence_records import Claim, Relation
from tracejury.agents.judge_panel import JudgePanel, most_citations
from tracejury.agents.opposition import sentences_of
from tracejury.agents.quote_reading import read_citations
from tracejury.agents.records import Case, Citation, Opinion
from tracejury.models import CallRecord
from tracejury.retrieval import check_quote, denied_by, denies, framed_by, other_figure
from tracejury.storage import run_in_thread
from tracejury.traces import other_language

_UNCALIBRATED = "the checker is uncalibrated and grounds nothing: `tracejury quality calibrate --checker`"


_GroupKey = tuple[str, str, Relation]
"""Judge, claim, relation asserted."""


class CheckedCitations(NamedTuple):
    """The citations of several judges after the check, and what the check cost."""

    by_judge: dict[str, tuple[Citation, ...]]
    calls: tuple[CallRecord, ...]


async def check_citations(
    case: Case, drafted: Mapping[str, Sequence[Citation]], judge_panel: JudgePanel
) -> CheckedCitations:
    """Check what judges cite on one case.

    The sentences that one judge cites for one claim, with one relation, are read together; those of different judges
    are never joined. The checker sees a claim and sentences: neither label nor judge. All pairs of the case go to it at
    once, so that a checker that asks a model costs one call.

    Args:
        case: The case, with its claims.
        drafted: Judge name -> its quotes, as `draft_citations` makes them.
        judge_panel: The panel, with its checker; without one nothing counts.

    Raises:
        CallFailed: The checker's model gave no usable reply; nothing is known of the citations then.
    """
    relevance, floor = judge_panel.relevance, judge_panel.panel.relevance.floor

    def read_all() -> dict[str, list[Citation]]:
        return {name: read_citations(case, citations, relevance, floor) for name, citations in drafted.items()}

    read = await run_in_thread(read_all)
    checker = judge_panel.checker
    if checker is None or not any(c.why_not is None for citations in read.values() for c in citations):
        return CheckedCitations({name: tuple(citations) for name, citations in read.items()}, ())
    if checker.checker.english_only:
        read = _without_other_languages(case, read)
    ask = judge_panel.ask_checker(case.trace_id)
    claims = {claim.handle: claim for claim in case.claims.claims}
    placed = _without_turned(await _on_claims(case, read, checker, ask), claims)
    groups = _groups(placed)
    pairs = [
        pair
        for (name, handle, _), positions in groups.items()
        for pair in pairs_to_score(claims[handle].text, [placed[name][i].sentence for i in positions])
    ]
    answers = await _answers(checker, pairs, ask)
    most = most_citations(judge_panel.panel)
    thresholds = {relation: checker.threshold(relation, most) for relation in Relation}
    counts = {}
    for (name, handle, relation), positions in groups.items():
        sentences = [placed[name][i].sentence for i in positions]
        count = count_group(claims[handle].text, sentences, relation, answers.__getitem__, thresholds[relation])
        counts[name, handle, relation] = count._replace(counting=tuple(positions[i] for i in count.counting))
    discounted = {key: count for key, count in counts.items() if checker.discounts(key[2])}
    opposition = await _opposition(case, placed, discounted, judge_panel, ask)
    for key, count in counts.items():
        name, handle, relation = key
        p, threshold = count.p * (1 - opposition.get(key, 0.0)), thresholds[relation]
        for i in groups[key]:
            counting = i in count.counting and threshold is not None and p >= threshold
            placed[name][i] = _decided(
                placed[name][i], claims[handle], p, threshold, opposition.get(key, 0.0), counts=counting
            )
    by_judge = {name: tuple(citations) for name, citations in placed.items()}
    return CheckedCitations(by_judge, tuple(ask.calls) if ask else ())


async def _opposition(
    case: Case,
    placed: Mapping[str, Sequence[Citation]],
    counts: Mapping[_GroupKey, GroupCount],
    judge_panel: JudgePanel,
    ask: CheckerAsk | None,
) -> dict[_GroupKey, float]:
    """Return P(opposite) of the most opposed sentence of the evidence of every group that would count."""
    claims = {claim.handle: claim.text for claim in case.claims.claims}
    pairs: dict[_GroupKey, list[Pair]] = {}
    for (name, handle, relation), count in counts.items():
        if count.counting:
            evidence_ids = [placed[name][i].evidence_id for i in count.counting]
            sentences = await run_in_thread(sentences_of, case, evidence_ids, judge_panel)
            pairs[name, handle, relation] = [Pair(claims[handle], (sentence,)) for sentence in sentences]
    checker = judge_panel.checker
    distinct = list(dict.fromkeys(pair for each in pairs.values() for pair in each))
    answers = await _answers(checker, distinct, ask) if checker is not None else {}
    return {key: max((answers[pair].of(key[2].opposite) for pair in each), default=0.0) for key, each in pairs.items()}


def _decided(
    citation: Citation, claim: Claim, p: float, threshold: float | None, opposition: float, *, counts: bool
) -> Citation:
    why_not = None
    if threshold is None:
        why_not = _UNCALIBRATED
    elif p < threshold:
        why_not = f"the checker finds P({citation.relation}) = {p:.2f}, below {threshold:.2f}"
        if opposition > 0:
            why_not += f", since a sentence of the same evidence says the opposite with {opposition:.2f}"
    elif not counts:
        why_not = "it adds nothing to the other sentences that the judge cites for the claim"
    elif citation.relation is Relation.SUPPORTS and denies(citation.sentence, claim.text) is False:
        # Silence does not show that a finding is absent.
        why_not = "the claim denies a finding, and the sentence does not say that it is absent"
    return citation.model_copy(update={"p": p, "counts": why_not is None, "why_not": why_not})


def _without_other_languages(case: Case, read: Mapping[str, Sequence[Citation]]) -> dict[str, list[Citation]]:
    """Refuse citations that a checker of English cannot read, and say which language they are in."""
    language = language_of_case(case)

    def refused(citation: Citation) -> Citation:
        foreign = language or other_language(citation.sentence)
        if citation.why_not is not None or foreign is None:
            return citation
        place = "the step or its question" if language else "the evidence"
        return citation.model_copy(update={"why_not": f"the checker reads English, and {place} is in {foreign}"})

    return {name: [refused(citation) for citation in citations] for name, citations in read.items()}


def _without_turned(placed: Mapping[str, Sequence[Citation]], claims: Mapping[str, Claim]) -> dict[str, list[Citation]]:
    """Refuse support by sentences that cannot give it before groups are read, or they would lift the others."""
    checked: dict[str, list[Citation]] = {}
    for name, citations in placed.items():
        checked[name] = [
            c.model_copy(update={"why_not": _turned(c.sentence, claims[c.claim].text)})
            if c.why_not is None and c.relation is Relation.SUPPORTS and c.claim is not None and c.claim in claims
            else c
            for c in citations
        ]
    return checked


def _turned(sentence: str, claim: str) -> str | None:
    """Return why a sentence cannot support a claim, whatever a model says of them."""
    if (denial := denied_by(sentence, claim)) is not None:
        return f"the sentence denies what the claim states: {denial!r}"
    if (frame := framed_by(sentence, claim)) is not None:
        return f"the sentence does not assert what the claim states: {frame!r}"
    if (figure := other_figure(sentence, claim)) is not None:
        return f"the sentence has {figure} with another bound or unit"
    return None


async def _on_claims(
    case: Case, read: Mapping[str, Sequence[Citation]], checker: LoadedChecker, ask: CheckerAsk | None
) -> dict[str, list[Citation]]:
    """Put each citation on the claim that it names, or else on the one that it bears on most."""
    allowed = {
        (name, i): _claims_for(case, citation)
        for name, citations in read.items()
        for i, citation in enumerate(citations)
        if citation.why_not is None
    }
    texts = {claim.handle: claim.text for claim in case.claims.claims}
    open_choices = {key: handles for key, handles in allowed.items() if len(handles) > 1}
    pairs = [Pair(texts[h], (read[n][i].sentence,)) for (n, i), handles in open_choices.items() for h in handles]
    answers = await _answers(checker, pairs, ask)
    placed = {name: list(citations) for name, citations in read.items()}
    for (name, i), handles in allowed.items():
        citation = placed[name][i]
        if not handles:
            why_not = "the words stand in the step, in no claim that the citation names"
            placed[name][i] = citation.model_copy(update={"why_not": why_not})
            continue
        relation = citation.relation or Relation.SILENT
        best = (
            max(handles, key=lambda h: answers[Pair(texts[h], (citation.sentence,))].of(relation))
            if (len(handles) > 1)
            else handles[0]
        )
        placed[name][i] = citation.model_copy(update={"claim": best})
    return placed


def _claims_for(case: Case, citation: Citation) -> tuple[str, ...]:
    """Return the claims that a citation may stand for.

    Words that also stand in the step show nothing but the claim that contains them: a true sentence of the vignette,
    put before a wrong one, grounds itself alone.
    """
    claims = case.claims.claims
    in_step = check_quote(citation.quote, case.step)
    if in_step.verified and in_step.start is not None and in_step.end is not None:
        start, end = in_step.start, in_step.end
        claims = tuple(c for c in claims if c.start < end and start < c.end)
    named = tuple(c.handle for c in claims if c.handle == citation.claim)
    return named if citation.claim is not None else tuple(c.handle for c in claims)


def _groups(placed: Mapping[str, Sequence[Citation]]) -> dict[_GroupKey, list[int]]:
    """Return (judge, claim, relation) -> positions of the judge's citations that are to be checked."""
    groups: dict[_GroupKey, list[int]] = defaultdict(list)
    for name, citations in placed.items():
        for i, citation in enumerate(citations):
            if citation.why_not is None and citation.claim is not None and citation.relation is not None:
                groups[name, citation.claim, citation.relation].append(i)
    return groups


async def _answers(checker: LoadedChecker, pairs: Sequence[Pair], ask: CheckerAsk | None) -> dict[Pair, Probabilities]:
    return dict(zip(pairs, await checker.check(pairs, ask), strict=True)) if pairs else {}


async def check_opinions(
    case: Case, opinions: Sequence[Opinion], judge_panel: JudgePanel
) -> tuple[tuple[Opinion, ...], tuple[CallRecord, ...]]:
    """Return the opinions with their citations checked, and the checker's model calls.

    Raises:
        CallFailed: The checker's model gave no usable reply.
    """
    checked = await check_citations(
        with_searches(case, opinions), {o.judge: o.citations for o in opinions}, judge_panel
    )
    return tuple(o.model_copy(update={"citations": checked.by_judge[o.judge]}) for o in opinions), checked.calls
