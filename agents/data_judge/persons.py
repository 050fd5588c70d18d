"""Who a text is about: ages, and the sex where all persons with an age have the same."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from tracejury.agents.data_judge.quantities import Quantity

PERSON = r"(?P<person>man|woman|boy|girl|male|female|gentleman|lady)"
AGE = re.compile(
    rf"(?<![\w.-])(?P<age>\d{{1,3}})[- ](?P<unit>year|month|week|day)s?[- ]old(?:[ ,](?P<between>(?:[\w-]+ ){{0,3}}?)"
    rf"(?:{PERSON})\b)?",
    re.I,
)
RELATIVES = re.compile(
    r"\b(?:mother|father|brother|sister|husband|wife|son|daughter|partner|aunt|uncle|cousin|grand\w+|twin|baby|newborn|"
    r"parents?|boyfriend|girlfriend|neighbou?r|roommate|friend|sibling)s?\b",
    re.I,
)
# Words by which a clause may speak of others than the patient, or of what is not so.
HYPOTHETICAL = re.compile(
    r"\b(?:if|would|could|typical\w*|usual\w*|commonly|generally|classic\w*|often|most|more common|in (?:a|an)|such as|"
    r"e\.g|for example|patients|women|men|girls|boys|children|adults|than|range|between|after age|before age|unlike|"
    r"option|choice|screen\w*|recommend\w*|ages?|aged|not|rather)\b",
    re.I,
)
_MALE = frozenset({"man", "boy", "male", "gentleman"})


class Person(NamedTuple):
    """Who the vignette is about."""

    ages: tuple[Quantity, ...]
    male: bool | None
    """None: the vignette does not say, or speaks of several."""
    words: str
    """The vignette's own words for it."""


@lru_cache(maxsize=512)
def person(stem: str) -> Person:
    """Return every age that a vignette mentions, and the sex, where all persons with an age have the same."""
    ages = list(AGE.finditer(stem))
    persons = [m for m in ages if m["person"]]
    sexes = {is_male(m["person"]) for m in persons}
    male = sexes.pop() if len(sexes) == 1 else None
    return Person(tuple(aged(m) for m in ages), male, persons[0][0] if persons else "")


def is_male(word: str) -> bool:
    """Tell the sex that a word of `PERSON` names."""
    return word.lower() in _MALE


def aged(match: re.Match[str]) -> Quantity:
    """Return the age of a match of `AGE`."""
    return Quantity(match["age"], match["unit"].lower(), match.start(), match.end(), match[0])
