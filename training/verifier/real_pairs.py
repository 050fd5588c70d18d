"""Training pairs from labelled claims: their own abstract in several excerpts, and evidence that is silent on them.

Every claim, also the altered and the hallucinated ones, stands beside foreign evidence (not enough) and beside itself
in other words (supported), so that neither the wording of a claim nor the topic of its evidence tells the label.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence

from tracejury.training.verifier.alter import Diseases, alter, reword
from tracejury.training.verifier.excerpts import deciding, groups, silent
from tracejury.training.verifier.foreign import ForeignSentences, likeness
from tracejury.training.verifier.hard_negatives import FORMS
from tracejury.training.verifier.labelled import Abstract, LabelledClaim
from tracejury.training.verifier.pairs import Pair

_ADVICE = re.compile(r"\b(?:further|future|should|warrant|need|recommend|studies are|registration)\b", re.I)
_DENIED = next(form for form in FORMS if form.name == "denied")
_COMPARED = next(form for form in FORMS if form.name == "comparison")


def labelled_pairs(claims: Sequence[LabelledClaim], foreign: ForeignSentences, seed: int) -> Iterator[Pair]:
    """Pairs of labelled claims, each claim in two wordings."""
    draw = random.Random(seed)
    near = foreign.nearest([c.claim for c in claims], [c.group for c in claims], 6)
    for labelled, places in zip(claims, near, strict=True):
        rows: list[tuple[str, str, str, str]] = []
        for strength in (0.0, 0.5):
            claim = reword(labelled.claim, draw, strength) if strength else labelled.claim
            if labelled.source == "scifact":
                rows += _rationale(claim, labelled, foreign, places, draw)
            else:
                own = deciding(labelled.claim, labelled.abstract, draw)
                rows += [(claim, text, labelled.label, f"{labelled.source} {name}") for name, text in own.items()]
                opening = silent(labelled.claim, labelled.abstract)
                rows += [(claim, opening, "not_enough", "opening")] if opening else []
            rows += [(claim, text, "not_enough", kind) for kind, text in _foreign(foreign, places, draw)]
        rows.append((labelled.claim, "", "not_enough", "empty"))
        own_words = f"{reword(labelled.claim, draw)} {draw.choice(labelled.abstract.sentences)}"
        rows.append((labelled.claim, own_words, "supported", "own words"))
        for claim, text, label, kind in rows:
            yield Pair(claim, text, label, kind, labelled.source, labelled.group, labelled.part)


def crossed_answers(claims: Sequence[LabelledClaim], seed: int) -> Iterator[Pair]:
    """A true answer beside the hallucinated one to the same question, and the other way round: neither supports."""
    draw = random.Random(seed)
    answers: dict[str, list[LabelledClaim]] = {}
    for labelled in claims:
        if labelled.source == "medhallu":
            answers.setdefault(labelled.group, []).append(labelled)
    for one, other in (pair for pair in answers.values() if len(pair) == 2):
        for claim, evidence in ((one, other), (other, one)):
            text = (
                f"{evidence.claim} {draw.choice(claim.abstract.sentences)}" if draw.random() < 0.5 else evidence.claim
            )
            yield Pair(claim.claim, text, "not_supported", "crossed", "medhallu", one.group, claim.part)


def conclusion_pairs(claims: Sequence[LabelledClaim], foreign: ForeignSentences, seed: int) -> Iterator[Pair]:
    """Pairs of authors' conclusions with their own results: as they are, altered, and beside foreign evidence."""
    draw = random.Random(seed)
    claims = [c for c in claims if not _ADVICE.search(c.claim) and max(likeness(c.claim, c.abstract.sentences)) > 0.7]
    near = foreign.nearest([c.claim for c in claims], [c.group for c in claims], 4)
    for labelled, places in zip(claims, near, strict=True):
        own = deciding(labelled.claim, labelled.abstract, draw)
        changed = _altered(labelled.claim, draw)
        rows = []
        for name in draw.sample(sorted(own), 3):
            rows.append((reword(labelled.claim, draw, 0.6), own[name], "supported", f"conclusion {name}"))
            if changed:
                rows.append((reword(changed, draw, 0.6), own[name], "contradicted", f"conclusion altered {name}"))
        opening = silent(labelled.claim, labelled.abstract)
        wordings = [labelled.claim, *([changed] if changed else [])]
        for wording in wordings:
            rows += [(wording, text, "not_enough", kind) for kind, text in _foreign(foreign, places, draw)[:2]]
            rows += [(wording, opening, "not_enough", "opening")] if opening else []
        if changed:
            end = draw.choice(labelled.abstract.sentences)
            rows.append((reword(changed, draw, 0.6), f"{end} {changed}", "supported", "conclusion altered itself"))
            rows.append((reword(labelled.claim, draw, 0.6), changed, "contradicted", "conclusion altered evidence"))
        for claim, text, label, kind in rows:
            yield Pair(claim, text, label, kind, labelled.source, labelled.group, labelled.part)


def closing_claims(labelled: Sequence[LabelledClaim]) -> Iterator[LabelledClaim]:
    """Conclusions of abstracts as claims about the rest of them."""
    for abstract, one in {c.abstract: c for c in labelled}.items():
        rest = [i for i in range(len(abstract.sentences)) if i not in abstract.closing]
        if abstract.closing and len(rest) > 3:
            opening = frozenset(k for k, i in enumerate(rest) if i in abstract.opening)
            body = Abstract(tuple(abstract.sentences[i] for i in rest), opening)
            for i in sorted(abstract.closing):
                yield LabelledClaim(abstract.sentences[i], body, "supported", one.source, one.group, one.part)


def unlabelled_pairs(claims: Sequence[LabelledClaim], foreign: ForeignSentences, seed: int) -> Iterator[Pair]:
    """Claims beside single sentences and groups of two or three, whose label a teacher gives."""
    draw = random.Random(seed)
    near = foreign.nearest([c.claim for c in claims], [c.group for c in claims], 8)
    for labelled, places in zip(claims, near, strict=True):
        changed = _altered(labelled.claim, draw)
        wordings = [reword(labelled.claim, draw, 0.4), *([changed] if changed else [])]
        runs = groups(labelled.abstract.sentences)
        scores = likeness(labelled.claim, runs)
        ordered = sorted(runs, key=dict(zip(runs, scores, strict=True)).__getitem__, reverse=True)
        for wording in wordings:
            chosen = [*ordered[:5], *draw.sample(ordered[5:], min(4, len(ordered[5:])))]
            chosen += [window(foreign.documents[d], i, draw) for d, i in draw.sample(places, min(3, len(places)))]
            for text in chosen:
                yield Pair(wording, text, "unlabelled", "group", labelled.source, labelled.group, labelled.part)


def window(sentences: Sequence[str], i: int, draw: random.Random) -> str:
    """Return sentence `i`, half of the time with one or two of its neighbours."""
    before, after = draw.choice(((0, 0), (0, 0), (0, 0), (1, 0), (0, 1), (1, 1)))
    return " ".join(sentences[max(0, i - before) : i + 1 + after])


def _rationale(
    claim: str,
    labelled: LabelledClaim,
    foreign: ForeignSentences,
    places: Sequence[tuple[int, int]],
    draw: random.Random,
) -> list[tuple[str, str, str, str]]:
    text = " ".join(labelled.abstract.sentences)
    d, i = draw.choice(places)
    beside = foreign.documents[d][i]
    mixed = f"{beside} {text}" if draw.random() < 0.5 else f"{text} {beside}"
    rows = [(claim, text, labelled.label, "scifact"), (claim, text, labelled.label, "scifact")]
    return [*rows, (claim, mixed, labelled.label, "scifact beside foreign")]


def _foreign(
    foreign: ForeignSentences, places: Sequence[tuple[int, int]], draw: random.Random
) -> list[tuple[str, str]]:
    rows = []
    for d, i in draw.sample(places, 2):
        rows.append(("foreign nearest", window(foreign.documents[d], i, draw)))
    d, i = draw.choice(places)
    rows.append(("foreign document", " ".join(foreign.documents[d][max(0, i - 5) : i + 4])))
    other = draw.choice(foreign.documents)
    if other:
        rows.append(("foreign random", " ".join(other[-draw.choice((1, 2, 3, 8)) :])))
    return rows


def _altered(claim: str, draw: random.Random) -> str | None:
    for kind in draw.sample(("comparison", "negation", "direction", "number", "denied"), 5):
        if kind in ("comparison", "denied"):
            changed = (_COMPARED if kind == "comparison" else _DENIED).make(claim, draw)
        else:
            altered = alter(kind, claim, draw, (), Diseases(()))  # type: ignore[arg-type]
            changed = altered.text if altered else None
        if changed and changed != claim:
            return changed
    return None
