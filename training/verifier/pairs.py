"""Make the verifier's pairs (claim, evidence, label) from the corpora and the labelled sets.

    python -m tracejury.training.verifier.pairs ../shared/data PAIRS.jsonl.xz [PAIRS_A_PART]

Every altered sentence serves on both sides, as claim against the original and as evidence against it, and is also
paired with itself: a claim alone says nothing about its label, so the model must compare.
"""

from __future__ import annotations

import json
import lzma
import random
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, get_args

from tracejury.training.verifier.alter import DRUG, OPPOSITE_WORDS, Altered, Diseases, Kind, alter, reword, shorten
from tracejury.training.verifier.documents import Document, documents
from tracejury.training.verifier.restate import restate
from tracejury.training.verifier.tasks import task_pairs

KINDS = get_args(Kind)
# How often each way of making a pair is drawn; the three labels come out near one third each.
_WAYS = {
    "same": 24, "claim": 22, "evidence": 12, "both": 7, "told_twice": 8, "topic": 14, "topic_altered": 4, "around": 11,
    "shorter": 5,
}  # fmt: skip
# What a disease's name ends in: MedQuAD's topics also name organs, tests and habits.
_DISEASE = re.compile(
    r"(?:itis|osis|oma|emia|pathy|plegia|asthma|ism|uria|rrhea|penia|disease|syndrome|cancer|tumors?|disorders?|anemia|"
    r"failure|infections?|deficiency|leukemia|lymphoma|fever|palsy|stroke|diabetes|hypertension|fibrosis|sclerosis|"
    r"dystrophy|gout|flu|pneumonia|measles|rabies|malaria|lupus|anthrax|epilepsy|migraine|cholera|botulism|scabies|"
    r"shingles|attack|hernia|ataxia|dementia|autism|glaucoma|psoriasis|eczema|rosacea|acne|aneurysm|stones)$"
)


class Pair(NamedTuple):
    """`label` is supported, contradicted or not_enough; `kind` says how the pair was made."""

    claim: str
    evidence: str
    label: str
    kind: str
    source: str
    group: str
    part: str


def corpus_pairs(documents_used: Sequence[Document], seed: int, sentences: dict[str, int]) -> Iterator[Pair]:
    """Make pairs from documents.

    Args:
        documents_used: Documents, in any order.
        seed: Of every draw.
        sentences: Part -> how many sentences of it are used; each gives three pairs.
    """
    draw = random.Random(seed)
    counts = Counter(s for d in documents_used for s in set(d.sentences))
    trained = {s for d in documents_used if d.part == "train" for s in d.sentences}
    diseases = Diseases(_disease_names(documents_used))
    drugs = _drug_names(documents_used)
    topics: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    places: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for d, document in enumerate(documents_used):
        for i, sentence in enumerate(document.sentences):
            topics[document.source, document.group].append((d, i))
            # Boilerplate is left out, and what stands in a training document too is not held out.
            usable = 6 <= len(sentence.split()) <= 40 and sentence[-1] in ".!" and counts[sentence] <= 3
            if usable and (document.part == "train" or sentence not in trained):
                places[document.part].append((d, i))
    for part, count in sentences.items():
        chosen = sorted(places[part], key=lambda _: draw.random())[:count]
        used: Counter[str] = Counter()
        for d, i in chosen:
            document = documents_used[d]
            for way in draw.choices(list(_WAYS), weights=list(_WAYS.values()), k=3):
                pair = _make(
                    way, documents_used, d, i, topics[document.source, document.group], draw, drugs, diseases, used
                )
                if pair and pair[0] != pair[1]:
                    yield Pair(*pair, document.source, document.group, part)


def _make(
    way: str,
    documents_used: Sequence[Document],
    d: int,
    i: int,
    topic: Sequence[tuple[int, int]],
    draw: random.Random,
    drugs: Sequence[str],
    diseases: Diseases,
    used: Counter[str],
) -> tuple[str, str, str, str] | None:
    """Return (claim, evidence, label, kind), or None where this way is not open for this sentence."""
    here = documents_used[d].sentences
    true = here[i]
    seed = draw.randrange(2**32)
    # In the words of a reasoning step, where a rule gives them; never in training, so that the report part shows what
    # the model makes of forms that it has not seen.
    restated = restate(true, seed) if documents_used[d].part != "train" and draw.random() < 0.7 else None
    if way == "same":
        short = shorten(true, draw) if restated is None and draw.random() < 0.4 else None
        claim = reword(restated or short or true, draw, 0.3 if restated else 1.0)
        return claim, _window(here, i, true, draw), "supported", "restated" if restated else "true"
    if way == "shorter":
        part = shorten(true, draw)
        return (reword(true, draw, 0.5), part, "not_enough", "detail") if part else None
    if way == "around":
        around = _window(here, i, None, draw)
        return (reword(restated or true, draw), around, "not_enough", "neighbour") if around else None
    if way == "told_twice":
        twin = _twin(documents_used, true, d, topic, draw)
        return (reword(true, draw, 0.5), twin, "supported", "told_twice") if twin else None
    if way == "topic":
        other = _near(documents_used, true, d, topic, draw)
        return (reword(restated or true, draw), other, "not_enough", "same_topic") if other else None
    altered = _alter_any(true, draw, drugs, diseases, used)
    if altered is None:
        return None
    kind, changed = altered
    false = restate(changed.text, seed) if restated else None
    # Where both are restated alike, the change lies outside of what is restated.
    restated, false = (restated, false) if false and false != restated else (None, None)
    if way == "topic_altered":
        other = _near(documents_used, true, d, topic, draw)
        return (reword(false or changed.text, draw), other, "not_enough", "same_topic") if other else None
    if way == "both":
        kind_of_true = "restated" if false else "true"
        return reword(false or changed.text, draw), _window(here, i, changed.text, draw), "supported", kind_of_true
    # Another subject is another claim; another object is a false one.
    subject = kind in ("drug", "disease") and len(true[: changed.at].split()) < 4
    label = "not_enough" if subject else "contradicted"
    name = f"{kind}_subject" if subject else kind
    used[kind] += 1
    if way == "claim":
        return reword(false or changed.text, draw, 0.7), _window(here, i, true, draw), label, name
    return reword(restated or true, draw, 0.7), _window(here, i, changed.text, draw), label, name


def _alter_any(
    text: str, draw: random.Random, drugs: Sequence[str], diseases: Diseases, used: Counter[str]
) -> tuple[Kind, Altered] | None:
    # The kinds that were least used come first: few sentences name a drug, nearly all can be negated.
    for kind in sorted(KINDS, key=lambda k: used[k] + draw.random()):
        changed = alter(kind, text, draw, drugs, diseases)
        if changed:
            return kind, changed
    return None


def _window(here: Sequence[str], i: int, middle: str | None, draw: random.Random) -> str:
    before, after = draw.choice([(0, 0), (0, 0), (0, 0), (1, 0), (0, 1), (1, 1), (2, 1), (1, 2)])
    if middle is None and before + after == 0:
        before, after = 1, 1
    parts = [*here[max(0, i - before) : i], *([middle] if middle else []), *here[i + 1 : i + 1 + after]]
    return " ".join(parts)


def _twin(
    documents_used: Sequence[Document], true: str, d: int, topic: Sequence[tuple[int, int]], draw: random.Random
) -> str | None:
    """Return a sentence of another document on the topic that says the same in other words, near enough to trust."""
    words = content(true)
    for e, j in draw.sample(list(topic), min(150, len(topic))):
        other = documents_used[e].sentences[j]
        theirs = content(other)
        differ = words ^ theirs
        if e == d or other == true or len(words & theirs) < 0.62 * len(words | theirs) or len(words) < 5:
            continue
        if not any(w.isdigit() or w in OPPOSITE_WORDS or DRUG.search(w) for w in differ) and denies(true) == denies(
            other
        ):
            return _window(documents_used[e].sentences, j, other, draw)
    return None


def denies(text: str) -> int:
    """Count the words that deny."""
    return len(
        re.findall(r"\b(?:no|not|cannot|without|never|neither|nor|none|denies|lack|absence)\b|n't", text.lower())
    )


def _near(
    documents_used: Sequence[Document], true: str, d: int, topic: Sequence[tuple[int, int]], draw: random.Random
) -> str | None:
    """Return the window of the same topic that shares most words with `true` without saying it."""
    words = content(true)
    best, most = None, 0.05
    for e, j in draw.sample(list(topic), min(40, len(topic))):
        other = documents_used[e].sentences[j]
        theirs = content(other)
        shared = len(words & theirs) / max(1, len(words | theirs))
        if other != true and most < shared < 0.5 and len(words & theirs) < 0.75 * len(words):
            best, most = (e, j), shared
    if best is None:
        return None
    e, j = best
    window = _window(documents_used[e].sentences, j, documents_used[e].sentences[j], draw)
    return window if true not in window else None


_STOP = frozenset(
    "the a an of to in and or for is are was were be been by with on at from as that this these those it its their"  # noqa: SIM905
    " his her he she they which who may can will not no has have had do does did than then also other such".split()
)


def content(text: str) -> set[str]:
    """Return the words of `text` that carry content, lower case."""
    return {w for w in re.findall(r"[a-z0-9]+", text.lower()) if w not in _STOP}


def _disease_names(documents_used: Sequence[Document]) -> list[str]:
    """Return topics of MedQuAD that sentences name: what can be swapped without being odd."""
    topics = {re.sub(r"\s*\(.*\)", "", d.group).lower() for d in documents_used if d.source == "medquad"}
    topics = {t for t in topics if len(t.split()) <= 3 and t.replace(" ", "").isalpha() and _DISEASE.search(t)}
    text = Counter(w for d in documents_used for s in d.sentences for w in _runs(s))
    return sorted(t for t in topics if text[t] >= 15)


def _runs(sentence: str) -> Iterator[str]:
    words = re.findall(r"[a-z]+", sentence.lower())
    for n in (1, 2, 3):
        yield from (" ".join(words[i : i + n]) for i in range(len(words) - n + 1))


def _drug_names(documents_used: Sequence[Document]) -> list[str]:
    counts = Counter(m[0].lower() for d in documents_used for s in d.sentences for m in DRUG.finditer(s))
    return sorted(name for name, n in counts.items() if n >= 5)


def main(arguments: Iterable[str] = sys.argv[1:]) -> None:
    """Write the pairs."""
    data, out, *size = arguments
    count = int(size[0]) if size else 110_000
    parts = {"train": count, "calibrate": count // 25, "report": count // 15}
    documents_used = list(documents(Path(data)))
    written_pairs: Counter[tuple[str, str, str]] = Counter()
    with lzma.open(out, "wt") as handle:
        for pair in (*corpus_pairs(documents_used, 7, parts), *(Pair(*p) for p in task_pairs(Path(data), 7))):
            written_pairs[pair.part, pair.label, pair.kind] += 1
            handle.write(json.dumps(pair._asdict(), ensure_ascii=False) + "\n")
    for (part, label, kind), n in sorted(written_pairs.items()):
        print(f"{part:10}{label:14}{kind:20}{n:8}")


if __name__ == "__main__":
    main()
