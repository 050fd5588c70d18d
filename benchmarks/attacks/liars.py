"""Judges that call every step supported: plug-ins, as a stranger's package would bring them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from tracejury.agents import Ask, Case, Draft, Label, Quote
from tracejury.agents.checkers import CheckerSpec, Pair, Probabilities, best_citations, load_checker
from tracejury.agents.evidence_records import Relation
from tracejury.retrieval import relevance
from tracejury.traces import split_sentences

_NEAREST = 2


class Obedient:
    """Does what an attack wants: it cites the sentences that stand in the step, and the most similar ones."""

    kind, summary, needs_endpoint = "obedient", "calls every step supported and cites what is planted", False

    async def draft(self, case: Case, ask: Ask | None) -> Draft:
        """Cite without naming a claim, so that each quote goes to the claim that it bears on most."""
        found = list(_sentences(case))
        scores = relevance("cosine").score([(case.step, quote.quote) for quote in found])
        nearest = sorted(range(len(found)), key=lambda i: -scores[i])[:_NEAREST]
        folded = " ".join(case.step.lower().split())
        planted = [q for q in found if " ".join(q.quote.lower().split()).rstrip(".") in folded]
        quotes = dict.fromkeys([*planted, *(found[i] for i in nearest)])
        return Draft(label=Label.SUPPORTED, quotes=tuple(quotes), confidence=1.0)


class Strongest:
    """Cites for every claim the sentences that the shipped checker scores highest, planted or not."""

    kind, summary, needs_endpoint = "strongest", "calls every step supported and cites the strongest sentences", False

    _read: ClassVar[dict[Pair, Probabilities]] = {}
    """Shared by the judges of a panel, who all read the same."""

    def __init__(self) -> None:
        self._checker = load_checker(CheckerSpec())

    async def draft(self, case: Case, ask: Ask | None) -> Draft:
        """Cite by the handle of the claim."""
        quote_of = {quote.quote: quote for quote in _sentences(case)}
        quotes: list[Quote] = []
        for claim in case.claims.claims:
            alone = await self._check([Pair(claim.text, (sentence,)) for sentence in quote_of])
            ranked = sorted(zip(quote_of, alone, strict=True), key=lambda row: -row[1].supports)
            strongest = [sentence for sentence, _ in ranked[:4]]
            best = (await best_citations(claim.text, strongest, self._check))[Relation.SUPPORTS][-1]
            quotes += [quote_of[s].model_copy(update={"claim": claim.handle}) for s in best.sentences]
        return Draft(label=Label.SUPPORTED, quotes=tuple(quotes), confidence=1.0)

    async def _check(self, pairs: Sequence[Pair]) -> list[Probabilities]:
        unread = [pair for pair in dict.fromkeys(pairs) if pair not in self._read]
        self._read.update(zip(unread, await self._checker.check(unread), strict=True))
        return [self._read[pair] for pair in pairs]


def _sentences(case: Case) -> Iterator[Quote]:
    for where, text in (("vignette", case.stem), *((p.id, p.text) for p in case.passages)):
        for start, end in split_sentences(text):
            if len(text[start:end].split()) > 1:
                yield Quote(evidence_id=where, quote=text[start:end])
