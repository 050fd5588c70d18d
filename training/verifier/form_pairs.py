"""Pairs of hard negatives: a corpus sentence as the claim, and evidence that names its topic without asserting it."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from tracejury.training.verifier.alter import reword
from tracejury.training.verifier.documents import Document
from tracejury.training.verifier.foreign import ForeignSentences
from tracejury.training.verifier.hard_negatives import FORMS
from tracejury.training.verifier.pairs import Pair
from tracejury.training.verifier.real_pairs import window


def form_pairs(
    documents: Sequence[Document], foreign: ForeignSentences, part: str, count: int, seed: int, trained: bool
) -> Iterator[Pair]:
    """Draw sentences of `part` and pair each with two of the forms and, as a control, with itself.

    Args:
        documents: Documents of every part.
        foreign: Where the nearest sentence of another document comes from.
        part: Of the documents drawn from.
        count: Sentences to draw.
        seed: Of every draw.
        trained: Use the forms of training; else those that are for measuring only.
    """
    draw = random.Random(seed)
    places = [
        (d, i)
        for d, document in enumerate(documents)
        if document.part == part and document.source != "medec"
        for i, s in enumerate(document.sentences)
        if 7 <= len(s.split()) <= 40 and s[-1] in ".!"
    ]
    places = draw.sample(places, min(count, len(places)))
    forms = [form for form in FORMS if form.trained is trained]
    near = foreign.nearest([documents[d].sentences[i] for d, i in places], [documents[d].group for d, i in places], 3)
    for (d, i), others in zip(places, near, strict=True):
        document = documents[d]
        true = document.sentences[i]
        rest = (document.source, document.group, part)
        open_forms = [(form, text) for form in forms if (text := form.make(true, draw)) and text != true]
        draw.shuffle(open_forms)
        # Rare forms first: any sentence can be framed, few compare.
        open_forms.sort(key=lambda f: f[0].name in ("whether", "denied", "hypothesis", "myth", "heading"))
        for form, text in open_forms[:2]:
            neighbour = document.sentences[i - 1] if i and draw.random() < 0.3 else ""
            yield Pair(reword(true, draw, 0.5), f"{neighbour} {text}".strip(), form.label, form.name, *rest)
            if draw.random() < 0.3 and form.name not in ("heading", "lead-in", "whether", "hypothesis"):
                yield Pair(text, reword(text, draw, 0.3), "supported", f"{form.name} itself", *rest)
        for e, j in draw.sample(others, min(1, len(others))):
            text = window(foreign.documents[e], j, draw)
            yield Pair(reword(true, draw, 0.5), text, "not_enough", "nearest of another document", *rest)
        yield Pair(reword(true, draw, 0.8), window(document.sentences, i, draw), "supported", "true", *rest)
