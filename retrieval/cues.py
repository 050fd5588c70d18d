"""Words that turn, weaken or bound what stands beside them, with their scope: `cues.yaml`, compiled."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from enum import StrEnum
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, NamedTuple

import yaml

_APOSTROPHES = str.maketrans(dict.fromkeys("\u2019\u2018`\u00b4\u02bc\uff07", "'"))


class Scope(StrEnum):
    """How far a word reaches to its right."""

    CLAUSE = "clause"
    PHRASE = "phrase"
    HEDGE = "hedge"
    CONTRAST = "contrast"
    FRAME = "frame"


class Cue(NamedTuple):
    """One occurrence in a text; `words` as the text has them."""

    scope: Scope
    start: int
    end: int
    words: str


def folded(text: str) -> str:
    """Return the text in lower case with plain apostrophes, character for character."""
    if text.isascii():
        return text.lower().replace("`", "'")
    lower = "".join(c if len(c.lower()) != 1 else c.lower() for c in text)
    return lower.translate(_APOSTROPHES)


def cues_in(text: str) -> Iterator[Cue]:
    """Yield every word of denial, warning, hedging or framing of a text, in order.

    Double negatives that affirm (`not only`, `no doubt`) and names (`gluten-free`) are none, nor is NO, nitric oxide.
    """
    plain = without_exempt(text)
    for match in _forward().finditer(plain):
        scope = Scope(match.lastgroup or "")
        if text[match.start() : match.end()] == "NO" and not text.isupper() and _is_nitric_oxide(plain, match.end()):
            continue
        yield Cue(scope, match.start(), match.end(), text[match.start() : match.end()])


def _is_nitric_oxide(plain: str, end: int) -> bool:
    following = re.match(r"\s+(\w+)", plain[end:])
    return "nitric" in plain or (following is not None and following[1] in word_set("auxiliary", "verb"))


@lru_cache(maxsize=1024)
def without_exempt(text: str) -> str:
    """Return the folded text with phrases that only look like cues blanked out."""
    return pattern("exempt").sub(lambda m: "_" * len(m[0]), folded(text))


def foreign_negations(text: str) -> Iterator[tuple[int, int]]:
    """Yield the offsets of negations of other languages than English, where the text shows that it is in one."""
    plain = folded(text)
    for marks, sure, unsure in _languages():
        yield from ((m.start(), m.end()) for m in sure.finditer(plain))
        if marks and unsure and len(set(marks.findall(plain))) >= 2:
            yield from ((m.start(), m.end()) for m in unsure.finditer(plain))


@cache
def cue_data() -> dict[str, Any]:
    """Return `cues.yaml`."""
    data: dict[str, Any] = yaml.safe_load(files("tracejury.retrieval").joinpath("cues.yaml").read_text("utf-8"))
    return data


@cache
def pattern(name: str) -> re.Pattern[str]:
    """Return one list of `cues.yaml` as a pattern of whole words."""
    return re.compile(_words(cue_data()[name]))


@cache
def heading_pattern(name: str) -> re.Pattern[str]:
    """Return the words of headings that turn what stands below them (`frame`, `items`)."""
    return re.compile(_words(cue_data()["heading"][name]))


@cache
def word_set(*names: str) -> frozenset[str]:
    """Return the words of these lists of `cues.yaml`."""
    words: set[str] = set()
    for name in names:
        data = cue_data()[name]
        words.update(data.split() if isinstance(data, str) else data)
    return frozenset(words)


@cache
def crosses() -> re.Pattern[str]:
    """Return the hand-drawn marks for `no`."""
    return re.compile("|".join(cue_data()["crosses"]))


@cache
def ticks() -> re.Pattern[str]:
    """Return the hand-drawn marks for `yes`."""
    return re.compile("|".join(cue_data()["ticks"]))


@cache
def _forward() -> re.Pattern[str]:
    # Frames first: `no evidence that` is more than `no`.
    order = (Scope.FRAME, Scope.CONTRAST, Scope.CLAUSE, Scope.HEDGE, Scope.PHRASE)
    return re.compile("|".join(f"(?P<{scope}>{_words(cue_data()[scope])})" for scope in order))


@cache
def _languages() -> list[tuple[re.Pattern[str] | None, re.Pattern[str], re.Pattern[str] | None]]:
    """Return the marks, the sure and the unsure negations of each language."""
    return [
        (_listed(words, "marks"), re.compile(_negations(name, words["sure"])), _listed(words, "unsure"))
        for name, words in cue_data()["languages"].items()
    ]


def _listed(words: dict[str, list[str]], name: str) -> re.Pattern[str] | None:
    return re.compile(_words(words[name])) if words[name] else None


def _negations(language: str, words: Sequence[str]) -> str:
    # These write no spaces between words.
    return "|".join(words) if language == "Chinese and Japanese" else _words(words)


def _words(alternatives: Sequence[str]) -> str:
    return rf"(?<!\w)(?:{'|'.join(alternatives)})(?!\w)"
