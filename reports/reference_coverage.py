"""How many claims the references decide, by the panel's checker, beyond what the same search gives by chance."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from tracejury.agents import Relation, cut_by_rule
from tracejury.agents.checkers import LoadedChecker, Pair
from tracejury.reports.missing_topics import MissingTopic, SearchedClaim, missing_topics
from tracejury.retrieval import Finder, Hit, Query, Scorer, claim_queries
from tracejury.traces import Batch, Record, Trace, blind, segment, split_sentences

_SENTENCES = 4
"""Sentences a claim that the checker reads: those nearest to it among its passages."""
_DRAWS = 2000


class CoverageRow(Record):
    """Coverage of one arm, or of one source in all arms."""

    name: str
    claims: int
    questions: int
    decided: float
    """Share of the claims with a sentence that the checker finds to support or to contradict them."""
    swapped: float
    """The same share after each claim's decisive word was replaced by one of another question's claim."""
    foreign: float
    """The same share with the sentences found for another question."""
    above_null: float
    """`decided` less the larger of the two nulls."""
    low: float
    high: float
    """95 % interval of `above_null`, bootstrapped by question."""


class ReferenceCoverage(Record):
    """What a set of references decides."""

    sources: tuple[str, ...]
    rows: tuple[CoverageRow, ...]
    missing: tuple[MissingTopic, ...]
    """What undecided claims are about: first what no passage names, then what some passage names and none decides."""


class _Claim(NamedTuple):
    question: str
    arm: str
    text: str
    swapped: str
    hits: tuple[Hit, ...]
    foreign: tuple[Hit, ...]


class _Result(NamedTuple):
    claim: _Claim
    decided: frozenset[str]
    """Sources of the sentences that decide it."""
    swapped: frozenset[str]
    foreign: frozenset[str]


async def reference_coverage(
    batch: Batch,
    finder: Finder,
    checker: LoadedChecker,
    scorer: Scorer,
    *,
    floor: float = -1.0,
    questions: int | None = None,
    arms: Sequence[str] = (),
    seed: int = 0,
    segmenter: str = "auto",
    report: Callable[[int, int], None] = lambda done, total: None,
) -> ReferenceCoverage:
    """Measure which claims of a batch the references decide.

    Args:
        batch: The traces.
        finder: Finds passages, with the guard against leaks.
        checker: Decides; it must be calibrated and ask no endpoint.
        scorer: Chooses the sentences that the checker reads.
        floor: Sentences that score less are not read, as a panel does not read them.
        questions: A seeded sample of so many questions; None: all.
        arms: Arms to read; empty: all. One trace an arm and question is read, the first sample.
        seed: Of the sample, the swapped words and the foreign passages.
        segmenter: Cuts the traces.
        report: Called with claims done and in all.

    Raises:
        ValueError: The checker is uncalibrated or asks an endpoint.
    """
    if checker.calibration is None or checker.checker.needs_endpoint:
        raise ValueError("coverage needs a calibrated checker without an endpoint, such as `nli`")
    claims = _with_nulls(_claims(batch, finder, questions, arms, seed, segmenter), seed)
    results = []
    for claim in claims:
        results.append(await _result(claim, checker, scorer, floor))
        report(len(results), len(claims))
    names = tuple(dict.fromkeys(claim.arm for claim in claims))
    rows = [_row("all", results, None, seed)]
    rows += [
        _row(f"arm {name}", [r for r in results if r.claim.arm == name], None, seed) for name in names if len(names) > 1
    ]
    rows += [_row(f"source {name}", results, name, seed) for name in finder.sources if len(finder.sources) > 1]
    return ReferenceCoverage(sources=finder.sources, rows=tuple(rows), missing=_missing(results))


def _claims(
    batch: Batch, finder: Finder, most: int | None, arms: Sequence[str], seed: int, segmenter: str
) -> list[_Claim]:
    traces: dict[tuple[str, str], Trace] = {}
    for trace in batch.traces():
        if (not arms or trace.arm in arms) and batch.question(trace.question_id) is not None:
            traces.setdefault((trace.question_id, trace.arm), trace)
    names = sorted({question for question, _ in traces})
    chosen = set(random.Random(seed).sample(names, min(most or len(names), len(names))))
    claims: list[_Claim] = []
    for (name, arm), trace in traces.items():
        question = batch.question(name)
        if name not in chosen or question is None:
            continue
        for step in segment(trace, segmenter).steps:
            text = blind(step.text)
            own = [c for c in cut_by_rule(text, question.stem, ()).claims if c.restates is None]
            queries = claim_queries([(c.handle, c.text) for c in own], question.stem)
            findings = finder.find(
                [Query(text=q.text, step=text, stem=question.stem, explanation=question.explanation) for q in queries]
            )
            claims += [_Claim(name, arm, c.text, "", f.hits, ()) for c, f in zip(own, findings, strict=True)]
    return claims


def _with_nulls(claims: Sequence[_Claim], seed: int) -> list[_Claim]:
    draw = random.Random(seed)
    with_nulls = []
    for claim in claims:
        others = [c for c in claims if c.question != claim.question]
        if not others:
            raise ValueError("coverage needs claims of two questions or more: the nulls come from other questions")
        other = draw.choice(others)
        swapped = claim.text.replace(_decisive(claim.text), _decisive(other.text), 1)
        with_nulls.append(claim._replace(swapped=swapped, foreign=draw.choice(others).hits))
    return with_nulls


def _decisive(text: str) -> str:
    """Return the longest word of a claim, which in medicine names the drug, the finding or the disease."""
    return max(text.split(), key=lambda word: (len(word.strip(".,;:()")), word)).strip(".,;:()") or text


async def _result(claim: _Claim, checker: LoadedChecker, scorer: Scorer, floor: float) -> _Result:
    own = _sentences(claim.text, claim.hits, scorer, floor)
    foreign = _sentences(claim.text, claim.foreign, scorer, floor)
    return _Result(
        claim,
        await _deciding(claim.text, own, checker),
        await _deciding(claim.swapped, own, checker),
        await _deciding(claim.text, foreign, checker),
    )


def _sentences(claim: str, hits: Sequence[Hit], scorer: Scorer, floor: float) -> dict[str, str]:
    """Return sentence -> source, for the sentences nearest to the claim."""
    source_of = {h.passage.text[a:b]: h.passage.source for h in hits for a, b in split_sentences(h.passage.text)}
    scores = scorer.score([(claim, sentence) for sentence in source_of])
    nearest = sorted(zip(scores, source_of, strict=True), reverse=True)[:_SENTENCES]
    return {sentence: source_of[sentence] for score, sentence in nearest if score >= floor}


async def _deciding(claim: str, sentences: Mapping[str, str], checker: LoadedChecker) -> frozenset[str]:
    thresholds = {r: checker.threshold(r, 1) for r in (Relation.SUPPORTS, Relation.CONTRADICTS)}
    answers = await checker.check([Pair(claim, (sentence,)) for sentence in sentences])
    return frozenset(
        source
        for answer, source in zip(answers, sentences.values(), strict=True)
        if any(least is not None and answer.of(relation) >= least for relation, least in thresholds.items())
    )


def _row(name: str, results: Sequence[_Result], source: str | None, seed: int) -> CoverageRow:
    def hit(sources: frozenset[str]) -> bool:
        return bool(sources) if source is None else source in sources

    flags = np.array([[hit(r.decided), hit(r.swapped), hit(r.foreign)] for r in results], dtype=float).reshape(-1, 3)
    questions = sorted({r.claim.question for r in results})
    at = np.array([questions.index(r.claim.question) for r in results], dtype=int)
    sums, sizes = np.zeros((len(questions), 3)), np.bincount(at, minlength=len(questions))
    np.add.at(sums, at, flags)
    picks = np.random.default_rng(seed).integers(0, max(len(questions), 1), (_DRAWS, len(questions)))
    totals = sums[picks].sum(axis=1) / np.maximum(sizes[picks].sum(axis=1), 1)[:, None]
    low, high = np.quantile(totals[:, 0] - totals[:, 1:].max(axis=1), (0.025, 0.975)) if len(results) else (0.0, 0.0)
    decided, swapped, foreign = flags.mean(axis=0) if len(results) else (0.0, 0.0, 0.0)
    return CoverageRow(
        name=name,
        claims=len(results),
        questions=len(questions),
        decided=float(decided),
        swapped=float(swapped),
        foreign=float(foreign),
        above_null=float(decided - max(swapped, foreign)),
        low=float(low),
        high=float(high),
    )


def _missing(results: Sequence[_Result]) -> tuple[MissingTopic, ...]:
    return missing_topics(
        [
            SearchedClaim(
                r.claim.question,
                r.claim.text,
                tuple(f"{h.passage.title}\n{h.passage.text}" for h in r.claim.hits),
                bool(r.decided),
            )
            for r in results
        ]
    )
