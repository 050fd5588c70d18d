"""The judge `verifier`: sentence against sentence, with a small trained model and no LLM (docs/verifier-card.md)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from tracejury.agents.claims.cutting import cut_by_rule
from tracejury.agents.contracts import Ask
from tracejury.agents.entailment import Entailed, Entailment, entailment
from tracejury.agents.records import Case, Draft, Label, Quote
from tracejury.storage import run_in_thread
from tracejury.traces import ErrorType, split_sentences

CONTRADICTED = 0.95
SUPPORTED = 0.95
"""Thresholds from the calibration part of the split (docs/verifier-card.md, 'Thresholds'): precision first."""

_ENUMERATOR = re.compile(r"^\s*(?:step\s*\d+\s*[:.)-]|\d{1,2}[.)]|[-*•])\s*", re.I)
_WORD = re.compile(r"[a-z0-9]+(?:\.\d+)?")
_STOP = frozenset(
    "the a an of to in and or for is are was were be been by with on at from as that this these those it its their his"  # noqa: SIM905
    " her he she they which who may can will would should could has have had do does did than then there also".split()
)


class EvidenceSentence(NamedTuple):
    """A sentence that can be quoted."""

    evidence_id: str
    text: str


class ReadPair(NamedTuple):
    """One sentence of the step against one sentence of the evidence."""

    claim: str
    evidence: EvidenceSentence
    entailed: Entailed


class Verifier:
    """Holds every sentence of the step against the sentences of the passages, the vignette and the other steps.

    `error` where one sentence is contradicted, `supported` where each is supported, `unclear` otherwise: silence of the
    evidence is not support, and a step is no better than its weakest sentence.

    Args:
        contradicted: Least probability of a contradiction.
        supported: Least probability of support, for every sentence of the step.
        candidates: Sentences of the evidence that are read for each sentence of the step: those with most words in
            common with it.
    """

    kind = "verifier"
    english_only = True
    summary = "small entailment model: each sentence against passages and vignette; needs no LLM"
    needs_endpoint = False

    def __init__(self, contradicted: float = CONTRADICTED, supported: float = SUPPORTED, candidates: int = 12) -> None:
        self.contradicted, self.supported, self.candidates = contradicted, supported, candidates

    async def draft(self, case: Case, ask: Ask | None = None) -> Draft:
        """Judge the step; see `Judge`."""
        return await run_in_thread(self._draft, case)

    def _draft(self, case: Case) -> Draft:
        claims = claims_of(case.step)
        if not claims:
            return Draft(label=Label.NO_CLAIM, rationale="no sentence of the step has words to check")
        pairs_read = read(claims, evidence_of(case), self.candidates, entailment())
        against = max(pairs_read, key=lambda f: f.entailed.contradicted, default=None)
        if against and against.entailed.contradicted >= self.contradicted:
            return Draft(
                label=Label.ERROR,
                error_type=_error_type(against.evidence.evidence_id),
                findings=(f"contradicted: {against.claim}",),
                quotes=(Quote(evidence_id=against.evidence.evidence_id, quote=against.evidence.text),),
                rationale=_rationale(pairs_read, claims),
                confidence=against.entailed.contradicted,
            )
        best = best_support(pairs_read, claims)
        weakest = min(_support(f) for f in best.values())
        if weakest >= self.supported:
            quotes = {(f.evidence.evidence_id, f.evidence.text): None for f in best.values() if f is not None}
            return Draft(
                label=Label.SUPPORTED,
                findings=tuple(f"supported: {claim}" for claim in claims),
                quotes=tuple(Quote(evidence_id=name, quote=text) for name, text in quotes),
                rationale=_rationale(pairs_read, claims),
                confidence=weakest,
            )
        return Draft(label=Label.UNCLEAR, rationale=_rationale(pairs_read, claims))


class VerifierScorer:
    """The model as a scorer of relevance: 1 - P(not enough), how much a quote decides the claim either way."""

    name = "verifier"

    def score(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """Score (claim, quote) pairs from 0 to 1: the claim's best sentence counts."""
        flat = [(i, claim, quote) for i, (text, quote) in enumerate(pairs) for claim in claims_of(text) or [text]]
        scores = [0.0] * len(pairs)
        for (i, _, _), entailed in zip(flat, entailment().score([(c, q) for _, c, q in flat]), strict=True):
            scores[i] = max(scores[i], 1 - entailed.not_enough)
        return scores


def claims_of(step: str) -> list[str]:
    """Return the step's sentences that state something in at least three words of content, without enumerators.

    Whole sentences and not their clauses: the thresholds were fitted on sentences.
    """
    step = _ENUMERATOR.sub("", step)
    claims = cut_by_rule(step, "", ()).claims
    stated = [(a, b) for a, b in split_sentences(step) if any(c.start < b and a < c.end for c in claims)]
    cut = [" ".join(step[start:end].split()) for start, end in stated]
    return list(dict.fromkeys(s for s in cut if len(content(s)) >= 3 and not s.endswith("?")))


def evidence_of(case: Case) -> list[EvidenceSentence]:
    """Return the sentences of the case that may be quoted: passages, vignette, other steps."""
    texts = [(p.id, p.text) for p in case.passages]
    texts += [("vignette", case.stem)] if case.stem.strip() else []
    texts += [(f"step:{s.index}", s.text) for s in case.context]
    cut = [EvidenceSentence(name, text[start:end]) for name, text in texts for start, end in split_sentences(text)]
    # A question or a heading asserts nothing.
    return [t for t in cut if len(content(t.text)) >= 3 and not t.text.rstrip().endswith("?")]


def read(
    claims: Sequence[str], evidence: Sequence[EvidenceSentence], candidates: int, model: Entailment
) -> list[ReadPair]:
    """Score each claim against the evidence sentences that share most words of content with it.

    A sentence that shares no word is not read: the model has nothing to compare.
    """
    words = [content(t.text) for t in evidence]
    pairs: list[tuple[str, EvidenceSentence]] = []
    for claim in claims:
        claim_words = content(claim)
        shared = [
            (len(claim_words & theirs) / (len(theirs) ** 0.5), -i)
            for i, theirs in enumerate(words)
            if claim_words & theirs
        ]
        pairs += [(claim, evidence[-i]) for _, i in sorted(shared, reverse=True)[:candidates]]
    scores = model.score([(claim, sentence.text) for claim, sentence in pairs])
    return [ReadPair(claim, sentence, entailed) for (claim, sentence), entailed in zip(pairs, scores, strict=True)]


def content(text: str) -> set[str]:
    """Return the words of `text` that carry content, lower case."""
    return {w for w in _WORD.findall(text.lower()) if w not in _STOP}


def best_support(pairs_read: Sequence[ReadPair], claims: Sequence[str]) -> dict[str, ReadPair | None]:
    """Return the finding that supports each claim most; passages and vignette only.

    A step that repeats an earlier step is not supported by it.
    """
    outside = [f for f in pairs_read if not f.evidence.evidence_id.startswith("step:")]
    return {c: max((f for f in outside if f.claim == c), key=_support, default=None) for c in claims}


def _support(finding: ReadPair | None) -> float:
    return finding.entailed.supported if finding else 0.0


def _error_type(evidence_id: str) -> ErrorType:
    if evidence_id == "vignette":
        return ErrorType.CONTRADICTS_VIGNETTE
    return ErrorType.CONTRADICTS_STEP if evidence_id.startswith("step:") else ErrorType.FACTUAL


def _rationale(pairs_read: Sequence[ReadPair], claims: Sequence[str]) -> str:
    if not pairs_read:
        return "no sentence of the evidence shares a word with the step"
    against = max(f.entailed.contradicted for f in pairs_read)
    weakest = min(_support(f) for f in best_support(pairs_read, claims).values())
    return f"{len(pairs_read)} pairs read; strongest contradiction {against:.3f}, weakest support {weakest:.3f}"
