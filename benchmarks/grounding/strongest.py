"""The strongest citations that anybody could draw from a case, and what becomes of them in the product's check."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tracejury.agents import (
    Case,
    Claim,
    ClaimSet,
    JudgePanel,
    JudgeSpec,
    Label,
    Opinion,
    Panel,
    Quote,
    Relation,
    RelevanceSpec,
    check_opinions,
    draft_citations,
)
from tracejury.agents.checkers import LoadedChecker, Pair, Probabilities, best_citations
from tracejury.agents.quote_reading import read_citations
from tracejury.retrieval import Passage, relevance
from tracejury.traces import split_sentences

LABEL_OF = {Relation.SUPPORTS: Label.SUPPORTED, Relation.CONTRADICTS: Label.ERROR}
JUDGES = ("a", "b", "c")
POOL = 4
"""Sentences that groups are made of: all groups of four are 14 texts, of twelve 298."""


class Citable(NamedTuple):
    """A whole sentence of the case that may be cited for a relation."""

    quote: Quote
    sentence: str


def jury_panel(checker: LoadedChecker | None) -> JudgePanel:
    """Return a panel of three voting judges with this checker and the shipped first filter."""
    judges = tuple(JudgeSpec(name=name, judge="scripted") for name in JUDGES)
    panel = Panel(name="benchmark", judges=judges, relevance=RelevanceSpec())
    return JudgePanel(panel, relevance=relevance(panel.relevance.scorer), checker=checker)


def case_of(claim: str, evidence: str, name: str) -> Case:
    """Return a case with one claim, which is the whole step, and one passage."""
    passages = (Passage(source="benchmark", title="evidence", text=evidence, citation="benchmark", license="none"),)
    claims = ClaimSet(claims=(Claim(handle="C1", text=claim, start=0, end=len(claim)),))
    return Case(
        step_id=name,
        trace_id=name,
        stem="",
        step_index=0,
        step=claim,
        claims=claims,
        passages=passages if evidence.strip() else (),
    )


def citable(case: Case, relation: Relation, judge_panel: JudgePanel) -> list[Citable]:
    """Return every sentence of the case that reaches the checker when it is cited for `relation`."""
    places = [("vignette", case.stem), *((p.id, p.text) for p in case.passages)]
    if relation is Relation.CONTRADICTS:
        places += [(f"step:{step.index}", step.text) for step in case.context]
    quotes = [Quote(evidence_id=where, quote=text[a:b]) for where, text in places for a, b in split_sentences(text)]
    drafted = draft_citations(quotes, LABEL_OF[relation])
    read = read_citations(case, drafted, judge_panel.relevance, judge_panel.panel.relevance.floor)
    return [Citable(quote, c.sentence) for quote, c in zip(quotes, read, strict=True) if c.why_not is None]


async def strongest_quotes(
    case: Case, relation: Relation, judge_panel: JudgePanel, pool: int = POOL
) -> tuple[Quote, ...]:
    """Return, for each claim of the case, the group of up to three sentences that the checker scores highest.

    Every sentence is read alone; groups are made of the `pool` sentences that are strongest alone, all of them. Where
    the relation is discounted, they are sentences of the evidence whose strongest one has most left.
    """
    checker = judge_panel.checker
    sentences = citable(case, relation, judge_panel)
    if checker is None or not sentences:
        return ()
    first_of = {c.sentence: c.quote for c in reversed(sentences)}

    async def check(pairs: Sequence[Pair]) -> list[Probabilities]:
        return await checker.check(pairs)

    quotes: list[Quote] = []
    for claim in case.claims.claims:
        alone = await check([Pair(claim.text, (sentence,)) for sentence in first_of])
        p_of = dict(zip(first_of, alone, strict=True))
        if checker.discounts(relation):
            p_of = _of_least_opposed(p_of, {s: quote.evidence_id for s, quote in first_of.items()}, relation)
        strongest = sorted(p_of, key=lambda sentence: -p_of[sentence].of(relation))[:pool]
        best = (await best_citations(claim.text, strongest, check))[relation][-1]
        named = {"claim": claim.handle, "relation": relation}
        quotes += [first_of[sentence].model_copy(update=named) for sentence in best.sentences]
    return tuple(quotes)


def _of_least_opposed(
    p_of: dict[str, Probabilities], place_of: dict[str, str], relation: Relation
) -> dict[str, Probabilities]:
    """Return the sentences of the evidence whose strongest sentence has most left after the discount."""
    opposed: dict[str, float] = {}
    for sentence, p in p_of.items():
        place = place_of[sentence]
        opposed[place] = 0.0 if place.startswith("step:") else max(opposed.get(place, 0.0), p.of(relation.opposite))
    best = place_of[max(p_of, key=lambda s: p_of[s].of(relation) * (1 - opposed[place_of[s]]))]
    return {sentence: p for sentence, p in p_of.items() if place_of[sentence] == best}


async def checked(
    case: Case, relation: Relation, quotes: Sequence[Quote], judge_panel: JudgePanel, confidence: float = 0.8
) -> Opinion:
    """Return the checked opinion of a judge that asserts `relation` with these quotes."""
    label = LABEL_OF[relation]
    drafted = Opinion(
        judge=JUDGES[0],
        kind="scripted",
        label=label,
        citations=draft_citations(quotes, label),
        confidence=confidence,
    )
    ((opinion,), _) = await check_opinions(case, (drafted,), judge_panel)
    return opinion
