"""Words of content and the words that qualify them: numbers with units, negation, comparison, modality, condition."""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from typing import NamedTuple

import Stemmer

from tracejury.agents.claims.vocabulary import word_list
from tracejury.agents.data_judge.quantities import quantities

_STEMMER = Stemmer.Stemmer("english")
_TOKEN = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+(?:['\u2019](?!s\b)[^\W\d_]+)*")
_STOP = word_list("stop")
_NEGATIONS = re.compile(
    r"\b(?:not|no|never|neither|nor|none|without|cannot|nothing|nobody|nowhere|absent|absence|den(?:y|ies"
    r"|ied|ying)|lacks?"
    r"|lacked|lacking|negative|fails?|failed|rul(?:e|es|ed|ing) out|exclud(?:e|es|ed|ing)|free of|non"
    r"|except|avoid(?:s|ed)?"
    r"|contraindicat\w+|incorrect|false|wrong|untrue|unsafe|rather than|instead)\b|n['\u2019]t\b",
    re.I,
)
_COMPARISONS = re.compile(
    r"\b(?:than|more|less|fewer|greater|higher|lower|larger|smaller|longer|shorter|older|younger|better"
    r"|worse|earlier|later"
    r"|most|least|best|worst|above|below|over|under|exceed\w*|between|within|up to|only|before|after|equal|same"
    r"|increas\w+|decreas\w+|reduc\w+|rais\w+|lower\w*|elevat\w+)\b|[<>=\u2264\u2265~\u2248]",
    re.I,
)
_MODALITY = re.compile(
    r"\b(?:may|might|can|could|should|must|would|will|shall|ought|likely|unlikely|possib\w+|probab\w+|perhaps|maybe"
    r"|suggest\w*|appear\w*|seem\w*|usual\w*|often|sometimes|rare\w*|always|typical\w*|general\w*"
    r"|common\w*|frequent\w*"
    r"|potential\w*|suspect\w*|all|every|each|some|any|many|few|several|mainly|primarily|partly|need\w*|presumabl\w+"
    r"|certain\w*|definite\w*|questionabl\w+|believ\w+|thought|consider\w*)\b",
    re.I,
)
_CONDITIONS = re.compile(
    r"\b(?:if|unless|when|whenever|until|till|provided|providing|assuming|suppos\w+|otherwise|depend\w*|once|in case"
    r"|as long as|whether|during|where)\b",
    re.I,
)
_NUMBER_WORDS = re.compile(
    r"\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|half|twice|thrice|double[ds]?"
    r"|triple[ds]?|hundred"
    r"|thousand|dozen|third|quarter|zero)\b",
    re.I,
)
_NOT = re.compile(r"n['\u2019]t$", re.I)
_DIGITS = re.compile(r"\d+(?:[.,]\d+)*")


class Word(NamedTuple):
    """A word of content: its stem in lower case, and its characters."""

    stem: str
    start: int
    end: int


class Qualifiers(NamedTuple):
    """What must not be separated from the words that it qualifies, each with how often it stands in a text."""

    numbers: Counter[str]
    negations: Counter[str]
    comparisons: Counter[str]
    modality: Counter[str]
    conditions: Counter[str]


def content_words(text: str) -> list[Word]:
    """Return the words of `text` that carry content, in order; stop words and qualifiers like `not` are left out."""
    return [
        Word(stem_of(m[0].lower()), m.start(), m.end())
        for m in _TOKEN.finditer(text)
        if m[0].lower() not in _STOP and not _NOT.search(m[0])
    ]


def stems(text: str) -> list[str]:
    """Return the stems of the words of content, in order."""
    return [word.stem for word in content_words(text)]


@lru_cache(maxsize=65536)
def stem_of(word: str) -> str:
    """Return the Snowball stem of a word in lower case."""
    return str(_STEMMER.stemWord(word.replace("\u2019", "'")))


def qualifiers(text: str) -> Qualifiers:
    """Count the numbers (with units), negations, comparisons, modal words and conditions of a text."""
    numbers = Counter(f"{q.number} {q.unit}".strip() for q in quantities(text))
    numbers.update(f"#{m[0]}" for m in _DIGITS.finditer(text))
    numbers.update(m[0].lower() for m in _NUMBER_WORDS.finditer(text))
    return Qualifiers(
        numbers, *(_counted(pattern, text) for pattern in (_NEGATIONS, _COMPARISONS, _MODALITY, _CONDITIONS))
    )


def qualified(text: str) -> bool:
    """Tell whether a text has a negation, comparison, modal word or condition."""
    return any(pattern.search(text) for pattern in (_NEGATIONS, _COMPARISONS, _MODALITY, _CONDITIONS))


def negations(text: str) -> list[tuple[int, int]]:
    """Return the characters of each negation."""
    return [m.span() for m in _NEGATIONS.finditer(text)]


def _counted(pattern: re.Pattern[str], text: str) -> Counter[str]:
    return Counter(re.sub(r"n['\u2019]t", "not", m[0].lower()).replace("cannot", "not") for m in pattern.finditer(text))
