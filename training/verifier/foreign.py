"""The nearest sentences of other documents: evidence on the topic of a claim that does not speak to it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer


class ForeignSentences:
    """Nearest sentences by TF-IDF, those of the claim's own group left out.

    Args:
        sentences: One list of sentences a document.
        groups: The group of each document; evidence of a claim's own group is never foreign.
    """

    def __init__(self, sentences: Sequence[Sequence[str]], groups: Sequence[str]) -> None:
        self.places = [(d, i) for d, document in enumerate(sentences) for i in range(len(document))]
        self.documents, self.groups = sentences, groups
        names = {group: i for i, group in enumerate(dict.fromkeys(groups))}
        self._names = names
        self._group = np.array([names[groups[d]] for d, _ in self.places])
        self._words = TfidfVectorizer(sublinear_tf=True, stop_words="english", dtype=np.float32)
        self._matrix = self._words.fit_transform([sentences[d][i] for d, i in self.places]).T.tocsr()

    def nearest(self, claims: Sequence[str], groups: Sequence[str], count: int) -> list[list[tuple[int, int]]]:
        """Return (document, sentence) of the `count` nearest foreign sentences of each claim, nearest first.

        At most one sentence a document; a sentence that shares nearly all weight with the claim (cosine over .8) may
        say the same and is left out.
        """
        nearest: list[list[tuple[int, int]]] = []
        for start in range(0, len(claims), 256):
            likeness = (self._words.transform(claims[start : start + 256]) @ self._matrix).toarray()
            for row, group in zip(likeness, groups[start : start + 256], strict=True):
                row[(self._group == self._names.get(group, -1)) | (row > 0.8)] = -1
                places: dict[int, tuple[int, int]] = {}
                best = np.argpartition(-row, 6 * count)[: 6 * count]
                for at in best[np.argsort(-row[best])]:
                    d, i = self.places[at]
                    places.setdefault(d, (d, i))
                nearest.append(list(places.values())[:count])
        return nearest


def likeness(claim: str, sentences: Sequence[str]) -> list[float]:
    """Share of the claim's words that each sentence holds, long sentences discounted."""
    words = _words(claim)
    return [len(words & _words(s)) / (4 + len(_words(s))) ** 0.5 for s in sentences]


def _words(text: str) -> set[str]:
    return {w.strip(".,;:()[]%").removesuffix("s") for w in text.lower().split() if len(w) > 2}
